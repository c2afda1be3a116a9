"""The page in a real browser, where there is one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnlm.report.page import render
from rnnlm.report.runlog import RunLog, read_runs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    # Chromium refuses to put root into its sandbox.
    sandbox = not (hasattr(os, "geteuid") and os.geteuid() == 0)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=sandbox)
        yield browser
        browser.close()


def test_the_page_fits_the_screen_and_takes_its_colours(
    browser: Any, short_run: RunLog, char_run: Path, tmp_path: Path
):
    page_file = tmp_path / "report.html"
    page_file.write_text(render([short_run, *read_runs([char_run])]), encoding="utf-8")
    backgrounds = {}
    for scheme in ("light", "dark"):
        for width in (360, 1280):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))  # noqa: B023
            page.on("pageerror", lambda error: complaints.append(str(error)))  # noqa: B023
            requests: list[str] = []
            page.on("request", lambda request: requests.append(request.url))  # noqa: B023
            page.goto(page_file.as_uri())
            assert (complaints, requests) == ([], [page_file.as_uri()])
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            heights = page.evaluate(
                "[...document.querySelectorAll('svg.chart text')].map(text => text.getBoundingClientRect().height)"
            )
            assert min(heights) > 11
            backgrounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
            page.close()
    assert backgrounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 23, 23)"}
