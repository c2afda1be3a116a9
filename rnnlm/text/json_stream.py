"""A JSON document of any size, with one record at a time in memory.

Python's own parser reads each record; this module finds where the next one begins. Fast parsers that stream whole
documents end the process at a number of 5,000 digits and take gigabytes for brackets that are never closed; the
others read 3 MB a second.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.fields import Path, Record, as_record
from rnnlm.text.lines import MAX_RECORD, Lines

EACH = "[]"
"""In a path through a document: every element of a list."""
EACH_VALUE = "{}"
"""In a path through a document: every value of an object."""

MOST_KEYS = 8
"""The most keys below which a list is looked for."""
READ_SIZE = 1 << 16
"""Characters that are read at a time."""

BLANK = re.compile(r"[ \t\n\r]*")
IN_STRING = re.compile(r'[^"\\]*')
SCALAR = re.compile(r'[^\s,:"\[\]{}]+')

DECODER = json.JSONDecoder()
DECODER_OF_HUGE_NUMBERS = json.JSONDecoder(parse_int=float)
"""Reads integers of thousands of digits too, which Python refuses, as floating-point numbers."""


def parse(text: str, start: int = 0) -> tuple[Any, int]:
    """Return the value that begins at a place in a text, and where it ends.

    Raises `ValueError` if it is not JSON, and `RecursionError` if it is nested too deeply.
    """
    try:
        return DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return DECODER_OF_HUGE_NUMBERS.raw_decode(text, start)


def path_name(path: Path) -> str:
    """Return how messages name a path."""
    return ".".join(step for step in path if step not in (EACH, EACH_VALUE))


class JsonStream:
    """Reads a document, or several one after another; `found` is the path that `search` has found."""

    def __init__(self, lines: Lines) -> None:
        self.found: Path | None = None
        self._lines = lines
        self._parts = lines.parts()
        self._text = ""
        self._at = 0
        self._line = 1  # where counting line ends has come to
        self._counted = 0
        self._left_out = ""  # the first list that is not wanted

    def records(self, path: Path, keep_damaged: bool) -> Iterator[Record]:
        """Yield the objects at a path; other values there are reported.

        The path has keys, `EACH` for the elements of a list, and `EACH_VALUE` for the values of an object; it is
        empty for the objects that the document consists of. Damage raises `RnnlmError`, unless it is kept: then it
        ends the records and is reported.
        """
        return self._until_damage(lambda: self._walk(path), keep_damaged)

    def search(self, is_wanted: Callable[[Record], bool], keep_damaged: bool) -> Iterator[Record]:
        """Yield the objects of the first list whose first object is wanted, and set `found`; else as `records`."""
        return self._until_damage(lambda: self._search((), is_wanted), keep_damaged)

    def _until_damage(self, walk: Callable[[], Iterator[Record]], keep_damaged: bool) -> Iterator[Record]:
        try:
            while mark := self._peek():
                if mark not in "[{":
                    raise EOFError
                yield from walk()
        except EOFError as error:
            if not keep_damaged:
                raise RnnlmError(
                    f"{self._lines.source}: the JSON is damaged in line {self._line_number():,}, or not complete;"
                    " mend it, or keep what comes before with `keep_damaged`."
                ) from error
            self._lines.report("place{s} where the JSON is damaged, what follows left out", self._line_number())

    def _walk(self, path: Path) -> Iterator[Record]:
        if not path:
            yield from self._record()
        elif path[0] == EACH and self._peek() == "[":
            for _ in self._members("]"):
                yield from self._walk(path[1:])
        elif path[0] != EACH and self._peek() == "{":
            for _ in self._members("}"):
                if self._key() == path[0] or path[0] == EACH_VALUE:
                    yield from self._walk(path[1:])
                else:
                    self._skip()
        else:
            self._skip()

    def _search(self, path: Path, is_wanted: Callable[[Record], bool]) -> Iterator[Record]:
        if self._peek() == "{" and len(path) < MOST_KEYS:
            for _ in self._members("}"):
                yield from self._search((*path, self._key()), is_wanted)
        elif self._peek() == "[" and self.found is None:
            for number, _ in enumerate(self._members("]")):
                if self.found is None and (number or self._peek() != "{"):
                    self._skip()
                    continue
                for record in self._record():
                    if number == 0 and is_wanted(record):
                        self.found = (*path, EACH)
                    if self.found is not None:
                        yield record
                    else:
                        # Reported under one name: there may be any number of lists.
                        self._left_out = self._left_out or path_name(path)
                        self._lines.report(
                            f"list{{s}} of records left out, {shown(self._left_out)}", record.number
                        )
        else:
            self._skip()

    def _members(self, closing: str) -> Iterator[None]:
        """Yield where each element of a list, or each key of an object, begins."""
        self._at += 1
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._take("," + closing) == closing:
                return

    def _record(self) -> Iterator[Record]:
        self._peek()
        number = self._line_number()
        decoded = self._decode()
        if decoded is None:
            self._skip()
            self._lines.report(
                "record{s} skipped that {are} not JSON, nested too deeply"
                f" or longer than {MAX_RECORD:,} characters",
                number,
            )
        elif (values := as_record(decoded[0])) is not None:
            yield Record(values, number, decoded[1])
        else:
            self._lines.report("value{s} that {are} not {a}JSON object{s} skipped", number)

    def _decode(self) -> tuple[Any, int] | None:
        """Take a value, and return it and its length; if it cannot be read, take nothing and return None."""
        while True:
            try:
                value, end = parse(self._text, self._at)
            except RecursionError:
                return None
            except ValueError:  # perhaps it only goes on in what has not been read
                length = len(self._text) - self._at
                if length > MAX_RECORD or not self._read(length):
                    return None
            else:
                length, self._at = end - self._at, end
                return value, length

    def _key(self) -> str:
        """Take the key of the next value in an object, and the colon after it."""
        decoded = self._decode() if self._peek() == '"' else None
        if decoded is None:
            raise EOFError
        self._take(":")
        return str(decoded[0])

    def _skip(self) -> None:
        """Pass a value, whatever its size; brackets need not be of the right kind."""
        depth = 0
        while True:
            mark = self._peek()
            if mark == '"':
                self._skip_string()
            elif mark in ("{", "["):
                depth += 1
                self._at += 1
            elif mark in ("}", "]", ",", ":") and depth:
                depth -= mark in ("}", "]")
                self._at += 1
            else:
                self._skip_scalar()
            if not depth:
                return

    def _skip_string(self) -> None:
        self._at += 1
        while True:
            self._pass(IN_STRING)
            escaped = self._text[self._at] == "\\"
            self._at += 1
            if not escaped:
                return
            if self._at == len(self._text) and not self._read(READ_SIZE):
                raise EOFError
            self._at += 1

    def _skip_scalar(self) -> None:
        if not SCALAR.match(self._text, self._at):
            raise EOFError
        self._pass(SCALAR)

    def _pass(self, pattern: re.Pattern[str]) -> None:
        """Pass characters of a kind, up to another one."""
        while True:
            match = pattern.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return
            if not self._read(READ_SIZE):
                raise EOFError

    def _take(self, marks: str) -> str:
        """Take one of some characters, after blanks."""
        mark = self._peek()
        if not mark or mark not in marks:
            raise EOFError
        self._at += 1
        return mark

    def _peek(self) -> str:
        """Pass blanks; return the character after them, or nothing at the end."""
        while True:
            match = BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read(READ_SIZE):
                return ""

    def _read(self, characters: int) -> bool:
        """Forget what was passed, and read more characters; return whether there were any."""
        self._line_number()
        parts = [self._text[self._at :]]
        self._at = self._counted = 0
        length = 0
        while length < max(characters, READ_SIZE) and (part := next(self._parts, "")):
            parts.append(part)
            length += len(part)
        self._text = "".join(parts)
        return length > 0

    def _line_number(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
