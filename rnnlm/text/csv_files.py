"""CSV files as the world writes them; the first lines show how."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain

from rnnlm.errors import shown
from rnnlm.text.csv_rows import NO_SEPARATOR, QUOTE, Dialect, Rows
from rnnlm.text.fields import Record, Records, find_field
from rnnlm.text.lines import Lines

SEPARATORS = (",", ";", "\t", "|")

FIRST_CHARACTERS, FIRST_LINES = 65_536, 200
"""How much of a file is looked at."""

SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""A first line for spreadsheet programs, as in sep=;"""
COLUMN_NAME = re.compile(r"[^\W\d][\w.-]{0,40}(?: [\w.-]{1,40}){0,2}")
"""The names of columns in a file whose own name does not say that it has any."""


class Beginning:
    """The first lines of a file, which are not taken, with as many of their rows as are whole."""

    def __init__(self, lines: Lines) -> None:
        parts: list[str] = []
        characters = number = 0
        self._is_cut = False
        for part in lines.first_parts():
            parts.append(part)
            characters += len(part)
            number += part.endswith("\n")
            if characters > FIRST_CHARACTERS or number == FIRST_LINES:
                self._is_cut = True
                break
        self.lines = re.findall(r"[^\n]*\n|[^\n]+", "".join(parts))
        if self._is_cut and len(self.lines) > 1 and not self.lines[-1].endswith("\n"):
            self.lines.pop()
        marked = SEPARATOR_LINE.fullmatch(self.lines[0].removesuffix("\n")) if self.lines else None
        self.separator = marked[1] if marked else None

    def rows(self, dialect: Dialect) -> tuple[list[list[str]], Rows]:
        """Return the rows, and what knows about their quotation marks."""
        lines = self.lines if self.separator is None else self.lines[1:]
        found = Rows(enumerate(lines), dialect, is_cut=lambda: self._is_cut)
        return [row for _, row in found], found


def find_dialect(
    beginning: Beginning, separator: str | None, quoting: bool | None, wanted: Collection[str]
) -> Dialect:
    """Find out how rows are written, as far as separator and quoting are not known.

    The right separator gives a column one of the names `wanted`.
    """
    separator = separator or beginning.separator
    best = Dialect(separator or NO_SEPARATOR)
    most = (False, 0.0)
    for candidate in SEPARATORS if separator is None else ():
        rows, _ = beginning.rows(Dialect(candidate))
        if rows and len(rows[0]) > 1:
            alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            found = any(find_field(name, rows[0]) is not None for name in wanted)
            if (found, alike) > most:
                best, most = Dialect(candidate), (found, alike)
    rows, marks = beginning.rows(best)
    spaced = bool(rows) and len(rows[0]) > 1 and all(field.startswith(" ") for field in rows[0][1:])
    if quoting is None:
        quoting = marks.quoted >= marks.stray
    return replace(best, quoting=quoting, spaced=spaced)


def is_table(lines: Lines, first: str, wanted: Collection[str]) -> bool:
    """Return whether lines are surely rows: a header that names a wanted column, and rows of its length.

    Only the first line is looked at if it is not a header, because lines may come live.
    """
    rows_of_first = [first.rstrip("\n").replace(QUOTE, "").split(separator) for separator in SEPARATORS]
    names_wanted = any(find_field(name, row) is not None for row in rows_of_first for name in wanted)
    if not (names_wanted or SEPARATOR_LINE.fullmatch(first.rstrip("\n"))):
        return False
    beginning = Beginning(lines)
    if beginning.separator is not None:
        return True
    dialect = find_dialect(beginning, None, None, wanted)
    rows, _ = beginning.rows(dialect)
    if len(rows) < 3 or len(rows[0]) < 2 or dialect.spaced:
        return False
    named = all(COLUMN_NAME.fullmatch(name) for name in rows[0])
    found = any(find_field(name, rows[0]) is not None for name in wanted)
    return named and found and all(len(row) == len(rows[0]) for row in rows)


def csv_records(
    lines: Lines,
    separator: str | None,
    quoting: bool | None,
    has_header: bool,
    wanted: Collection[str],
    *,
    of_texts: bool = True,
) -> Records:
    """Open the rows of a CSV file as records.

    The separator, and whether fields may be quoted, are found in the first lines where they are None. If the file
    has no header, the columns are called ``1``, ``2`` and so on. `wanted` are names that they may have. A text may
    be taken for the name of the only column, which is said; no number is.
    """
    beginning = Beginning(lines)
    dialect = find_dialect(beginning, separator, quoting, wanted)
    numbered = ((lines.number, line) for line in lines.whole())
    if beginning.separator is not None:
        next(numbered)
    rows = iter(Rows(numbered, dialect, lines.report, lambda: lines.is_cut))
    header = next(rows, None)
    if header is None:
        return Records(str(dialect), None, iter(()))
    if has_header:
        columns = _distinct(header[1])
        if of_texts and len(columns) == 1 and not any(find_field(name, columns) for name in wanted):
            options = "(see `header=False`, `delimiter`)"
            lines.report(
                f"row{{s}} taken for the name of the only column, {shown(columns[0])} {options}", header[0]
            )
    else:
        columns = [str(number) for number in range(1, len(header[1]) + 1)]
        rows = chain([header], rows)
    return Records(str(dialect), columns, _records(rows, columns, lines))


def _records(rows: Iterator[tuple[int, list[str]]], columns: list[str], lines: Lines) -> Iterator[Record]:
    for number, row in rows:
        if len(row) > len(columns) and any(row[len(columns) :]):
            lines.report(
                "row{s} with more fields than the first one, which may cut a text (see `delimiter`, `quoting`)",
                number,
            )
        yield Record(dict(zip(columns, row, strict=False)), number, sum(map(len, row)))


def _distinct(names: list[str]) -> list[str]:
    """Give columns of the same name different names; the first one keeps it."""
    seen: set[str] = set()
    distinct = []
    for number, name in enumerate(names, start=1):
        distinct.append(f"{name} (column {number})" if name in seen else name)
        seen.add(name)
    return distinct
