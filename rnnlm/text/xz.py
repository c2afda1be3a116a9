"""Reading ``.xz`` files whose header may ask for any amount of memory."""

import io
import lzma
from typing import Any, BinaryIO

MEMORY_LIMIT = 128 << 20
"""Bytes that decompression may take, twice what ``xz -9`` needs; a header may ask for 4 GB."""

CHUNK = 1 << 16
STREAM_PADDING = b"\0"


class XzFile(io.RawIOBase):
    """The decompressed bytes of a file, as of `lzma.LZMAFile`, which takes what memory a file asks for.

    Reading raises `EOFError` where the file ends early, and `lzma.LZMAError` where it is damaged or needs more
    memory than `MEMORY_LIMIT`.

    Parameters
    ----------
    file
        One or more compressed streams, one after the other; closed with this one.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = _decompressor()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Decompress at least one byte into the buffer; return how many, 0 at the end of the file."""
        data = b""
        while not data:
            compressed = b""
            if self._decompressor.eof:
                compressed = self._next_stream()
                if not compressed:
                    return 0
                self._decompressor = _decompressor()
            elif self._decompressor.needs_input:
                compressed = self._file.read(CHUNK)
                if not compressed:
                    raise EOFError("the compressed data ends early")
            data = self._decompressor.decompress(compressed, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _next_stream(self) -> bytes:
        """Return the begin of the stream after the one that has ended; nothing if there is none."""
        begin = self._decompressor.unused_data.lstrip(STREAM_PADDING)
        while not begin and (compressed := self._file.read(CHUNK)):
            begin = compressed.lstrip(STREAM_PADDING)
        return begin


def _decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(memlimit=MEMORY_LIMIT)
