"""The page in a real browser, where there is one."""

import json
import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from rnnlm.report.page import render
from rnnlm.report.picture import plot
from rnnlm.report.runlog import RunLog, read_runs
from rnnlm.report.server import PageServer
from rnnlm.report.watch import WatchedRuns
from rnnlm.storage.run_directory import RunDirectory

from .conftest import MakeRun, line, serving

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


def add(run: Path, step: int, split: str = "train", **values: Any) -> None:
    """Write what a training writes at a step."""
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(line(step, split, **values)) + "\n")
    with (run / "samples.jsonl").open("a") as file:
        file.write(json.dumps({"step": step, "text": f"sample {step}"}) + "\n")


def opened(browser: Any, server: PageServer) -> Any:
    """Open a watched page whose time does not go on, but for `refresh`."""
    page = browser.new_page(viewport={"width": 1000, "height": 500})
    page.add_init_script("timers = []; setTimeout = (call, milliseconds) => timers.push([call, milliseconds])")
    page.complaints, page.requested = [], set()
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requested.add(request.url))
    page.goto(server.address)
    return page


def refresh(page: Any) -> None:
    """Let the time pass after which the page asks for itself again."""
    [milliseconds] = page.evaluate("timers.map(([call, milliseconds]) => milliseconds)")
    assert milliseconds >= 2_000
    page.evaluate("timers.pop()[0]()")


def test_a_watched_page_follows_the_run_and_leaves_the_reader_in_peace(browser: Any, make_run: MakeRun):
    run = make_run("a", [])
    with serving(PageServer(WatchedRuns([run]).page)) as server, RunDirectory(run).claimed():
        page = opened(browser, server)
        assert page.inner_text("[role=status]").startswith("a: being trained")
        assert "this run has logged nothing yet" in page.inner_text("main")
        add(run, 10, loss=4.0)
        refresh(page)
        assert page.locator("svg.chart").count() == 5

        page.locator("summary").last.click()
        page.locator(".table").first.focus()
        page.evaluate("document.querySelector('.samples').scrollIntoView()")
        page.evaluate("getSelection().selectAllChildren(document.querySelector('.sample'))")
        seen = "[scrollY, document.querySelector('.samples').getBoundingClientRect().top]"
        y, top = page.evaluate(seen)
        assert y > 500
        drawn = page.locator("svg.chart path.line").first.get_attribute("d")
        for step in (20, 30):
            add(run, step, loss=3.0)
        refresh(page)
        assert "Step 30," in page.inner_text("main")
        assert page.locator("svg.chart path.line").first.get_attribute("d") != drawn
        assert page.locator(".sample").all_inner_texts() == ["sample 10", "sample 20", "sample 30"]
        assert page.evaluate(seen) == [y, top]
        add(run, 30, "valid", loss=2.5)
        refresh(page)
        assert "Best step\t30" in page.inner_text("main")
        # A line of the legend more, and what is read stays in its place.
        assert page.evaluate(seen)[1] == pytest.approx(top, abs=1)
        assert page.evaluate("document.activeElement === document.querySelector('.table')")
        assert page.evaluate("String(getSelection())") == "sample 10"
        assert page.locator("details[open]").count() == 1
        assert page.locator("[role=alert]").inner_text() == ""
        assert (page.complaints, page.requested) == ([], {server.address})
    refresh(page)
    assert "no longer kept current" in page.locator("[role=alert]").inner_text()
    assert page.locator(".sample").count() == 4


def test_a_watched_page_says_when_the_run_ends(browser: Any, make_run: MakeRun):
    pytest.importorskip("fcntl")
    run = make_run("a", [line(10)])
    with serving(PageServer(WatchedRuns([run]).page)) as server:
        page = opened(browser, server)
        for _ in range(2):
            with RunDirectory(run).claimed():
                refresh(page)
                assert page.inner_text("[role=status]") == "a: being trained."
            refresh(page)
            assert page.inner_text("[role=status]") == "a: ended, no process is training in it."


def test_a_page_from_elsewhere_cannot_read_a_watched_one(browser: Any, make_run: MakeRun):
    run = make_run("a", [line(10)])
    with (
        serving(PageServer(WatchedRuns([run]).page)) as server,
        serving(PageServer(lambda: "<p>another</p>")) as other,
    ):
        page = browser.new_page()
        page.goto(other.address)
        # Even a page that knows the address is given nothing, and shows nothing.
        reading = f"fetch({server.address!r}).then(answer => answer.text()).catch(error => error.name)"
        assert page.evaluate(reading) == "TypeError"
        reading = (
            f"fetch({server.address!r}, {{mode: 'no-cors'}}).then(answer => answer.text()).catch(e => e.name)"
        )
        assert page.evaluate(reading) in ("TypeError", "")
        page.evaluate(
            f"document.body.append(Object.assign(document.createElement('iframe'), {{src: {server.address!r}}}))"
        )
        page.wait_for_timeout(200)
        assert "Training" not in "".join(frame.content() for frame in page.frames)
        page.goto(server.address.replace("127.0.0.1", "localhost"))
        assert page.inner_text("h1") == "Training of a"


def test_a_picture_is_dark_on_a_dark_page(browser: Any, short_run: RunLog, tmp_path: Path):
    image = pytest.importorskip("matplotlib.image")
    plot([short_run], tmp_path / "a.svg")
    (tmp_path / "a.html").write_text("<style>body {margin: 0}</style><img src=a.svg>")
    corners = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto((tmp_path / "a.html").as_uri())
        shot = page.screenshot(clip={"x": 1, "y": 1, "width": 1, "height": 1})
        corners[scheme] = image.imread(BytesIO(shot))[0, 0, :3].mean()
    assert corners["light"] == 1
    assert 0 < corners["dark"] < 0.2
