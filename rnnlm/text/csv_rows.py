"""The rows of CSV files as the world writes them: the separator and the quoting are found in the first lines."""

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from rnnlm.errors import shown
from rnnlm.text.fields import Record, Records, find_field
from rnnlm.text.lines import MAX_RECORD, Lines

SEPARATORS = (",", ";", "\t", "|")
# Between the columns of a file that has one: no line can hold it, because lone surrogates are repaired.
NO_SEPARATOR = "\ud800"
QUOTE = '"'

# Lines that a quoted field may have; more are kept in memory for nothing, if its quote is never closed.
MOST_LINES = 50_000
# How much of a file is looked at, in characters and in lines.
FIRST_CHARACTERS = 65_536
FIRST_LINES = 200

# A first line for spreadsheet programs, as in sep=;
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# What a column may be called in a file whose name does not say that it has any.
COLUMN_NAME = re.compile(r"[^\W\d][\w.-]{0,40}(?: [\w.-]{1,40}){0,2}")


@dataclass(frozen=True)
class Dialect:
    """How rows are written.

    Attributes
    ----------
    separator
        The character between fields.
    quoting
        Whether a field may stand in quotation marks.
    spaced
        Whether a space follows each separator.
    """

    separator: str
    quoting: bool = True
    spaced: bool = False

    def __str__(self) -> str:
        if self.separator == NO_SEPARATOR:
            rows = "rows of one column"
        else:
            rows = f"rows separated by {'tabs' if self.separator == TAB else repr(self.separator)}"
        return rows if self.quoting else f"{rows}, quotation marks as text"


TAB = "\t"


class Rows:
    """The rows in some lines, each with the number of its first line; lines without a character are none.

    A field is quoted if it begins with a quotation mark, perhaps after spaces, and the mark that closes it stands
    before a separator or the end of a line, this one or a later one. Any other quotation mark is text, so that a
    mark that is never closed costs nothing.

    Attributes
    ----------
    quoted, stray
        Fields so far that are quoted, and those that have a quotation mark although they are not.
    """

    def __init__(
        self,
        numbered: Iterable[tuple[int, str]],
        dialect: Dialect,
        report: Callable[[str, int], object] = lambda kind, line: None,
    ) -> None:
        self.quoted = self.stray = 0
        self._numbered = iter(numbered)
        self._put_back: deque[tuple[int, str]] = deque()
        self._dialect = dialect
        self._report = report

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        separator, spaced = self._dialect.separator, self._dialect.spaced
        while numbered := self._next():
            number, line = numbered
            text = line.removesuffix("\n")
            if not text:
                continue
            if self._dialect.quoting and QUOTE in text:
                row = self._quoted_row(number, text)
            else:
                row = text.split(separator)
            if row:
                yield number, [field.lstrip(" ") for field in row] if spaced else row

    def _next(self) -> tuple[int, str] | None:
        return self._put_back.popleft() if self._put_back else next(self._numbered, None)

    def _quoted_row(self, number: int, text: str) -> list[str]:
        """Return the fields of a row that may go on in further lines; none if it is too long."""
        separator = self._dialect.separator
        fields = []
        at, room = 0, MAX_RECORD - len(text)
        while room >= 0:
            field = self._quoted_field(text, _after_spaces(text, at), room)
            if field is not None:
                self.quoted += 1
                value, rest, end = field
                if rest is not text:
                    room -= len(value)
                    text = rest
            else:
                end = text.find(separator, at)
                end = len(text) if end < 0 else end
                value = text[at:end]
                if QUOTE in value:
                    self.stray += 1
                    if value.lstrip(" ").startswith(QUOTE):
                        self._report("field{s} that begin with a quotation mark and are not quoted", number)
            fields.append(value)
            if end == len(text):
                return fields
            at = end + 1
        self._report(f"row{{s}} of more than {MAX_RECORD:,} characters skipped", number)
        return []

    def _quoted_field(self, text: str, begin: int, room: int) -> tuple[str, str, int] | None:
        """Return a field's value, the line in which it ends, and where; None if it is not quoted."""
        if not text.startswith(QUOTE, begin):
            return None
        ahead: list[tuple[int, str]] = []
        value: list[str] = []
        line, closed = text, _closing_quote(text, begin + 1)
        if closed < 0:
            value = [text[begin + 1 :], "\n"]
            while closed < 0 and room >= 0 and len(ahead) < MOST_LINES and (numbered := self._next()):
                ahead.append(numbered)
                line = numbered[1]
                room -= len(line)
                closed = _closing_quote(line, 0)
                value.append(line if closed < 0 else line[:closed])
            line = line.removesuffix("\n")
        else:
            value = [text[begin + 1 : closed]]
        end = _after_spaces(line, closed + 1)
        if closed < 0 or (end < len(line) and line[end] != self._dialect.separator):
            self._put_back.extendleft(reversed(ahead))
            return None
        return "".join(value).replace(QUOTE * 2, QUOTE), line, end


