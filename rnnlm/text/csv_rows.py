"""Rows of fields, some of which are quoted, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rnnlm.text.lines import MAX_RECORD

NO_SEPARATOR = "\ud800"
"""The separator of a file with one column; no line holds it, because lone surrogates are repaired."""
TAB = "\t"
QUOTE = '"'

MOST_LINES = 50_000
"""The most lines of a quoted field; they are kept in memory until its quote is closed."""


@dataclass(frozen=True)
class Dialect:
    """How rows are written: whether fields may be quoted, and whether a space follows each separator."""

    separator: str
    quoting: bool = True
    spaced: bool = False

    def __str__(self) -> str:
        if self.separator == NO_SEPARATOR:
            rows = "rows of one column"
        else:
            rows = f"rows separated by {'tabs' if self.separator == TAB else repr(self.separator)}"
        return rows if self.quoting else f"{rows}, quotation marks as text"


class Rows:
    """The rows in some lines, each with the number of its first line; empty lines are skipped.

    A field is quoted if it begins with a quotation mark, perhaps after spaces, and the mark that closes it comes
    before a separator or the end of this line or a later one. Any other quotation mark is text, so a mark that is
    never closed costs nothing. If `is_cut` says that more lines would follow the last one, a row with an unclosed
    quotation mark is left out.

    Attributes
    ----------
    quoted, stray
        The numbers of fields so far that are quoted, and that have quotation marks but are not quoted.
    """

    def __init__(
        self,
        numbered: Iterable[tuple[int, str]],
        dialect: Dialect,
        report: Callable[[str, int], object] = lambda kind, line: None,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> None:
        self.quoted = self.stray = 0
        self._numbered = iter(numbered)
        self._put_back: deque[tuple[int, str]] = deque()
        self._dialect = dialect
        self._report = report
        self._is_cut = is_cut

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        separator, spaced = self._dialect.separator, self._dialect.spaced
        while numbered := self._next():
            number, line = numbered
            text = line.removesuffix("\n")
            if not text:
                continue
            if self._dialect.quoting and QUOTE in text:
                try:
                    row = self._quoted_row(number, text)
                except EOFError:
                    self._report("row{s} that {are} cut off left out", number)
                    return
            else:
                row = text.split(separator)
            if row:
                yield number, [field.lstrip(" ") for field in row] if spaced else row

    def _next(self) -> tuple[int, str] | None:
        return self._put_back.popleft() if self._put_back else next(self._numbered, None)

    def _quoted_row(self, number: int, text: str) -> list[str]:
        """Return the fields of a row that may go on in further lines; an empty list if it is too long."""
        separator = self._dialect.separator
        fields = []
        at, room = 0, MAX_RECORD - len(text)
        while room >= 0:
            field = self._quoted_field(text, _after_spaces(text, at), room)
            if field is not None:
                self.quoted += 1
                value, rest, end = field
                if rest is not text:
                    text = rest
                    room -= len(value) + len(text)
            else:
                end = text.find(separator, at)
                end = len(text) if end < 0 else end
                value = text[at:end]
                if QUOTE in value:
                    self.stray += 1
                    if value.lstrip(" ").startswith(QUOTE):
                        self._report("field{s} in which a quotation mark comes first and none closes it", number)
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
        if closed < 0 <= room and len(ahead) < MOST_LINES and self._is_cut():
            raise EOFError
        if closed < 0 or (end < len(line) and line[end] != self._dialect.separator):
            self._put_back.extendleft(reversed(ahead))
            return None
        return "".join(value).replace(QUOTE * 2, QUOTE), line, end


def _closing_quote(text: str, start: int) -> int:
    """Return the place of the first quotation mark that is not doubled, or -1."""
    at = text.find(QUOTE, start)
    while at >= 0 and text.startswith(QUOTE, at + 1):
        at = text.find(QUOTE, at + 2)
    return at


def _after_spaces(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at
