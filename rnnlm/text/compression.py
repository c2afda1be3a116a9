"""Compressed files, recognized by their first bytes and decompressed in bounded memory."""

import io
import sys
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from rnnlm.errors import RnnlmError
from rnnlm.text.damage import Damage, Read, TrustedBytes
from rnnlm.text.signatures import is_undecided, packed, unpacked_names, unreadable

SIGNATURES = {
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"]\0\0": "xz",  # the older format, .lzma
    b"]\xff\xff\xff\xff": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([0x50 + number]) + b"\x2a\x4d\x18": "zstd" for number in range(16)},  # frames to be skipped
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # without a file
}
BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")  # what follows BZh and a digit: a block, or the end

XZ_MEMORY_LIMIT = 128 << 20
"""Bytes that decompression of xz may take, twice what ``xz -9`` needs; a header may ask for 4 GB."""

CHUNK = 1 << 14
"""Bytes that are decompressed at a time."""
BUFFER = 1 << 16
"""Bytes that are kept ready, and looked at to recognize a file."""
FAR = 1 << 26
"""Bytes that are read after some that are not text, to see whether the compressed data is damaged."""


def compression_of(beginning: bytes) -> str | None:
    """Return ``gzip``, ``bzip2``, ``xz``, ``zstd`` or ``zip`` by the first bytes of a file; None for others."""
    for signature, name in SIGNATURES.items():
        if beginning.startswith(signature) and (name != "bzip2" or beginning.startswith(BZIP2_BLOCKS, 4)):
            return name
    return None


class PlainBytes:
    """The bytes of a file as they are, at most so many; some at the beginning may have been read."""

    def __init__(self, file: BinaryIO, beginning: bytes = b"", most: int = sys.maxsize) -> None:
        self._position, self._most = 0, most
        self._beginning = beginning
        self._file: Any = file

    def tell(self) -> int:
        """Return how many bytes were given out."""
        return self._position

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        data, self._beginning = self._beginning[:size], self._beginning[size:]
        data = data or self._file.read1(min(size, self._most - self._position))
        self._position += len(data)
        return data


class CompressedBytes:
    """The decompressed bytes of one or more compressed streams, one after the other.

    Reading raises `EOFError` where the file ends early, and the library's error where it is damaged or needs too
    much memory.
    """

    def __init__(self, read: Read, make_decompressor: Callable[[], Any]) -> None:
        self._read = read
        self._make_decompressor = make_decompressor
        self._decompressor = make_decompressor()

    def read(self, size: int) -> bytes:
        """Decompress some bytes."""
        data = b""
        while not data:
            compressed = b""
            if self._decompressor.eof:
                compressed = self._next_stream()
                if not compressed:
                    return b""
                self._decompressor = self._make_decompressor()
            elif self._decompressor.needs_input:
                compressed = self._read(CHUNK)
                if not compressed:
                    raise EOFError("the compressed data ends early")
            data = self._decompressor.decompress(compressed, size)
        return data

    def _next_stream(self) -> bytes:
        """Return the beginning of the stream after the one that has ended; nothing if only zeros follow."""
        beginning: bytes = self._decompressor.unused_data.lstrip(b"\0")
        while not beginning and (compressed := self._read(CHUNK)):
            beginning = compressed.lstrip(b"\0")
        return beginning


class GzipDecompressor:
    """`zlib`'s decompressor of a gzip stream, with the methods of the other libraries' decompressors."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """Whether it needs more data."""
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """The bytes after the end of the stream."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Decompress the data, after what is left of the data before."""
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def _decompressor(compression: str) -> Callable[[], Any]:
    if compression == "gzip":
        return GzipDecompressor
    if compression == "bzip2":
        import bz2

        return bz2.BZ2Decompressor
    if compression == "xz":
        import lzma

        return lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY_LIMIT)
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    # The dumps of Reddit have a window of 2 GB, above the default limit.
    _, largest = zstd.DecompressionParameter.window_log_max.bounds()
    return lambda: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: largest})


