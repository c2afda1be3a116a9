"""Builds datasets from small sections: python -m tests.dataset.building.many_datasets WORKERS NAME..."""

import bz2
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.crew import Crew
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.ranks.joining import join
from rnnlm.text import sections
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.tokenizers import CHARACTERS

if __name__ in ("__main__", "__mp_main__"):  # in every process of the program, and not in the tests that know it
    sections.SECTION_BYTES, encode.CHUNK_CHARACTERS = 1500, 400
    spool.BLOCK_TOKENS, spool.BLOCK_SEGMENTS = 50, 7
    spool.MAX_TYPES = 300

WORDS, LETTERS = TextSettings("whitespace", lowercase=False), TextSettings(CHARACTERS, lowercase=False)
COMMENTS = TextSettings(sentences=True, clean=True)
LINES = [f"Line {k} has word{k * 7 % 31} and more. Is it so? word{k % 50}  e.g. Mr. Ä" for k in range(200)]
RARE = [f"the cat rare{k} sat on rare{k + 1}" for k in range(400)]

CASES: dict[str, dict[str, Any]] = {
    "lines": {"inputs": ["a.txt"], "text": WORDS},
    "lines-of-letters": {
        "inputs": ["a.txt"], "text": LETTERS, "reader": ReaderSettings(documents="line"),
        "division": DivisionSettings(seed=5),
    },
    "letters": {"inputs": ["a.txt"], "text": LETTERS},
    "line-ends": {"inputs": ["mac.txt", "dos.txt"], "text": WORDS},
    "paragraphs": {
        "inputs": ["book.txt"], "text": TextSettings(sentences=True),
        "reader": ReaderSettings(documents="paragraph"),
    },
    "kept-lines": {
        "inputs": ["book.txt"], "text": TextSettings("whitespace", keep_lines=True),
        "reader": ReaderSettings(documents="paragraph"),
    },
    "json-lines": {"inputs": ["a.jsonl", "b.jsonl"], "text": COMMENTS},
    "labels": {"inputs": ["a.jsonl"], "reader": ReaderSettings(label_column="kind"), "text": WORDS},
    "some": {"inputs": ["a.jsonl"], "reader": ReaderSettings(where=("kind=3",)), "text": WORDS},
    "csv": {"inputs": ["a.csv", "b.csv"], "text": COMMENTS},
    "compressed": {"inputs": ["a.jsonl.gz", "b.jsonl.bz2", "a.csv"], "text": COMMENTS},
    "many-files": {"inputs": ["many"], "text": WORDS},
    "validation": {"inputs": ["a.txt"], "text": WORDS, "division": DivisionSettings("b.txt", "c.txt")},
    "one-sentence": {"inputs": ["long.txt", "a.txt"], "text": WORDS, "reader": ReaderSettings(documents="file")},
    "sentences-of-one": {
        "inputs": ["book.txt", "long.txt"], "text": TextSettings(sentences=True),
        "reader": ReaderSettings(documents="file"),
    },
    "rare": {"inputs": ["rare.txt", "a.txt", "rare.txt"], "text": WORDS},
    "tagged": {"inputs": ["a.tagged", "b.tagged"], "reader": ReaderSettings("tagged")},
    "segmented": {"inputs": ["a.txt", "b.txt"], "reader": ReaderSettings("segmented"), "text": LETTERS},
    "pairs": {"inputs": ["a.txt", "reversed.txt"], "reader": ReaderSettings("pairs"), "text": WORDS},
    "pairs-of-a-line": {
        "inputs": ["a.pairs", "b.pairs", "a.pairs"], "reader": ReaderSettings("pairs"), "text": WORDS,
    },
}  # fmt: skip


def write_inputs() -> None:
    """Write the files that the cases read."""
    comments = [json.dumps({"body": f"{line} &amp; so\n\non", "kind": k % 4}) for k, line in enumerate(LINES)]
    comments[50] = comments[150] = "no JSON"
    rows = ["kind,body", *(f'{k % 4},"{line}, and\non ""and"" on"' for k, line in enumerate(LINES))]
    tagged = ["\n".join(f"{word}\t{word[0]}" for word in line.split()) + "\n" for line in LINES]
    texts = {
        "a.txt": LINES, "b.txt": LINES[:70], "c.txt": LINES[70:90], "rare.txt": RARE,
        "long.txt": [" ".join(LINES)],
        "book.txt": [f"{line}\nmore of {k}.\n" for k, line in enumerate(LINES)], "a.csv": rows, "b.csv": rows[:30],
        "a.jsonl": comments, "b.jsonl": comments[:60], "a.tagged": tagged, "b.tagged": tagged[:20],
        "reversed.txt": [line[::-1] for line in LINES], "a.pairs": [f"{line}\t{line[::-1]}" for line in LINES],
        "b.pairs": [f"{line}\tx" for line in LINES[:9]],
    }  # fmt: skip
    for name, lines in texts.items():
        Path(name).write_bytes("".join(f"{line}\n" for line in lines).encode())
    Path("mac.txt").write_bytes("\r".join(LINES).encode())
    Path("dos.txt").write_bytes("\r\n".join(LINES).encode())
    Path("a.jsonl.gz").write_bytes(gzip.compress(Path("a.jsonl").read_bytes()))
    Path("b.jsonl.bz2").write_bytes(bz2.compress(Path("b.jsonl").read_bytes()))
    Path("many").mkdir()
    for number, line in enumerate(LINES):
        Path("many", f"{number:03}.txt").write_text(line, encoding="utf-8")


def build(workers: int, names: list[str]) -> Iterator[str]:
    """Build datasets in directories of their names, and yield these; ranks that do not lead yield nothing."""
    for name in names:
        with Crew(workers, join()) as crew:
            if crew.leads:
                build_dataset(out=name, crew=crew, vocabulary=VocabularySettings(size=150), **CASES[name])
                yield name
            else:
                crew.serve(Path(name))


if __name__ == "__main__":
    for done in build(int(sys.argv[1]), sys.argv[2:]):
        print(done)
