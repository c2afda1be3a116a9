"""The text of a dataset as other programs read it: tokens with a space between them, a sentence a line."""

from collections.abc import Iterator
from pathlib import Path

from rnnlm.dataset.store import SPLITS, Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.files import explaining, make_directory, write_atomically
from rnnlm.text.vocabulary import Vocabulary

BLOCK = 1 << 18
"""How many ids become text at a time."""

SPACE = "▁"
"""Stands for a space within a token."""


def check_text_destination(directory: Path, dataset: Path, overwrite: bool) -> None:
    """Refuse to write text into a dataset or, where `overwrite` is off, over a file of such a name."""
    place = directory.resolve()
    if dataset.resolve() in (place, *place.parents):
        raise RnnlmError(f"{directory}: this is in the dataset; choose another directory with `write_text`.")
    for file in _files(directory):
        if file.exists() and not (overwrite and file.is_file()):
            raise RnnlmError(
                f"{file}: this file exists; choose another directory with `write_text`, or replace it with"
                " `overwrite`."
            )


def write_text(dataset: Dataset, directory: Path, overwrite: bool = False) -> None:
    """Write ``train.txt``, ``valid.txt`` and ``test.txt``, in bounded memory.

    The unknown token stands for words outside the vocabulary. Tokens that begin and end a sentence are left out,
    and so are tags and the sources of pairs. So that a sentence is a line and a token a word, a space within a
    token becomes ``▁``, and other white space is written as in Python, such as ``\\n``. The directory is made if
    needed.

    Raises
    ------
    RnnlmError
        If the files may not be there (see `check_text_destination`), or cannot be written.
    """
    check_text_destination(directory, dataset.path, overwrite)
    words = [f" {_as_word(token)}" for token in dataset.vocabulary.tokens]
    words[Vocabulary.end_id] = "\n"
    for start in dataset.vocabulary.start_ids:
        words[start] = ""
    with explaining(directory, "the text cannot be written", "; see to its room and permissions"):
        make_directory(directory)
        for file, name in zip(_files(directory), SPLITS, strict=True):
            write_atomically(file, map(str.encode, _text(dataset.split(name), words)))


def _files(directory: Path) -> list[Path]:
    return [directory / f"{name}.txt" for name in SPLITS]


def _as_word(token: str) -> str:
    escaped = (c.encode("unicode_escape").decode() if c.isspace() else c for c in token.replace(" ", SPACE))
    return "".join(escaped)


def _text(split: Split, words: list[str]) -> Iterator[str]:
    at_line_start = True
    for start in range(0, len(split.ids), BLOCK):
        text = "".join(map(words.__getitem__, split.ids[start : start + BLOCK].tolist())).replace("\n ", "\n")
        if text:
            yield text.removeprefix(" ") if at_line_start else text
            at_line_start = text.endswith("\n")