def _zipped(file: BinaryIO, source: str) -> Read:
    """Return what reads the only file in a zip archive."""
    import zipfile

    try:
        archive = zipfile.ZipFile(file)
        names = archive.namelist()
        mimetype = _beginning(archive, "mimetype").decode("latin-1") if "mimetype" in names else ""
        if kind := packed(names, mimetype):
            raise RnnlmError(f"{source}: {kind}.")
        texts = [name for name in unpacked_names(names) if not unreadable(_beginning(archive, name))]
        if len(texts) != 1:
            raise RnnlmError(
                f"{source}: this zip archive holds {len(texts):,} files that may be text, not one; unpack it, and"
                " give those to be read."
            )
        member: Any = archive.open(texts[0])
        read: Read = member.read1
        return read
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        reason = str(error).partition("for extraction")[0].strip() or type(error).__name__
        raise RnnlmError(
            f"{source}: this zip archive cannot be read ({reason}); is it complete? If so, unpack it first."
        ) from error


def _beginning(archive: Any, name: str) -> bytes:
    with archive.open(name) as file:
        data: bytes = file.read(512)
        return data


class InputBytes(io.RawIOBase):
    """The bytes of a file, decompressed if it is compressed; else perhaps only so many.

    Attributes
    ----------
    compression
        What `compression_of` returns.
    damage
        The damage at which reading stopped, if any.
    count
        The number of bytes given out.
    """

    def __init__(self, file: BinaryIO, source: str, keep_damaged: bool, most: int = sys.maxsize) -> None:
        self.damage: Damage | None = None
        self.count = 0
        self._source = source
        self._file = file
        self._is_live = not file.seekable()
        self._keep_damaged = keep_damaged
        self._last = self._ahead = b""
        content = PlainBytes(file, most=most)
        self._read: Read = content.read
        self._position = content.tell
        self._ahead = self._first()
        self.compression = compression_of(self._ahead)
        if self.compression is not None:
            self._decompress(self._ahead, self.compression)
            if keep_damaged:
                self._read = TrustedBytes(self._read).read
            self._ahead = self._first()
            if compression_of(self._ahead):
                raise RnnlmError(f"{source}: this is compressed twice; unpack it first.")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at least one byte into the buffer; return how many, 0 at the end of the file.

        Raises
        ------
        Damage
            If the file cannot be read further.
        """
        ahead = self._ahead or self._next(len(buffer))
        data, self._ahead = ahead[: len(buffer)], ahead[len(buffer) :]
        if not data and self.damage and not (self._keep_damaged and self.damage.can_be_left_out):
            raise self.damage
        self._last = data
        self.count += len(data)
        buffer[: len(data)] = data
        return len(data)

    def around(self) -> bytes:
        """Return the bytes read last and those that come next, without waiting for live input."""
        if not self._is_live and not self._ahead:
            self._ahead = self._next(BUFFER)
        return self._last + self._ahead

    def damage_ahead(self) -> Damage | None:
        """Return the damage within the next `FAR` bytes, if any; the bytes before it are lost."""
        for _ in range(FAR // BUFFER):
            if not self._next(BUFFER):
                break
        return self.damage

    def _next(self, size: int) -> bytes:
        """Return the next bytes; none at the end and from the damage on."""
        if self.damage is None:
            try:
                return self._read(size)
            except Exception as error:  # decompressors raise errors of many kinds
                self.damage = Damage(self._source, self._position(), error)
        return b""

    def _first(self) -> bytes:
        """Return the bytes at the beginning; from live input, only as many as show what it is."""
        data = b""
        while len(data) < BUFFER and (more := self._next(BUFFER - len(data))):
            data += more
            if self._is_live and not is_undecided(data, SIGNATURES):
                break
        return data

    def _decompress(self, beginning: bytes, compression: str) -> None:
        self.damage = None
        if compression != "zip":
            content = PlainBytes(self._file, beginning)
            self._read = CompressedBytes(content.read, _decompressor(compression)).read
            self._position = content.tell
        elif self._is_live:
            raise RnnlmError(
                f"{self._source}: a zip archive cannot be read from a pipe; give the name of its file, or what"
                " 'unzip -p FILE' writes."
            )
        else:
            self._read, self._position = _zipped(self._file, self._source), self._file.tell


class InputStream(io.BufferedReader):
    """The decompressed bytes of an input; `peek` shows the next ones and waits for no more than the first."""

    def __init__(self, content: InputBytes) -> None:
        super().__init__(content, BUFFER)
        self.content = content
