import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.compression import compression_of
from rnnlm.text.lines import STDIN, open_bytes, open_text, read_lines
from rnnlm.text.report import ReadReport

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def zipped(content: bytes, others: dict[str, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"comments": content, **(others or {})}.items():
            archive.writestr(name, data)
    return file.getvalue()


STREAMS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
COMPRESSIONS = {**STREAMS, "zip": zipped}
RANDOM = random.Random(0)
TEXT = "".join(f"line {RANDOM.getrandbits(40)} of the text\n" for number in range(30_000))


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def read(name: str, report: ReadReport | None = None, **options: bool) -> str:
    with open_text(name, report or ReadReport(), **options) as lines:
        return "".join(lines.parts())


@pytest.fixture(params=COMPRESSIONS)
def compression(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STREAMS)
def stream(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    "name", ["comments", "comments.txt", "comments.csv.gz", "RC_2015-01.bz2", "a.zst", "a.xz"]
)
def test_what_is_compressed_is_told_by_its_bytes(tmp_path: Path, compression: str, name: str) -> None:
    content = COMPRESSIONS[compression](TEXT.encode())
    assert compression_of(content) == compression
    assert read(write(tmp_path / name, content)) == TEXT


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst", "zip"])
def test_a_plain_file_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    for text in ("", "B", "BZh", "BZh9 is a name\n", "PK\n", TEXT):
        assert read(write(tmp_path / f"a.{suffix}", text.encode())) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=200))
