"""The encoding of one text, found out while the text is read."""

import codecs
from collections.abc import Callable

from rnnlm.errors import RnnlmError
from rnnlm.text.compression import InputBytes
from rnnlm.text.encodings import (
    UNDECODABLE,
    UTF8,
    check_encoding,
    encoding_of,
    is_utf8,
    likely_encoding,
    name_of,
    recognized,
)
from rnnlm.text.signatures import is_binary
from rnnlm.text.tokenizers import LONE_SURROGATES

LEAST_UTF8, LEAST_UTF8_PARTS = 2, 0.01
"""A text of single bytes with more UTF-8 than this, in characters and as a share of its parts, may be UTF-8."""
CONTINUATIONS = bytes(range(0x80, 0xC0))
MOST_UNDECODABLE = 10
"""The most bytes of a text that are not a character; one more is allowed for every million bytes."""


class Decoding:
    """Decodes a text that was decoded as UTF-8 and turns out to be something else.

    All encodings agree about ASCII, except those of two and four bytes a character. So a text is taken for UTF-8
    until other bytes come, and what came before is right in any case. `note` takes a sentence about what was
    recognized.

    Attributes
    ----------
    encoding
        Python's name of the encoding that the text is decoded with at first.
    errors
        The error handler for that; bytes that are not a character become lone surrogates.
    is_needed
        Whether all parts must come to `decoded`, not only those with lone surrogates.
    utf8_parts
        How many parts were UTF-8 and not ASCII; the reader of the parts counts them.
    wrong
        What reports call bytes that are not a character.

    Raises
    ------
    RnnlmError
        If the bytes are not text.
    """

    def __init__(
        self, content: InputBytes, beginning: bytes, source: str, chosen: str | None, note: Callable[[str], None]
    ) -> None:
        self._content = content
        self._source = source
        self._note = note
        self._decoder: codecs.IncrementalDecoder | None = None
        self.utf8_parts = 0
        self._undecodable = 0
        self._parts = self._utf8_parts = self._utf8_characters = 0  # of single bytes; of them, what is UTF-8 too
        self.encoding = self._chosen(chosen, beginning) if chosen else self._first(beginning)
        self.is_needed = self._has_single_bytes = _has_single_bytes(self.encoding)
        self.errors = "surrogateescape" if self.is_needed or self.encoding == UTF8 else UNDECODABLE
        # A byte order mark is a choice too.
        self._is_open = not chosen and self.encoding == UTF8 and not beginning.startswith(codecs.BOM_UTF8)
        self._encoding = self.encoding  # what it turns out to be
        self.wrong = f"byte{{s}} that {{are}} not {name_of(self.encoding)}"
        if self._is_open and not is_utf8(beginning):
            self._recognize(content.around())

    def beginning(self, data: bytes) -> str:
        """Return the characters of the first bytes; the last one may be cut."""
        return codecs.getincrementaldecoder(self._encoding)("replace").decode(data).removeprefix("\ufeff")

    def decoded(self, part: str, line: int) -> str:
        """Return a part of the text as it must be read.

        Raises `RnnlmError` if too many bytes are not a character; the message names the likely encoding.
        """
        if self._is_open and has_surrogates(part):
            # Lines are whole after the first line end; the part is read already.
            self._recognize(_bytes_of(part) + self._content.around().partition(b"\n")[2])
        decoded = self._decoder.decode(_bytes_of(part)) if self._decoder else part
        if self._has_single_bytes and not part.isascii():
            written_as = "utf-8" if self._decoder else self._encoding
            self._compare_with_utf8(part.encode(written_as, "surrogateescape"))
        if has_surrogates(decoded):
            self._undecodable += len(LONE_SURROGATES.findall(decoded))
            most = MOST_UNDECODABLE + self._content.count // 1_000_000
            if self._undecodable > most:
                raise self._error(part, line, most)
        return decoded

    def rest(self) -> str:
        """Return what replaces a character that the end of the text cuts, and note what may be misread."""
        if self._utf8_characters >= LEAST_UTF8 and self._utf8_parts > LEAST_UTF8_PARTS * self._parts:
            is_all = self._utf8_parts == self._parts
            which = "all" if is_all else f"{self._utf8_parts:,} of {self._parts:,}"
            advice = "give `encoding=utf-8`" if is_all else "write all lines in one encoding"
            misread = "é".encode().decode(self._encoding, "replace")
            self._note(
                f"{self._source}: read as {name_of(self._encoding)}, but {which} lines that are not ASCII are"
                f" valid UTF-8, whose é becomes {misread}; {advice} if this is wrong."
            )
        return self._decoder.decode(b"", True) if self._decoder else ""

    def _compare_with_utf8(self, data: bytes) -> None:
        """Count a part if it is UTF-8 as well; the first or last character of the part may be cut."""
        data = data.lstrip(CONTINUATIONS)
        self._parts += 1
        if is_utf8(data):
            beyond = sum(character > "\x7f" for character in data.decode("utf-8", "ignore"))
            self._utf8_parts += beyond > 0
            self._utf8_characters += beyond

    def _chosen(self, name: str, beginning: bytes) -> str:
        codec, found = check_encoding(name), encoding_of(beginning)
        if codec in ("utf-16", "utf-32") or (found and codec.startswith(found)):
            # A mark gives the order of the bytes.
            family = codec[:6]
            codec = found if found and found.startswith(family) else f"{family}-le"
        has_wide_characters = codec.startswith(("utf-16", "utf-32"))
        could_be_both = beginning.isascii() and (b"\0" in beginning or not has_wide_characters)
        # Single bytes are compared as they are read.
        is_comparable = codec == UTF8 or _has_single_bytes(codec)
        if not is_comparable and beginning and is_utf8(beginning) and not could_be_both:
            self._note(
                f"{self._source}: read as {name_of(codec)}, as `encoding` says, although it looks like UTF-8."
            )
        return codec

    def _first(self, beginning: bytes) -> str:
        found = encoding_of(beginning)
        if found is None and is_binary(beginning) and not is_utf8(beginning):
            raise RnnlmError(
                f"{self._source}: these bytes are not text in any usual encoding; give text, or name its encoding"
                " with `encoding=NAME`."
            )
        if found not in (None, UTF8):
            self._say(found)
        return found or UTF8

    def _recognize(self, sample: bytes) -> None:
        """Find the encoding of bytes that are not UTF-8; if no usual one fits, they are damaged UTF-8."""
        self._is_open = False
        encoding = recognized(sample, self.utf8_parts)
        if encoding not in (None, UTF8):
            self._encoding = encoding
            self.wrong = f"byte{{s}} that {{are}} not {name_of(encoding)}"
            self._decoder = codecs.getincrementaldecoder(encoding)(UNDECODABLE)
            self.is_needed = True
            self._has_single_bytes = _has_single_bytes(encoding)
            self._say(encoding)

    def _say(self, encoding: str) -> None:
        self._note(f"{self._source}: read as {name_of(encoding)} (recognized; `encoding=NAME` decides).")

    def _error(self, part: str, line: int, most: int) -> RnnlmError:
        sample = self._content.around()
        is_utf8_broken = self.encoding == UTF8
        likely = likely_encoding(_bytes_of(part) + b"\n" + sample) if is_utf8_broken else recognized(sample)
        if damage := self._content.damage_ahead():
            return damage.after_line(line - 1)
        if is_utf8_broken and recognized(sample, self.utf8_parts) == UTF8:
            other = f"likely {name_of(likely)}" if likely else "damaged or in another encoding"
            advice = (
                f"a part of it is UTF-8 and a part {other}, which no `encoding` reads, so repair it first: write"
                " all lines in one encoding, or drop those bytes"
            )
        elif likely is None or likely == self._encoding:
            advice = "no usual encoding fits them, so give `encoding=NAME` if you know it, else repair it first"
        else:
            advice = f"if it is {name_of(likely)}, give `encoding={name_of(likely)}`, else repair it first"
        return RnnlmError(
            f"{self._source}: more than {most:,} bytes up to line {line:,} are not {name_of(self._encoding)};"
            f" {advice}, as with iconv -c."
        )


def _has_single_bytes(encoding: str) -> bool:
    """Return whether every character is one byte, and those of ASCII are what they are there."""
    try:
        text = bytes(range(256)).decode(encoding, "replace")
    except UnicodeError:  # as of UTF-16 without a mark
        return False
    # With longer characters these bytes make fewer, or no single byte beyond ASCII is one.
    return len(text) == 256 and text[:128].isascii() and text[128:].count("\ufffd") < 128


def has_surrogates(text: str) -> bool:
    """Return whether a text has lone surrogates."""
    try:
        text.encode()  # several times as fast as a search
    except UnicodeEncodeError:
        return True
    return False


def _bytes_of(part: str) -> bytes:
    return part.encode("utf-8", "surrogateescape")
