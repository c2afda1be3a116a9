"""The lines of text files: opened, decompressed, repaired, in bounded memory however long they are."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, cast

from rnnlm.errors import RnnlmError
from rnnlm.text.tokenizers import LONE_SURROGATES

STDIN = "-"

# The most characters of a line that are read at a time.
PIECE_SIZE = 65_536
# The longest line, and the longest CSV row, that is taken whole, in characters.
MAX_RECORD = 16_000_000

# How much of a text a message shows.
SAMPLE_SIZE = 60

# The byte order marks of UTF-16, as invalid bytes are read.
UTF16_MARKS = ("\udcff\udcfe", "\udcfe\udcff")
# How files begin that are taken for text by mistake, as invalid bytes are read.
SIGNATURES = {
    "PK\x03\x04": "a zip archive, as .docx and .epub are",
    "%PDF-": "a PDF document",
    "\udc89PNG": "a PNG picture",
    "\x1f\udc8b": "compressed with gzip, which the name must end in .gz for",
    "\udcd0\udccf\x11": "an old Office document",
}


class ReadReport:
    """Counts what had to be repaired or skipped, with the line of the first case in each file."""

    def __init__(self) -> None:
        self._cases: dict[tuple[str, str], list[int]] = {}
        self._guesses: dict[str, tuple[list[str], Sequence[str]]] = {}

    def guess(self, source: str, reading: str, samples: Sequence[str]) -> None:
        """Note how a file is read, such as ``Reading JSON lines``, and the first texts that this gave."""
        self._guesses.setdefault(reading, ([], samples))[0].append(source)

    def guesses(self) -> list[str]:
        """Return one sentence for each way of reading, with its first texts and files."""
        return [
            f"{reading}: {' '.join(map(_sample, samples)) or 'none'} ({_named(sources)})"
            for reading, (sources, samples) in self._guesses.items()
        ]

    def add(self, source: str, kind: str, line: int, count: int = 1) -> None:
        """Count cases of a kind, such as ``NUL characters removed``."""
        self._cases.setdefault((source, kind), [0, line])[0] += count

    def messages(self) -> list[str]:
        """Return one sentence for each file and kind of case."""
        return [
            f"{source}: {count:,} {kind}, the first in line {line:,}."
            for (source, kind), (count, line) in self._cases.items()
        ]


def _sample(text: str) -> str:
    """Shorten a text to what a message shows of it."""
    words = "".join(c if c.isprintable() else " " for c in text[:SAMPLE_SIZE]).split()
    return f'"{" ".join(words)}{"..." if len(text) > SAMPLE_SIZE else ""}"'


def _named(sources: Sequence[str]) -> str:
    more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
    return f"{sources[0]}{more}"


class Lines:
    """The lines of a text file, numbered, repaired, and never more than a part of a long one in memory."""

    def __init__(self, stream: TextIOWrapper, source: str, report: ReadReport) -> None:
        self.source = source
        self.number = 0  # of the last whole line
        self._number_read = 0  # of the last part
        self.number_taken = 0  # of the last part that `parts` gave
        self._stream = stream
        self._report = report
        self._ahead: deque[tuple[int, str]] = deque()
        self._unread = self._read_parts()

    def parts(self) -> Iterator[str]:
        """Yield lines with their line ends, long ones in parts."""
        while self._ahead:
            self.number_taken, part = self._ahead.popleft()
            yield part
        for self.number_taken, part in self._unread:
            yield part

    def beginning(self) -> Iterator[str]:
        """Yield the first parts, read only as they are asked for; `parts` gives them once more."""
        yield from (part for _, part in tuple(self._ahead))
        for numbered in self._unread:
            self._ahead.append(numbered)
            yield numbered[1]

    def _read_parts(self) -> Iterator[tuple[int, str]]:
        at_line_start = True
        while part := self._read():
            if at_line_start:
                self._number_read += 1
                if self._number_read == 1:
                    self._refuse_what_is_no_text(part)
            at_line_start = part.endswith("\n")
            yield self._number_read, self.repair(
                part, self._number_read, "bytes that are not UTF-8 (perhaps Latin-1)"
            )

    def _refuse_what_is_no_text(self, beginning: str) -> None:
        if beginning.startswith(UTF16_MARKS):
            raise RnnlmError(f"{self.source}: this is UTF-16 text; convert it to UTF-8 first.")
        for signature, kind in SIGNATURES.items():
            if beginning.startswith(signature):
                raise RnnlmError(f"{self.source}: this is {kind}; give plain text.")

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
            if length <= MAX_RECORD:
                yield "".join(line)
            else:
                self.report(f"lines of more than {MAX_RECORD:,} characters skipped", self.number)

    def repair(self, text: str, line: int, surrogates: str) -> str:
        """Remove NUL characters, and replace lone surrogates; `surrogates` says what these are here."""
        if "\0" in text:
            self.report("NUL characters removed", line, text.count("\0"))
            text = text.replace("\0", "")
        if not text.isascii():
            text, count = LONE_SURROGATES.subn("\ufffd", text)
            if count:
                self.report(f"{surrogates} replaced by U+FFFD", line, count)
        return text

    def report(self, kind: str, line: int, count: int = 1) -> None:
        """Report what is left out or looks wrong."""
        self._report.add(self.source, kind, line, count)

    def _read(self) -> str:
        try:
            return self._stream.readline(PIECE_SIZE)
        except Exception as error:  # decompressors raise errors of many kinds
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            advice = "is the file complete?"
            if "memory" in reason.lower():
                advice = "compress the file again with a smaller dictionary, as with level 9 or less."
            raise RnnlmError(
                f"{self.source}: reading stopped after line {self._number_read:,} ({reason}); {advice}"
            ) from error


def source_name(name: str) -> str:
    """Return how messages name an input."""
    return "standard input" if name == STDIN else name


@contextmanager
def open_text(name: str, report: ReadReport) -> Iterator[Lines]:
    """Open the lines of a file, decompressed by its name, or of standard input.

    Parameters
    ----------
    name
        The file, or ``-``.
    report
        Gathers what is repaired or left out.

    Raises
    ------
    RnnlmError
        If the file cannot be opened.
    """
    try:
        # What is not UTF-8 becomes lone surrogates.
        stream = TextIOWrapper(_open_binary(name), encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise RnnlmError(f"{name}: the file cannot be opened ({error.strerror or error}).") from error
    try:
        yield Lines(stream, source_name(name), report)
    finally:
        if name == STDIN:
            stream.detach()  # standard input is not ours to close
        else:
            stream.close()


def read_lines(name: str, report: ReadReport) -> Iterator[str]:
    """Yield the lines of a text file without their ends, empty ones too, each as soon as it is there.

    They are repaired as in `read_documents`.

    Parameters
    ----------
    name
        The file, or ``-`` for standard input.
    report
        Gathers what was repaired.

    Raises
    ------
    RnnlmError
        If the file cannot be read, or a line has more than 16,000,000 characters.
    """
    with open_text(name, report) as lines:
        line, number = "", 1
        for part in lines.parts():
            line += part
            if len(line) > MAX_RECORD:
                raise RnnlmError(
                    f"{lines.source}: line {number:,} has more than {MAX_RECORD:,} characters; shorten it."
                )
            if part.endswith("\n"):
                yield line.removesuffix("\n")
                line, number = "", number + 1
        if line:
            yield line


def _open_binary(name: str) -> BinaryIO:
    compression = Path(name).suffix.lower()
    if name == STDIN:
        return sys.stdin.buffer
    if compression == ".gz":
        import gzip

        return cast(BinaryIO, gzip.open(name))
    if compression == ".bz2":
        import bz2

        return cast(BinaryIO, bz2.open(name))
    if compression == ".xz":
        from rnnlm.text.xz import XzFile

        return BufferedReader(XzFile(open(name, "rb")))
    if compression == ".zst":
        try:
            import zstandard
        except ImportError as error:
            raise RnnlmError(f"{name}: .zst needs the package zstandard; run: pip install zstandard.") from error
        return cast(BinaryIO, zstandard.open(name))
    return open(name, "rb")
