"""Decompression bombs and endless lines are read in bounded memory."""

import bz2
import gzip
import lzma
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")

# The limits are scaled down, so that texts of some megabytes tell.
READ = """
import sys
from rnnlm.text import csv_rows, documents, json_stream, lines, readers
from rnnlm.text.report import ReadReport

def peak():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])

for module in (lines, csv_rows, json_stream):
    module.MAX_RECORD = 1 << 16
for module in (lines, documents):
    module.PIECE_SIZE = 1 << 12
report = ReadReport()
pieces = readers.read_documents(sys.argv[1:2], readers.ReaderSettings(documents=sys.argv[2]), report)
print(len(next(pieces).text))
before = peak()
last = None
for last in pieces:
    assert len(last.text) <= lines.PIECE_SIZE
print(last.text)
print(*report.messages())
print(peak() - before, file=sys.stderr)
"""


def growth(file: Path, documents: str = "line") -> tuple[int, str]:
    """Read a file in another process; return by how many kibibytes its peak grew, and what it found."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(file), documents], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr), done.stdout


LINE = b"word " * (1 << 16)  # a third of a megabyte, without its end
CONTENTS = {
    "txt": (b"first\n", b"\nlast\n"),
    "csv": (b'body\nfirst\n"', b'"\n"last"\n'),
    "jsonl": (b'{"body": "first"}\n{"body": "', b'"}\n{"body": "last"}\n'),
}


def write(file: Path, opened: Any, begin: bytes, end: bytes, middle: bytes, megabytes: int) -> Path:
    with opened(file, "wb") as stream:
        stream.write(begin)
        for _ in range((megabytes << 20) // len(middle)):
            stream.write(middle)
        stream.write(end)
    return file


@pytest.mark.parametrize("kind", CONTENTS)
def test_an_endless_line(tmp_path, kind):
    file = write(tmp_path / f"a.{kind}", open, *CONTENTS[kind], LINE, 20)
    kibibytes, found = growth(file)
    assert kibibytes < 5_000
    assert found.splitlines()[:2] == ["5", "last"]
    assert kind == "txt" or "1 line of more than 65,536 characters skipped, the first in line" in found


def test_an_endless_csv_row(tmp_path):
    file = write(tmp_path / "a.csv", open, *CONTENTS["csv"], b'","\n' * (1 << 16), 2)
    kibibytes, found = growth(file)
    assert kibibytes < 8_000
    assert found.splitlines()[1] == "last"
    assert "2 fields in which a quotation mark comes first and none closes it, the first in line 3" in found


def test_an_endless_paragraph_and_file(tmp_path):
    file = write(tmp_path / "a.txt", open, b"first\n", b"\nlast\n", LINE, 20)
    for documents in ("paragraph", "file"):
        kibibytes, found = growth(file, documents)
        assert kibibytes < 5_000
        assert found.split()[-1] == "last"


@contextmanager
def open_zip(file: Path, mode: Any) -> Iterator[Any]:
    with zipfile.ZipFile(file, mode[0], zipfile.ZIP_DEFLATED) as archive, archive.open("a.txt", "w") as stream:
        yield stream


OPENERS: dict[str, Callable[..., Any]] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
    "zst": zstd.open,
    "zip": open_zip,
}


@pytest.mark.parametrize("suffix", OPENERS)
def test_a_bomb(tmp_path, suffix):
    file = write(tmp_path / f"a.txt.{suffix}", OPENERS[suffix], *CONTENTS["txt"], bytes(1 << 20), 30)
    assert file.stat().st_size < 100_000
    kibibytes, found = growth(file)
    assert kibibytes < 16_000
    assert found.splitlines()[1] == "last"
    assert "31,457,280 NUL characters removed, the first in line 2" in found


def asking_for_4_gigabytes(xz: bytes) -> bytes:
    """Change the size of the dictionary in the header of the first block, and the header's checksum."""
    assert xz[14] == lzma.FILTER_LZMA2
    end = 12 + 4 * xz[12]
    header = xz[12:16] + b"\x28" + xz[17:end]
    return xz[:12] + header + zlib.crc32(header).to_bytes(4, "little") + xz[end + 4 :]


ALONE = lzma.compress(b"first\nlast\n", lzma.FORMAT_ALONE)


@pytest.mark.parametrize(
    ("content", "before"),
    [
        (asking_for_4_gigabytes(lzma.compress(b"last\n")), ""),
        (lzma.compress(b"first\n") + asking_for_4_gigabytes(lzma.compress(b"last\n")), "after line 1, "),
        (ALONE[:1] + b"\xff\xff\xff\xff" + ALONE[5:], ""),
    ],
    ids=["one", "the second of two streams", "the older format"],
)
def test_a_dictionary_that_takes_gigabytes_is_refused(tmp_path, content, before):
    (tmp_path / "a.txt.xz").write_bytes(content)
    message = (
        rf"a\.txt\.xz: reading stopped {before}at or before byte \d+ \(Memory usage limit exceeded\); compress"
    )
    with pytest.raises(RnnlmError, match=message):
        list(read_documents([str(tmp_path / "a.txt.xz")], ReaderSettings(), ReadReport()))


@pytest.mark.parametrize("kind", ["late Latin-1", "UTF-16"])
def test_encodings_of_large_files(tmp_path, kind):
    text = LINE.decode() + "caf\xe9"
    middle = text.encode("latin-1" if kind == "late Latin-1" else "utf-16-le")
    begin, end = (b"first\n", b"\nlast\n") if kind == "late Latin-1" else ("first\n".encode("utf-16"), b"\n\0")
    kibibytes, found = growth(write(tmp_path / "a.txt", open, begin, end, middle, 20))
    assert kibibytes < 16_000
    assert ": read as " in found


def test_a_window_of_two_gigabytes_takes_no_more_than_what_is_in_the_file(tmp_path):
    """As Reddit's dumps are compressed, with zstd --long=31."""
    options = {zstd.CompressionParameter.window_log: 31, zstd.CompressionParameter.compression_level: 1}
    file = tmp_path / "RC_2026-01.zst"
    with zstd.open(file, "wb", options=options) as stream:
        stream.write(b"first\n" + b"a line\n" * 1_000_000 + b"last\n")
    kibibytes, found = growth(file)
    assert kibibytes < 16_000
    assert found.splitlines()[:2] == ["5", "last"]
