"""The lines of text files: opened, decompressed, decoded, repaired, in bounded memory however long they are."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from itertools import groupby
from typing import NamedTuple

from rnnlm.errors import RnnlmError
from rnnlm.text.compression import InputBytes, InputStream
from rnnlm.text.damage import Damage
from rnnlm.text.decoding import Decoding, has_surrogates
from rnnlm.text.report import ReadReport, Source
from rnnlm.text.signatures import markup, unreadable

STDIN = "-"

PIECE_SIZE = 65_536
"""The most characters of a line that are read at a time."""
MAX_RECORD = 16_000_000
"""Characters of the longest line, or CSV row, that is taken whole."""


class Span(NamedTuple):
    """A part of a file: its first byte, the byte after its last, and the number of its first line."""

    start: int
    stop: int
    line: int


WHOLE = Span(0, sys.maxsize, 1)
"""All of a file."""


class Lines(Source):
    """The lines of a text file, numbered and repaired; of a long line only a part is in memory.

    Attributes
    ----------
    beginning
        The first characters, which are read again with the lines; few if the text comes live.
    number
        The number of the last whole line.
    number_taken
        The number of the line of the last part.
    damaged
        The number of the line in which the file is damaged, which `whole` leaves out; None if none is known.
    goes_on
        Whether other lines of the file come before these: how the file is read was said there.
    """

    def __init__(
        self,
        stream: InputStream,
        source: str,
        report: ReadReport,
        encoding: str | None = None,
        any_text: bool = False,
        first: int = 1,
    ) -> None:
        super().__init__(source, report)
        self.goes_on = first > 1
        self.number = 0
        self.damaged: int | None = None
        self._number_read = first - 1  # of the last part
        self.number_taken = 0
        self._at_line_start = True
        self._ahead: deque[tuple[int, str]] = deque()
        self._unread = self._numbered_parts()
        self._bytes = stream.content
        beginning = stream.peek()
        if kind := unreadable(beginning):
            raise RnnlmError(f"{source}: {kind}.")
        self._decoding = Decoding(stream.content, beginning, source, encoding, report.note)
        self._stream = TextIOWrapper(stream, encoding=self._decoding.encoding, errors=self._decoding.errors)
        self.beginning = self._decoding.beginning(beginning)
        if not any_text and (kind := markup(self.beginning)):
            raise RnnlmError(f"{source}: {kind}.")

    def note(self, remark: str) -> None:
        """Report how the file is read, once."""
        if not self.goes_on:
            super().note(remark)

    def guess(self, reading: str, samples: Sequence[str]) -> None:
        """Report in which way the file is read, once."""
        if not self.goes_on:
            super().guess(reading, samples)

    def parts(self) -> Iterator[str]:
        """Yield lines with their line ends, long ones in parts."""
        while self._ahead:
            self.number_taken, part = self._ahead.popleft()
            yield part
        for number, part in self._unread:
            self.number_taken = number
            yield part

    def first_parts(self) -> Iterator[str]:
        """Yield the first parts, read only as they are asked for; `parts` gives them once more."""
        yield from (part for _, part in tuple(self._ahead))
        for numbered in self._unread:
            self._ahead.append(numbered)
            yield numbered[1]

    def _numbered_parts(self) -> Iterator[tuple[int, str]]:
        decoding = self._decoding
        part = self._read()
        while part:
            if self._at_line_start:
                self._number_read += 1
            following = None
            self._at_line_start = part.endswith("\n")
            if not self._at_line_start and self._bytes.damage:
                following = self._read()
                if not following:  # the rest of the line is lost
                    self.damaged = self._number_read
                    break
            if decoding.is_needed or "\0" in part or not part.isascii():
                part = self._mended(part)
            yield self._number_read, part
            part = self._read() if following is None else following
        if self._bytes.damage:
            self._bytes.damage.line = self._whole_lines
        elif rest := decoding.rest():
            yield self._number_read, self.repair(rest, self._number_read, decoding.wrong)

    def grouped(self) -> Iterator[tuple[int, Iterator[str]]]:
        """Yield the number of each line and its parts."""
        return groupby(self.parts(), lambda _: self.number_taken)

    def whole(self) -> Iterator[str]:
        """Yield whole lines, without those that are too long."""
        for number, parts in self.grouped():
            self.number = number
            line, length = [], 0
            for part in parts:
                length += len(part)
                if length <= MAX_RECORD:
                    line.append(part)
            if number == self.damaged:
                return
            if length <= MAX_RECORD:
                yield "".join(line)
            else:
                self.report(f"line{{s}} of more than {MAX_RECORD:,} characters skipped", self.number)

    def texts(self) -> Iterator[str]:
        """Yield lines without their ends, empty ones too, each as soon as it is there.

        Raises `RnnlmError` if a line has more than 16,000,000 characters.
        """
        line, number = "", 1
        for part in self.parts():
            line += part
            if len(line) > MAX_RECORD:
                raise RnnlmError(
                    f"{self.source}: line {number:,} has more than {MAX_RECORD:,} characters; shorten it."
                )
            if part.endswith("\n"):
                yield line.removesuffix("\n")
                line, number = "", number + 1
        if line:
            yield line

    @property
    def is_cut(self) -> bool:
        """Whether the file is damaged after what was read of it."""
        return self._bytes.damage is not None

    @property
    def _whole_lines(self) -> int:
        return self._number_read - (not self._at_line_start)

    def _mended(self, part: str) -> str:
        decoding = self._decoding
        if not decoding.is_needed and "\0" not in part and not has_surrogates(part):
            decoding.utf8_parts += 1
            return part
        return self.repair(decoding.decoded(part, self._number_read), self._number_read, decoding.wrong)

    def _read(self) -> str:
        try:
            return self._stream.readline(PIECE_SIZE)
        except Damage as damage:
            raise damage.after_line(self._whole_lines) from damage


def source_name(name: str) -> str:
    """Return how messages name an input."""
    return "standard input" if name == STDIN else name


@contextmanager
def open_bytes(
    name: str, report: ReadReport, *, keep_damaged: bool = False, span: Span = WHOLE
) -> Iterator[InputStream]:
    """Open the bytes of a file or of standard input (``-``), decompressed, whatever the name says.

    With `keep_damaged` a damaged file ends where it is damaged, which the report says. Of a file that is not
    compressed a part may be read.

    Raises
    ------
    RnnlmError
        If the file cannot be opened; while it is read, if it is damaged.
    """
    with ExitStack() as stack:
        try:
            # Standard input stays open.
            file = sys.stdin.buffer if name == STDIN else stack.enter_context(open(name, "rb"))
        except OSError as error:
            raise RnnlmError(f"{name}: the file cannot be opened ({error.strerror or error}).") from error
        if span != WHOLE:
            file.seek(span.start)
        content = InputBytes(file, source_name(name), keep_damaged, span.stop - span.start)
        yield stack.enter_context(InputStream(content))
        if content.damage:
            report.note(content.damage.left_out())


@contextmanager
def open_text(
    name: str,
    report: ReadReport,
    *,
    encoding: str | None = None,
    keep_damaged: bool = False,
    any_text: bool = False,
) -> Iterator[Lines]:
    """Open the lines of a file: its bytes, as by `open_bytes`, decoded.

    Without an encoding it is recognized. HTML, XML and RTF are refused, unless `any_text` says that they may be
    read too.

    Raises
    ------
    RnnlmError
        If the file cannot be opened or is not text; while it is read, if it is damaged or its encoding is wrong.
    """
    with open_bytes(name, report, keep_damaged=keep_damaged) as stream:
        yield Lines(stream, source_name(name), report, encoding, any_text)


def read_lines(name: str, report: ReadReport, *, encoding: str | None = None) -> Iterator[str]:
    """Yield the lines of any text file; see `open_text` and `Lines.texts`."""
    with open_text(name, report, encoding=encoding, any_text=True) as lines:
        yield from lines.texts()
