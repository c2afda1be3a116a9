"""The lines of text files: opened, decompressed, decoded, repaired, in bounded memory however long they are."""

import codecs
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from itertools import groupby

from rnnlm.errors import RnnlmError
from rnnlm.text.compression import InputBytes, InputStream
from rnnlm.text.damage import Damage
from rnnlm.text.encodings import (
    UNDECODABLE,
    UTF8,
    check_encoding,
    encoding_of,
    likely_encoding,
    name_of,
    recognized,
)
from rnnlm.text.signatures import is_binary, markup, unreadable
from rnnlm.text.tokenizers import LONE_SURROGATES

STDIN = "-"

# The most characters of a line that are read at a time.
PIECE_SIZE = 65_536
# The longest line, and the longest CSV row, that is taken whole, in characters.
MAX_RECORD = 16_000_000

# A file may have so many bytes that are no character, and one more for every million of bytes.
MOST_UNDECODABLE = 10
# How much of a text a message shows.
SAMPLE_SIZE = 60


class ReadReport:
    """Says how files were read, and counts what had to be repaired or skipped, with the line of the first case."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
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

    def note(self, sentence: str) -> None:
        """Keep a sentence about how a file is read, once."""
        self._notes[sentence] = None

    def add(self, source: str, kind: str, line: int, count: int = 1) -> None:
        """Count cases of a kind, such as ``NUL character{s} that {are} removed``."""
        self._cases.setdefault((source, kind), [0, line])[0] += count

    def messages(self) -> list[str]:
        """Return the sentences, and one for each file and kind of case."""
        return [
            *self._notes,
            *(
                f"{source}: {counted(count, kind)}, the first in line {line:,}."
                for (source, kind), (count, line) in self._cases.items()
            ),
        ]


def counted(count: int, kind: str) -> str:
    """Return a number and what it counts, which has ``{s}``, ``{are}`` and ``{a}`` where it differs for one."""
    s, are, a = ("", "is", "a ") if count == 1 else ("s", "are", "")
    return f"{count:,} {kind.replace('{s}', s).replace('{are}', are).replace('{a}', a)}"


def _sample(text: str) -> str:
    """Shorten a text to what a message shows of it."""
    words = "".join(c if c.isprintable() else " " for c in text[:SAMPLE_SIZE]).split()
    return f'"{" ".join(words)}{"..." if len(text) > SAMPLE_SIZE else ""}"'


def _named(sources: Sequence[str]) -> str:
    more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
    return f"{sources[0]}{more}"


class Source:
    """What documents are read from, whose repairs go to a report.

    Attributes
    ----------
    source
        How messages name it.
    """

    def __init__(self, source: str, report: ReadReport) -> None:
        self.source = source
        self._report = report

    def repair(self, text: str, line: int, surrogates: str) -> str:
        """Remove NUL characters, and replace lone surrogates; `surrogates` says what these are here."""
        if "\0" in text:
            self.report("NUL character{s} removed", line, text.count("\0"))
            text = text.replace("\0", "")
        if not text.isascii():
            text, count = LONE_SURROGATES.subn("\ufffd", text)
            if count:
                self.report(f"{surrogates} replaced by U+FFFD", line, count)
        return text

    def report(self, kind: str, line: int, count: int = 1) -> None:
        """Report what is left out or looks wrong."""
        self._report.add(self.source, kind, line, count)


class Lines(Source):
    """The lines of a text file, numbered, repaired, and never more than a part of a long one in memory.

    Attributes
    ----------
    beginning
        The first characters, which are read again with the lines; of what comes live, perhaps only some.
    number
        Of the last whole line.
    number_taken
        Of the line of the last part.
    damaged
        The number of the line in which the file is damaged, which `whole` leaves out; None so far.
    """

    def __init__(
        self,
        stream: InputStream,
        source: str,
        report: ReadReport,
        encoding: str | None = None,
        any_text: bool = False,
    ) -> None:
        super().__init__(source, report)
        self.number = 0
        self.damaged: int | None = None
        self._number_read = 0  # of the last part
        self.number_taken = 0
        self._at_line_start = True
        self._ahead: deque[tuple[int, str]] = deque()
        self._unread = self._numbered_parts()
        self._bytes = stream.content
        # Set once bytes have been read that are not UTF-8, and what they are is recognized.
        self._decoder: codecs.IncrementalDecoder | None = None
        self._utf8_parts = 0
        self._undecodable = 0
        beginning = stream.peek()
        if kind := unreadable(beginning):
            raise RnnlmError(f"{source}: {kind}.")
        self._encoding = self._first_encoding(beginning, encoding)
        # Whether the encoding may turn out to be another; a mark is a choice as well.
        self._is_open = encoding is None and self._encoding == UTF8 and not beginning.startswith(codecs.BOM_UTF8)
        errors = "surrogateescape" if self._encoding == UTF8 else UNDECODABLE
        self._stream = TextIOWrapper(stream, encoding=self._encoding, errors=errors)
        if self._is_open and not _is_utf8(beginning):
            self._recognize(beginning)
        self.beginning = codecs.getincrementaldecoder(self._encoding)("replace").decode(beginning).lstrip("\ufeff")
        if not any_text and (kind := markup(self.beginning)):
            raise RnnlmError(f"{source}: {kind}.")

    def parts(self) -> Iterator[str]:
        """Yield lines with their line ends, long ones in parts."""
        while numbered := self._ahead.popleft() if self._ahead else next(self._unread, None):
            self.number_taken, part = numbered
            yield part

    def first_parts(self) -> Iterator[str]:
        """Yield the first parts, read only as they are asked for; `parts` gives them once more."""
        yield from (part for _, part in tuple(self._ahead))
        for numbered in self._unread:
            self._ahead.append(numbered)
            yield numbered[1]

    def _numbered_parts(self) -> Iterator[tuple[int, str]]:
        part = self._read()
        while part:
            if self._at_line_start:
                self._number_read += 1
            self._at_line_start = part.endswith("\n")
            # Of a line that is cut by damage the last part is left out.
            following = None if self._at_line_start or not self._bytes.damage else self._read()
            if following == "":
                self.damaged = self._number_read
                break
            if self._decoder or "\0" in part or not part.isascii():
                part = self._mended(part)
            yield self._number_read, part
            part = self._read() if following is None else following
        if self._bytes.damage:
            self._bytes.damage.line = self._whole_lines
        elif self._decoder and (rest := self._decoder.decode(b"", True)):
            yield self._number_read, self._repaired(rest)

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

        Raises
        ------
        RnnlmError
            If a line has more than 16,000,000 characters.
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
    def _whole_lines(self) -> int:
        return self._number_read - (not self._at_line_start)

    def _read(self) -> str:
        try:
            return self._stream.readline(PIECE_SIZE)
        except Damage as damage:
            raise damage.after_line(self._whole_lines) from damage

    def _mended(self, part: str) -> str:
        """Decode a part that is not UTF-8, and repair it."""
        if self._is_open and not part.isascii():
            if LONE_SURROGATES.search(part):
                # Lines are whole after the first line end; the part is read already.
                self._recognize(_bytes_of(part) + self._bytes.around().partition(b"\n")[2])
            else:
                self._utf8_parts += 1
        if self._decoder:
            part = self._decoder.decode(_bytes_of(part))
        return self._repaired(part)

    def _repaired(self, part: str) -> str:
        wrong = 0 if part.isascii() else len(LONE_SURROGATES.findall(part))
        if wrong:
            self._undecodable += wrong
            most = MOST_UNDECODABLE + self._bytes.count // 1_000_000
            if self._undecodable > most:
                raise self._wrong_encoding(part, most)
        return self.repair(part, self._number_read, f"byte{{s}} that {{are}} not {name_of(self._encoding)}")

    def _wrong_encoding(self, part: str, most: int) -> RnnlmError:
        likely = likely_encoding(self._bytes.around())
        if damage := self._bytes.damage_ahead():
            return damage.after_line(self._whole_lines)
        if likely is None or likely == self._encoding:
            advice = "give --encoding NAME if you know what it is"
        else:
            advice = f"if it is {name_of(likely)}, give --encoding {name_of(likely)}"
        return RnnlmError(
            f"{self.source}: more than {most:,} bytes up to line {self._number_read:,} are not"
            f" {name_of(self._encoding)}; {advice}, else repair it first, as with iconv -c."
        )

    def _first_encoding(self, beginning: bytes, chosen: str | None) -> str:
        """Return what is chosen or can be told by the beginning; else UTF-8, until other bytes come."""
        found = encoding_of(beginning)
        if chosen is not None:
            codec = check_encoding(chosen)
            if codec in ("utf-16", "utf-32") or (found and codec.startswith(found)):
                # The order of bytes is that of the mark if there is one.
                return found if found and found.startswith(codec[:6]) else f"{codec[:6]}-le"
            return codec
        if found is None and is_binary(beginning) and not _is_utf8(beginning):
            raise RnnlmError(
                f"{self.source}: these bytes are no text in any usual encoding; give text, or its encoding with"
                " --encoding NAME."
            )
        if found not in (None, UTF8):
            self._note(found)
        return found or UTF8

    def _recognize(self, sample: bytes) -> None:
        """Find out what bytes are that are not UTF-8; if it is nothing usual, they are damaged UTF-8."""
        self._is_open = False
        encoding = recognized(sample, self._utf8_parts)
        if encoding not in (None, UTF8):
            self._encoding = encoding
            self._decoder = codecs.getincrementaldecoder(encoding)(UNDECODABLE)
            self._note(encoding)

    def _note(self, encoding: str) -> None:
        self._report.note(f"{self.source}: read as {name_of(encoding)} (recognized; --encoding NAME decides).")


def source_name(name: str) -> str:
    """Return how messages name an input."""
    return "standard input" if name == STDIN else name


@contextmanager
def open_bytes(name: str, report: ReadReport, *, keep_damaged: bool = False) -> Iterator[InputStream]:
    """Open the bytes of a file or of standard input, decompressed, whatever the name says.

    Parameters
    ----------
    name
        The file, or ``-``.
    report
        Gets what is left out.
    keep_damaged
        Whether to end the file where it is damaged, instead of raising an error.

    Raises
    ------
    RnnlmError
        If the file cannot be opened; while it is read, if it is damaged.
    """
    with ExitStack() as stack:
        try:
            # Standard input is not ours to close.
            file = sys.stdin.buffer if name == STDIN else stack.enter_context(open(name, "rb"))
        except OSError as error:
            raise RnnlmError(f"{name}: the file cannot be opened ({error.strerror or error}).") from error
        content = InputBytes(file, source_name(name), keep_damaged)
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
    """Open the lines of a file or of standard input, decompressed and decoded, whatever the name says.

    Parameters
    ----------
    name
        The file, or ``-``.
    report
        Gathers how it is read, and what is repaired or left out.
    encoding
        How characters are written; None to recognize it.
    keep_damaged
        Whether to end the file where its compressed data is damaged, instead of raising an error.
    any_text
        Whether to read HTML, XML and RTF too, which are refused else.

    Raises
    ------
    RnnlmError
        If the file cannot be opened or is no text; while it is read, if it is damaged or its encoding is wrong.
    """
    with open_bytes(name, report, keep_damaged=keep_damaged) as stream:
        yield Lines(stream, source_name(name), report, encoding, any_text)


def read_lines(name: str, report: ReadReport, *, encoding: str | None = None) -> Iterator[str]:
    """Yield the lines of a text file without their ends, empty ones too, each as soon as it is there.

    They are repaired as in `read_documents`.

    Parameters
    ----------
    name
        The file, or ``-`` for standard input.
    report
        Gathers how it is read, and what was repaired.
    encoding
        How characters are written; None to recognize it.

    Raises
    ------
    RnnlmError
        If the file cannot be read, or a line has more than 16,000,000 characters.
    """
    with open_text(name, report, encoding=encoding, any_text=True) as lines:
        yield from lines.texts()


def _bytes_of(part: str) -> bytes:
    return part.encode("utf-8", "surrogateescape")


def _is_utf8(beginning: bytes) -> bool:
    try:
        codecs.utf_8_decode(beginning, "strict", False)
    except UnicodeDecodeError:
        return False
    return True
