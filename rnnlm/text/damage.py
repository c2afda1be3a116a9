"""Files that cannot be read to their end."""

import re
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from rnnlm.errors import RnnlmError

CHARACTERS_OF_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1f]")


class Damage(RnnlmError):
    """A file cannot be read to its end: the decompressor or the system raised an error after so many of its bytes.

    `line` says how many lines were read before it; None if they are not counted.
    """

    def __init__(self, source: str, position: int, error: Exception) -> None:
        self.source = source
        self.reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        self.line: int | None = None
        # Damage is noticed late; only an early end is where it seems to be.
        self._is_at_end = isinstance(error, EOFError)
        self.place = f"{'at' if self._is_at_end else 'at or before'} byte {position:,}"
        # Too little memory is not damage.
        self.can_be_left_out = "memory" not in self.reason.lower()
        super().__init__(self._sentence(self.place))

    def after_line(self, number: int) -> RnnlmError:
        """Return the error of a file of lines after this many."""
        return RnnlmError(self._sentence(f"after line {number:,}, {self.place}" if number else self.place))

    def left_out(self) -> str:
        """Return the note on a file that is read up to the damage."""
        lines = f"line {self.line:,}" if self.line else "that"
        doubts = "" if self._is_at_end else ", and some before it may be wrong"
        return (
            f"{self.source}: damaged {self.place} ({self.reason}); what comes after {lines} is left out{doubts}."
        )

    def _sentence(self, where: str) -> str:
        if self.can_be_left_out:
            advice = "is the file complete? `keep_damaged` keeps what comes before"
        else:
            advice = "compress the file again with a smaller dictionary, as with level 9 or less"
        return f"{self.source}: reading stopped {where} ({self.reason}); {advice}."


Read: TypeAlias = Callable[[int], bytes]
"""Returns the next bytes as soon as there are some, about so many; none at the end."""


class TrustedBytes:
    """Decompressed bytes before damage, without those shortly before it that are not text.

    A decompressor notices damage late, and its output until then is mostly not text. So some bytes are held back,
    and when the damage comes, only those before the first that is not UTF-8 are given out. Nothing is lost where a
    file ends early.
    """

    HELD_BACK = 1 << 21  # the longest that xz decompresses without a check

    def __init__(self, read: Read) -> None:
        self._read = read
        self._held: deque[bytes] = deque()
        self._length = 0
        self._error: Exception | None = None
        self._at_end = False

    def read(self, size: int) -> bytes:
        """Return the next bytes; after the last, raise the error of what follows, if there was one."""
        while self._length <= self.HELD_BACK and not self._at_end:
            self._hold(size)
        if self._held:
            data = self._held.popleft()
            self._length -= len(data)
            return data
        if self._error:
            raise self._error
        return b""

    def _hold(self, size: int) -> None:
        try:
            data = self._read(size)
        except Exception as error:  # decompressors raise errors of many kinds
            self._error = error
            self._at_end = True
            if not isinstance(error, EOFError):
                self._held = deque([_text_of(b"".join(self._held))])
            return
        self._at_end = not data
        self._held.append(data)
        self._length += len(data)


def _text_of(data: bytes) -> bytes:
    """Return the bytes before the first that are not text in UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        data = data[: error.start]
    found = CHARACTERS_OF_NO_TEXT.search(data)
    return data[: found.start()] if found else data