def test_any_text_reads_back_under_a_wrong_name(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.mktemp("round")
    for name, compress in COMPRESSIONS.items():
        file = write(directory / f"{name}.gz", compress(text.encode()))
        with open_text(file, ReadReport(), encoding="utf-8", any_text=True) as lines:
            assert "".join(lines.parts()) == text.removeprefix("\ufeff")


def test_streams_one_after_the_other(tmp_path: Path, stream: str) -> None:
    compress = STREAMS[stream]
    middle = b"".join(compress(b"line %d\n" % number) for number in range(2_000))
    content = compress(b"first\n") + middle + compress(b"") + bytes(40_000) + compress(b"last\n") + bytes(70_000)
    read_text = read(write(tmp_path / "a", content))
    assert read_text.splitlines() == ["first", *(f"line {number}" for number in range(2_000)), "last"]


def test_frames_to_be_skipped(tmp_path: Path) -> None:
    frame = bytes.fromhex("5d2a4d18") + (5).to_bytes(4, "little") + b"notes"
    content = frame + zstd.compress(b"one\n") + frame + frame + zstd.compress(b"two\n") + frame
    assert read(write(tmp_path / "a", content)) == "one\ntwo\n"
    assert read(write(tmp_path / "b", frame)) == ""


def test_the_older_format_of_xz(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.lzma", lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE, preset=0))) == TEXT


def test_more_zeros_than_fit_into_memory_at_once(tmp_path: Path) -> None:
    words = " ".join(map(str, range(100_000)))
    streams = [lzma.compress(words.encode(), preset=9), bytes(4), lzma.compress(b"\n"), lzma.compress(b"last\n")]
    assert read(write(tmp_path / "a.txt.xz", b"".join(streams) + bytes(70_000))) == f"{words}\nlast\n"


def test_compressed_twice_is_refused(tmp_path: Path, compression: str) -> None:
    file = write(tmp_path / "a.txt.gz", COMPRESSIONS[compression](gzip.compress(b"text")))
    with pytest.raises(RnnlmError, match=r"a\.txt\.gz: this is compressed twice; unpack it first"):
        read(file)


def test_a_tar_archive_in_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text\n")
    archive = tmp_path / "a.txt.gz"
    subprocess.run(["tar", "-czf", archive, "-C", tmp_path, "a.txt"], check=True)
    with pytest.raises(RnnlmError, match=r"a\.txt\.gz: this is a tar archive; unpack it first\."):
        read(str(archive))


# Pipes


class Pipe:
    """A pipe to write into, and a name of its other end."""

    def __init__(self) -> None:
        self.end, self.input = os.pipe()
        self.name = f"/dev/fd/{self.end}"

    def write(self, content: bytes) -> None:
        os.write(self.input, content)

    def close(self) -> None:
        for descriptor in (self.input, self.end):
            os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


needs_descriptors = pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_named_pipes(tmp_path: Path, stream: str) -> None:
    name = tmp_path / "fifo"
    os.mkfifo(name)
    for content in (STREAMS[stream](TEXT.encode()), TEXT.encode()):
        writer = threading.Thread(target=name.write_bytes, args=(content,))
        writer.start()
        assert read(str(name)) == TEXT
        writer.join()


def test_standard_input(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(STREAMS[stream](TEXT.encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read(STDIN) == TEXT
    assert not stdin.buffer.closed


def test_a_process_reads_what_is_compressed_from_a_pipe(stream: str) -> None:
    code = "from rnnlm.text.lines import *; print(sum(1 for _ in read_lines('-', ReadReport())))"
    content = STREAMS[stream](TEXT.encode())
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert done.stdout.split() == [b"30000"]


@needs_descriptors
def test_a_line_is_read_before_the_next_is_written(pipe: Pipe) -> None:
    pipe.write(b"B\n")
    lines = read_lines(pipe.name, ReadReport())
    assert next(lines) == "B"
    pipe.write(b"caf\xe9\n")
    assert next(lines) == "café"
    pipe.write(b"second\n")
    assert next(lines) == "second"


@needs_descriptors
def test_compressed_lines_come_as_soon_as_they_are_there(pipe: Pipe) -> None:
    for begin in (b"\x1f", b"\x8b"):  # the first bytes alone do not tell
        pipe.write(begin)
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    compressed = compressor.compress(b"one\ntwo\n") + compressor.flush(zlib.Z_SYNC_FLUSH)
    pipe.write(compressed[2:])
    lines = read_lines(pipe.name, ReadReport())
    assert [next(lines), next(lines)] == ["one", "two"]


@needs_descriptors
def test_bytes_can_be_looked_at_before_they_are_read(pipe: Pipe, tmp_path: Path) -> None:
    pipe.write(b"PA")
    threading.Timer(0.05, pipe.write, [b"R1 and more"]).start()
    with open_bytes(pipe.name, ReadReport()) as stream:
        assert stream.peek().startswith(b"PAR1")
        assert stream.read1(4) == b"PAR1"
    with open_bytes(write(tmp_path / "a", bz2.compress(b"{}" * 50_000)), ReadReport()) as stream:
        assert (stream.content.compression, stream.peek()[:4], len(stream.peek())) == ("bzip2", b"{}{}", 1 << 16)
        assert stream.read() == b"{}" * 50_000


# Archives


def test_an_archive_of_one_text(tmp_path: Path) -> None:
    pictures = {"a.png": b"\x89PNG\r\n\x1a\n", "b.jpg": b"\xff\xd8\xff\xe0", "__MACOSX/._comments": b"\0"}
    folders = {"folder/": b"", "folder/.DS_Store": b"\0\0\0\1Bud1"}
    assert read(write(tmp_path / "export", zipped(TEXT.encode(), pictures | folders))) == TEXT


@pytest.mark.parametrize(("others", "count"), [({"a": b"a"}, 2), ({str(i): b"x" for i in range(1500)}, "1,501")])
def test_an_archive_of_several_texts_is_refused(tmp_path: Path, others: dict[str, bytes], count: object) -> None:
    file = write(tmp_path / "a.txt", zipped(b"text", others))
    with pytest.raises(
        RnnlmError, match=rf"a\.txt: this zip archive holds {count} files that may be text, not one;"
    ):
        read(file)


def test_an_archive_without_a_text_is_refused(tmp_path: Path) -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (empty.getvalue(), zipped(b"\x89PNG\r\n\x1a\n")):
        with pytest.raises(RnnlmError, match="this zip archive holds 0 files"):
            read(write(tmp_path / "a.zip", content))


def test_an_archive_cannot_come_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    class PipedBytes(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(zipped(b"text"))))
    assert read(STDIN) == "text"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(PipedBytes(zipped(b"text"))))
    with pytest.raises(RnnlmError, match=r"standard input: a zip archive cannot be read from a pipe; .*unzip -p"):
        read(STDIN)


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    good = zipped(TEXT.encode())
    place = good.rfind(b"PK\x01\x02")
    with_password = bytearray(good)
    with_password[6] |= 1
    with_password[place + 8] |= 1
    other_method = bytearray(good)
    other_method[8:10] = other_method[place + 10 : place + 12] = b"\x63\0"
    for content, reason in (
        (bytes(with_password), "encrypted, password required"),
        (bytes(other_method), "compression method is not supported"),
        (good[: len(good) // 2], "File is not a zip file"),
        (b"PK\x03\x04\x14\x00", "File is not a zip file"),
    ):
        with pytest.raises(
            RnnlmError, match=rf"a\.zip: this zip archive cannot be read \(.*{reason}\); is it complete"
        ):
            read(write(tmp_path / "a.zip", content))


# Damage


@pytest.mark.parametrize("share", [0.0005, 0.1, 0.5, 0.9, 0.9999])
def test_a_file_that_ends_early(tmp_path: Path, stream: str, share: float) -> None:
    content = STREAMS[stream](TEXT.encode())
    end = max(11, int(share * len(content)))
    file = write(tmp_path / "RC.zst", content[:end])
    with pytest.raises(RnnlmError, match=r"RC\.zst: reading stopped (after line [\d,]+, )?at byte ") as error:
        read(file)
    assert f"byte {end:,} (the compressed data ends early); is the file complete? `keep_damaged`" in str(
        error.value
    )
    report = ReadReport()
    kept = read(file, report, keep_damaged=True)
    assert TEXT.startswith(kept)
    assert kept.endswith("\n") or not kept
    lines = kept.count("\n")
    last = f"line {lines:,}" if lines else "that"
    assert report.messages() == [
        f"{file}: damaged at byte {end:,} (the compressed data ends early); what comes after {last} is left out."
    ]
    if share > 0.4 and stream in ("gzip", "xz"):
        assert len(kept) > 0.8 * share * len(TEXT)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_broken_piece(tmp_path: Path, stream: str, share: float) -> None:
    """As a torrent leaves it: some kilobytes of zeros in the middle."""
    content = STREAMS[stream](TEXT.encode())
    begin = int(share * len(content))
    file = write(tmp_path / "RC.zst", content[:begin] + bytes(2000) + content[begin + 2000 :])
    with pytest.raises(
        RnnlmError, match=r"reading stopped .*at or before byte [\d,]+ .*`keep_damaged` keeps what"
    ):
        read(file)
    report = ReadReport()
    kept = read(file, report, keep_damaged=True)
    if stream == "gzip":  # has no check before its end
        assert kept.startswith(TEXT[: int(len(TEXT) * share * 0.9)])
    else:
        assert TEXT.startswith(kept)
        blocks = {"bzip2": 900_000, "xz": 1 << 16, "zstd": 1 << 17}
        assert len(kept) > share * len(TEXT) - blocks[stream]
    lines = kept.count("\n")
    assert len(kept.splitlines()) == lines
    [message] = report.messages()
    assert message.startswith(f"{file}: damaged at or before byte ")
    last = f"line {lines:,}" if lines else "that"
    assert message.endswith(f"what comes after {last} is left out, and some before it may be wrong.")


def test_a_damaged_archive(tmp_path: Path) -> None:
    content = bytearray(zipped(TEXT.encode()))
    content[20_000:22_000] = bytes(2000)
    file = write(tmp_path / "a.zip", bytes(content))
    with pytest.raises(RnnlmError, match=r"reading stopped after line [\d,]+, at or before byte [\d,]+ "):
        read(file)
    report = ReadReport()
    assert read(file, report, keep_damaged=True).startswith(TEXT[:10_000])
    assert "is left out, and some" in report.messages()[0]


def test_what_follows_a_stream_and_is_none_is_damage(tmp_path: Path, stream: str) -> None:
    file = write(tmp_path / "a", STREAMS[stream](b"one\ntwo\n") + b"this is no stream")
    with pytest.raises(RnnlmError, match="reading stopped after line 2, at or before byte"):
        read(file)
    assert read(file, keep_damaged=True) == "one\ntwo\n"


def test_lines_before_the_damage_come_first(tmp_path: Path, stream: str) -> None:
    lines = read_lines(write(tmp_path / "a", STREAMS[stream](TEXT.encode())[:-3]), ReadReport())
    assert next(lines) == TEXT.partition("\n")[0]


def test_no_half_line_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    monkeypatch.setattr("rnnlm.text.lines.PIECE_SIZE", 100)
    words = TEXT.replace("\n", " ")
    file = write(tmp_path / "a", STREAMS[stream](b"first\n") + STREAMS[stream](words.encode())[:-3])
    report = ReadReport()
    with open_text(file, report, keep_damaged=True) as lines:
        assert list(lines.whole()) == ["first\n"]
        assert lines.damaged == 2
    [message] = report.messages()
    assert message.endswith("what comes after line 1 is left out.")


def test_what_comes_before_the_damage_is_whole_if_it_ends_with_a_line(tmp_path: Path, stream: str) -> None:
    file = write(tmp_path / "a", STREAMS[stream](b"first\nlast\n") + STREAMS[stream](b"more\n")[:12])
    assert read(file, keep_damaged=True) == "first\nlast\n"


def test_bytes_that_are_damaged(tmp_path: Path, stream: str) -> None:
    file = write(tmp_path / "a", STREAMS[stream](TEXT.encode())[:-3])
    with (
        pytest.raises(RnnlmError, match=r"a: reading stopped at byte"),
        open_bytes(file, ReadReport()) as opened,
    ):
        opened.read()
    report = ReadReport()
    with open_bytes(file, report, keep_damaged=True) as opened:
        assert TEXT.encode().startswith(opened.read())
    assert report.messages()[0].endswith("(the compressed data ends early); what comes after that is left out.")