def _closing_quote(text: str, start: int) -> int:
    """Return where the first quotation mark is that is not doubled, or -1."""
    at = text.find(QUOTE, start)
    while at >= 0 and text.startswith(QUOTE, at + 1):
        at = text.find(QUOTE, at + 2)
    return at


def _after_spaces(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at


def first_lines(lines: Lines) -> list[str]:
    """Return the first whole lines of a file, or the only one, without taking them."""
    parts: list[str] = []
    characters = number = 0
    for part in lines.first_parts():
        parts.append(part)
        characters += len(part)
        number += part.endswith("\n")
        if characters > FIRST_CHARACTERS or number == FIRST_LINES:
            break
    return re.findall(r"[^\n]*\n|[^\n]+", "".join(parts))


def find_dialect(first: list[str], separator: str | None, quoting: bool | None, wanted: Collection[str]) -> Dialect:
    """Find out how rows are written.

    Parameters
    ----------
    first
        The first lines.
    separator, quoting
        What is known already; None for what is not.
    wanted
        Names, one of which a column has if the separator is the right one.
    """
    marked = SEPARATOR_LINE.fullmatch(first[0].removesuffix("\n")) if first else None
    if marked and separator is None:
        separator = marked[1]
    if marked:
        first = first[1:]
    best = Dialect(separator or NO_SEPARATOR)
    most: tuple[bool, float] = (False, 0.0)
    for candidate in SEPARATORS if separator is None else ():
        rows = [row for _, row in Rows(enumerate(first), Dialect(candidate))]
        if rows and len(rows[0]) > 1:
            alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            found = any(find_field(name, rows[0]) is not None for name in wanted)
            if (found, alike) > most:
                best, most = Dialect(candidate), (found, alike)
    rows_of_best = Rows(enumerate(first), best)
    header = next((row for _, row in rows_of_best), [])
    for _ in rows_of_best:
        pass
    spaced = len(header) > 1 and all(field.startswith(" ") for field in header[1:])
    if quoting is None:
        quoting = rows_of_best.quoted >= rows_of_best.stray
    return replace(best, quoting=quoting, spaced=spaced)


def is_table(first: list[str], wanted: Collection[str]) -> bool:
    """Return whether lines are rows beyond doubt: a header that names a wanted column, and rows of its length."""
    if first and SEPARATOR_LINE.fullmatch(first[0].removesuffix("\n")):
        return True
    dialect = find_dialect(first, None, None, wanted)
    rows = [row for _, row in Rows(enumerate(first), dialect)]
    if len(rows) < 3 or dialect.spaced:
        return False
    header = rows[0]
    named = all(COLUMN_NAME.fullmatch(name) for name in header)
    found = any(find_field(name, header) is not None for name in wanted)
    return len(header) > 1 and named and found and all(len(row) == len(header) for row in rows[1:-1])


def csv_records(
    lines: Lines, separator: str | None, quoting: bool | None, has_header: bool, wanted: Collection[str]
) -> Records:
    """Open the rows of a CSV file as records.

    Parameters
    ----------
    lines
        The file.
    separator, quoting
        The character between fields, and whether fields may be quoted; None for what the first lines show.
    has_header
        Whether the first row names the columns; they are called ``1``, ``2`` and so on if not.
    wanted
        Names that the columns may have.
    """
    first = first_lines(lines)
    dialect = find_dialect(first, separator, quoting, wanted)
    numbered = ((lines.number, line) for line in lines.whole())
    if first and SEPARATOR_LINE.fullmatch(first[0].removesuffix("\n")):
        next(numbered)
    rows = iter(Rows(numbered, dialect, lines.report))
    header = next(rows, None)
    if header is None:
        return Records(str(dialect), None, iter(()))
    if has_header:
        columns = _distinct(header[1])
        if len(columns) == 1 and not any(find_field(name, columns) for name in wanted):
            lines.report(f"row{{s}} taken for the name of the only column, {shown(columns[0])}", header[0])
    else:
        columns = [str(number) for number in range(1, len(header[1]) + 1)]
        rows = chain([header], rows)
    return Records(str(dialect), columns, _records(rows, columns, lines))


def _records(rows: Iterator[tuple[int, list[str]]], columns: list[str], lines: Lines) -> Iterator[Record]:
    for number, row in rows:
        if len(row) > len(columns) and any(row[len(columns) :]):
            lines.report("row{s} with more fields than the first one, which may cut a text", number)
        yield Record(dict(zip(columns, row, strict=False)), number, sum(map(len, row)))


def _distinct(names: list[str]) -> list[str]:
    """Call columns of one name by different ones, so that the first of them is the one that is meant."""
    seen: set[str] = set()
    distinct = []
    for number, name in enumerate(names, start=1):
        distinct.append(f"{name} (column {number})" if name in seen else name)
        seen.add(name)
    return distinct

