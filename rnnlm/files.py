"""Files that are written whole or not at all, recognised again, and read though compressed."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlm.errors import RnnlmError

_CHUNK = 1 << 20


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits; the file is read in chunks."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Have the operating system write a file or directory to the disk; Windows cannot do so for directories."""
    is_directory = path.is_dir()
    if is_directory and os.name == "nt":
        return
    # Windows flushes only what is open for writing; directories cannot be.
    descriptor = os.open(path, os.O_RDONLY if is_directory else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Replace a text file in one go: whoever opens it finds the old text or the new."""
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(text, encoding="utf-8")
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


@contextmanager
def open_lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Open a file to read its lines, decompressed if its name ends in ``.gz``.

    Raises
    ------
    RnnlmError
        If it cannot be opened, or, within the ``with`` block, cannot be read to its end.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield iter(stream)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RnnlmError(f"{path}: the file cannot be read ({reason}); is it there, and complete?") from error
