"""Say how fast pages of `rnnlm export --format html` open and write in Chromium, and take a picture of the first.

Usage: python scripts/measure_page.py PAGE... [--tokens N] [--picture FILE] [--seed-text TEXT]

Times are those of the processor that runs the page, whatever else the machine does meanwhile. A page has opened
when it shows what it would say next. Its speed is that of so many tokens, the joining of words to text and the
showing of it included; the end of the sentence is never drawn. Needs playwright, and Chromium on PATH.
"""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

# The same numbers each time, from the generator mulberry32.
SEEDED = """
let state = 7;
Math.random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
"""
READY = "#next:not([aria-busy]) li"


class Clock:
    """Tells the processor's seconds of the thread that runs a page."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds(self) -> float:
        """Return how many seconds the page has run."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def opened(browser: Any, file: Path) -> tuple[Any, Clock]:
    """Open a page; return it and its clock, which began with it."""
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    page.set_default_timeout(600_000)
    page.add_init_script(SEEDED)
    clock = Clock(page)
    page.goto(file.resolve().as_uri())
    page.wait_for_selector(READY)
    return page, clock


def write(page: Any) -> None:
    page.click("#write")
    page.wait_for_selector("#stop:disabled")


def speed(page: Any, clock: Clock, tokens: int) -> float:
    """Return the tokens that a page writes in a second."""
    page.evaluate("vocabulary.neverWritten.push(Vocabulary.endId)")
    page.fill("#length", str(tokens))
    page.wait_for_selector(READY)
    before = clock.seconds()
    write(page)
    return tokens / (clock.seconds() - before)


def take_picture(page: Any, seed_text: str, file: Path) -> None:
    page.fill("#temperature", "0.7")
    page.fill("#seed", seed_text)
    write(page)
    page.wait_for_selector(READY)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", metavar="PAGE", nargs="+", type=Path)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--seed-text", default="I think that")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=os.geteuid() != 0
        )
        if arguments.picture:
            page, _ = opened(browser, arguments.pages[0])
            take_picture(page, arguments.seed_text, arguments.picture)
            page.close()
        for file in arguments.pages:
            page, clock = opened(browser, file)
            print(f"{file}: opens in {clock.seconds():.2f} s, ", end="")
            print(f"writes {speed(page, clock, arguments.tokens):,.0f} tokens a second")
            page.close()


if __name__ == "__main__":
    main()
