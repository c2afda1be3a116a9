"""Say which share of the lines of texts comes back unchanged when their tokens are made text again.

Usage: python scripts/measure_round_trips.py FILE... [--tokenizer NAME] [--sample N] [--seed N] [--show N]

Files ending in .csv hold comments in their first column, which are cleaned as for training; others are plain text.
A line comes back if its characters do, but for case and for which white space stands between two words. Lines that
have an ordinary space before a closing mark, as in `what ?`, are not counted.
"""

import argparse
import csv
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rnnlm.text.cleaning import clean_comment
from rnnlm.text.processor import TextProcessor, TextSettings

SPACE_BEFORE_CLOSING = re.compile(r" (?:[,.;:%]|[!?]+|[)\]}]+)(?=\s|$)")

SHOWN = 40
"""Characters shown on both sides of a difference."""


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a file that are not blank."""
    with path.open(encoding="utf-8", newline="" if path.suffix == ".csv" else None) as file:
        if path.suffix != ".csv":
            yield from filter(str.strip, file)
            return
        rows = csv.reader(file)
        next(rows)  # the header
        for row in rows:
            yield from clean_comment(row[0]).splitlines()


def folded(text: str) -> str:
    """Return a text without case, and with a single space for any run of white space."""
    return " ".join(text.split()).casefold()


def differences(line: str, text: str) -> Iterator[str]:
    """Yield what stands in a line and its text where they first differ."""
    pairs = enumerate(zip(line, text, strict=False))
    place = next((at for at, (one, other) in pairs if one != other), min(len(line), len(text)))
    for sign, whole in (("-", line), ("+", text)):
        yield f"{sign} {whole[max(0, place - SHOWN) : place + SHOWN]}"


def main() -> None:
    """Print the share, the speed, and some of the lines that do not come back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--tokenizer", default="nltk")
    parser.add_argument("--sample", type=int, help="so many lines, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="show N lines that do not come back")
    options = parser.parse_args()

    lines = [line for path in options.files for line in lines_of(path)]
    if options.sample is not None:
        lines = random.Random(options.seed).sample(lines, min(options.sample, len(lines)))
    counted = [line for line in lines if not SPACE_BEFORE_CLOSING.search(line)]
    if not counted:
        sys.exit("There is no line to count.")
    processor = TextProcessor(TextSettings(options.tokenizer))
    tokens = [processor.tokenize(line) for line in counted]
    start = time.process_time()
    texts = [processor.detokenize(line) for line in tokens]
    seconds = time.process_time() - start
    failed = [(line, text) for line, text in zip(counted, texts, strict=True) if folded(line) != folded(text)]
    for line, text in failed[: options.show]:
        print(*differences(folded(line), folded(text)), sep="\n", end="\n\n")
    share = 1 - len(failed) / len(counted)
    print(f"{len(counted) - len(failed):,} of {len(counted):,} lines come back ({share:.1%}), {options.tokenizer}")
    print(f"{len(lines) - len(counted):,} lines with a space before a closing mark were not counted")
    print(f"{sum(map(len, tokens)) / seconds:,.0f} tokens a second")


if __name__ == "__main__":
    main()
