"""A real browser for the pages, where there is one."""

from tests.report.test_browser import browser

__all__ = ["browser"]
