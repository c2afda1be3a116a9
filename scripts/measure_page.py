"""Say how fast pages of `rnnlm export --format html` open and write in Chromium, and take a picture of the first.

Usage: python scripts/measure_page.py PAGE... [--tokens N] [--picture FILE] [--seed-text TEXT]

A page has opened when it shows what it would say next. Its speed is that of so many tokens, the joining of words
to text and the showing of it included; the end of the sentence is never drawn. Needs playwright, and Chromium on
PATH.
"""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

# The same numbers each time, from the generator mulberry32.
SEEDED = """
let state = 6;
Math.random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
"""
READY = "#next:not([aria-busy]) li"


def opened(browser: Any, file: Path) -> tuple[Any, float]:
    """Open a page; return it and the seconds that it took."""
    page = browser.new_page(viewport={"width": 1000, "height": 620})
    page.add_init_script(SEEDED)
    page.goto(file.resolve().as_uri())
    page.wait_for_selector(READY)
    return page, page.evaluate("performance.now()") / 1000


def write(page: Any) -> None:
    page.click("#write")
    page.wait_for_selector("#stop:disabled", timeout=600_000)


def speed(page: Any, tokens: int) -> float:
    """Return the tokens that a page writes in a second."""
    page.evaluate("vocabulary.neverWritten.push(Vocabulary.endId)")
    page.fill("#length", str(tokens))
    write(page)
    tokens_per_second: float = page.evaluate("writing.tokensPerSecond")
    return tokens_per_second


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
            page, seconds = opened(browser, file)
            print(f"{file}: opens in {seconds:.2f} s, writes {speed(page, arguments.tokens):,.0f} tokens a second")
            page.close()


if __name__ == "__main__":
    main()
