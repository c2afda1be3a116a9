"""The command line, run as its own tests run it."""

from tests.cli.conftest import rnnlm, working_directory

__all__ = ["rnnlm", "working_directory"]
