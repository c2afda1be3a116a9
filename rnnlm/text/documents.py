"""Documents of plain text, in pieces of bounded size: lines, paragraphs, files, or text between separators."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import NamedTuple

from rnnlm.text.cutting import cut
from rnnlm.text.lines import PIECE_SIZE, Lines
from rnnlm.text.sentence_ends import LIKELY_END

BOOK_BEGINS = re.compile(
    r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG (?:EBOOK|ETEXT)"
    r"|\*END\*? ?THE SMALL PRINT! FOR PUBLIC DOMAIN",
    re.IGNORECASE,
)
"""Project Gutenberg's marks since about 2003, and those of the older "small print"."""
BOOK_ENDS = re.compile(
    r"(?:\*\*\* ?)?END OF (?:(?:THE|THIS) )?PROJECT GUTENBERG(?:'S|’S)?(?: EBOOK| ETEXT|,? )", re.IGNORECASE
)
PAGE_WIDTH, BROKEN_LINE, FEWEST_LINES = 100, 50, 100
"""Lines broken at the edge of a page are all shorter than the first, and most are longer than the second."""
LINE_CLOSERS = tuple('.?!"”’»…:;')
LICENCE_CHARACTERS = 50_000
"""The mark where a book begins is looked for in this many; the small print has some 12,000."""
PLACES = [re.compile(f".*{place}", re.DOTALL) for place in ("\n", LIKELY_END, r"\s")]
"""Where a document is cut into pieces, the best first."""

DOCUMENTS = ("line", "paragraph", "file")
"""What one document may be, apart from what stands between separators."""


class Piece(NamedTuple):
    """A part of a document: at most 65,536 characters, cut where `pieces` says; and the label of the document.

    Of a pair it is the whole target, and `source` is its source.
    """

    text: str
    begins_document: bool
    label: str | None = None
    source: str | None = None


def pieces(parts: Iterable[str], label: str | None = None) -> Iterator[Piece]:
    """Cut one document into pieces at line ends, else at ends of sentences, else at white space, else anywhere."""
    begins, rest = True, ""
    for part in parts:
        rest += part
        if len(rest) > PIECE_SIZE:
            *whole, rest = cut(rest, PIECE_SIZE, PLACES)
            for text in whole:
                yield Piece(text, begins, label)
                begins = False
    if rest:
        yield Piece(rest, begins, label)


def whole_pieces(text: str, label: str | None = None) -> Iterator[Piece]:
    """Cut a document that is in memory into pieces."""
    return pieces((text[start : start + PIECE_SIZE] for start in range(0, len(text), PIECE_SIZE)), label)


def text_documents(lines: Lines, documents: str, join_lines: bool) -> Iterator[Piece]:
    """Yield the documents of a plain text; see `ReaderSettings.documents`.

    With `join_lines` the line ends inside a paragraph become spaces, so that sentences go on over them.
    """
    numbered = _book(lines) if not lines.goes_on and is_gutenberg(lines) else lines.grouped()
    if documents == "line":
        yield from _line_documents(numbered, lines)
        return
    parts = (part for _, of_line in numbered for part in of_line)
    groups: Iterator[Iterator[str]]
    if documents == "paragraph":
        groups = (group for blank, group in groupby(parts, str.isspace) if not blank)
    elif documents == "file":
        groups = iter([parts])
    else:
        groups = _between(parts, documents.strip(), lines)
    for group in groups:
        yield from pieces(map(_joined, group) if join_lines else group)


def _line_documents(numbered: Iterator[tuple[int, Iterator[str]]], lines: Lines) -> Iterator[Piece]:
    """Take each line for a document, and note if lines seem to be broken at the edge of a page."""
    number = longest = broken = 0
    for _, parts in numbered:
        for piece in pieces(part.removesuffix("\n") for part in parts):
            yield piece
            number += 1
            longest = max(longest, len(piece.text))
            broken += len(piece.text) > BROKEN_LINE and not piece.text.rstrip().endswith(LINE_CLOSERS)
    if number >= FEWEST_LINES and longest <= PAGE_WIDTH and broken > number / 2:
        lines.note(
            "most lines end within a sentence, as on the pages of a book, and each was taken for a document;"
            " `documents=paragraph` and `sentences` join them"
        )


def _joined(part: str) -> str:
    """Let a line go on in the next one; an empty line still ends the one before."""
    return f"{part[:-1]} " if part.endswith("\n") and not part.isspace() else part


def _between(parts: Iterator[str], separator: str, lines: Lines) -> Iterator[Iterator[str]]:
    found = False
    for separates, group in groupby(parts, lambda part: part.strip() == separator):
        if separates:
            found = True
        else:
            yield group
    if not found:
        lines.note(f"no line is {separator!r}, so all is one document (see `documents`)")


def is_gutenberg(lines: Lines) -> bool:
    """Return whether lines begin with the marks of Project Gutenberg; no line is taken."""
    characters = 0
    for part in lines.first_parts():
        if BOOK_BEGINS.match(part):
            return True
        characters += len(part)
        if characters > LICENCE_CHARACTERS:
            break
    return False


def _book(lines: Lines) -> Iterator[tuple[int, Iterator[str]]]:
    """Yield the lines between the marks of Project Gutenberg, and report the others."""
    inside = False
    for number, parts in lines.grouped():
        first = next(parts)
        if BOOK_BEGINS.match(first):
            inside, left_out = True, True
        else:
            inside = inside and not BOOK_ENDS.match(first)
            left_out = not inside
        if left_out:
            lines.report("lines around the text of Project Gutenberg left out", number)
        else:
            yield number, chain([first], parts)
