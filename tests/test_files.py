import gzip
import os
import re
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.files import explaining, fingerprint, open_lines, published, sync, write_atomically, write_together


def test_what_the_system_refuses_is_said_in_a_sentence(tmp_path):
    with pytest.raises(RnnlmError) as raised, explaining(tmp_path, "cannot be read", "; use another"):
        (tmp_path / "a").read_text()
    assert str(raised.value) == f"{tmp_path}: cannot be read (No such file or directory); use another."
    with pytest.raises(RnnlmError) as raised, explaining(None, "cannot be read"):
        (tmp_path / "a").read_text()
    assert str(raised.value) == f"{tmp_path / 'a'}: cannot be read (No such file or directory)."
    with pytest.raises(RnnlmError, match=r"cannot be read \(damaged\)\."), explaining(tmp_path, "cannot be read"):
        raise OSError("damaged")


def test_files_and_directories_are_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    (tmp_path / "a").write_text("text")
    for path in (tmp_path / "a", tmp_path):
        sync(path)
    assert synced == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]


def test_windows_opens_files_for_writing_and_no_directories(tmp_path, monkeypatch):
    file, flags = tmp_path / "a", []
    file.write_text("text")
    descriptor = os.open(file, os.O_RDWR)

    def note(path: object, flag: int) -> int:
        flags.append((path, flag))
        return descriptor

    monkeypatch.setattr(os, "open", note)
    monkeypatch.setattr(os, "name", "nt")
    sync(tmp_path)
    sync(file)
    assert flags == [(file, os.O_RDWR)]


def test_a_text_is_replaced_whole(tmp_path, monkeypatch):
    file = tmp_path / "a.txt"
    write_atomically(file, "old")
    monkeypatch.setattr("rnnlm.files.sync", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_atomically(file, "new")
    assert file.read_text() == "old"


def test_bytes_are_written_too(tmp_path):
    write_atomically(tmp_path / "a.bin", b"\0\xff")
    assert (tmp_path / "a.bin").read_bytes() == b"\0\xff"


@pytest.mark.parametrize("name", ["directory", "pipe", "nowhere/a"])
def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path, name):
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=re.escape(f"'{tmp_path / name}'")):
        write_atomically(tmp_path / name, "text")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["directory", "pipe"]


def test_lines_are_read_compressed_or_not(tmp_path):
    (tmp_path / "a").write_bytes(b"one\ntwo\n")
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    for name in ("a", "a.gz"):
        with open_lines(tmp_path / name) as lines:
            assert list(lines) == [b"one\n", b"two\n"]


def test_a_line_that_is_too_long_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.files.LONGEST_LINE", 5)
    (tmp_path / "a").write_bytes(b"four\n12345\n")
    with pytest.raises(RnnlmError, match="a, line 2: it is longer than"), open_lines(tmp_path / "a") as lines:
        list(lines)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(bytes(range(256)))[:60], None], ids=["no gzip", "cut short", "missing"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(RnnlmError, match="the file cannot be read"), open_lines(tmp_path / "a.gz") as lines:
        list(lines)


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("failing", ["a.bin", "b.bin"])
@pytest.mark.parametrize("links", [True, False])
def test_files_that_belong_together_are_all_replaced_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool, failing: str, links: bool
) -> None:
    first, second = tmp_path / "a.bin", tmp_path / "b.bin"
    before = {first: b"old a", second: b"old b"} if old else {}
    for file, content in before.items():
        file.write_bytes(content)
    right = os.replace

    def refusing(source: Path, target: Path) -> None:
        if source.name == f".{failing}.partial":
            raise PermissionError(1, "Operation not permitted", str(source), None, str(target))
        right(source, target)

    def without_links(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(source), None, str(target))

    if not links:
        monkeypatch.setattr("os.link", without_links)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", refusing)
        with pytest.raises(OSError, match="Operation not permitted") as raised:
            write_together({first: "new a", second: b"new b"})
    assert raised.value.filename == str(tmp_path / failing)
    found = {file: file.read_bytes() for file in tmp_path.iterdir()}
    if old and not links and failing == "b.bin":
        assert found == {first: b"new a", second: b"old b"}
        assert str(raised.value.strerror).endswith(f"; new already: {first}")
    else:
        assert found == before
    write_together({first: "new a", second: b"new b"})
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == {first: b"new a", second: b"new b"}


def test_what_cannot_be_written_leaves_its_companion_alone(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("old")
    (tmp_path / "b.bin").mkdir()
    with pytest.raises(OSError, match="Not a regular file"):
        write_together({tmp_path / "a.bin": "new", tmp_path / "b.bin": "new"})
    assert (tmp_path / "a.bin").read_text() == "old"
    assert {file.name for file in tmp_path.iterdir()} == {"a.bin", "b.bin"}


def test_a_directory_appears_whole_in_place_of_another(tmp_path: Path) -> None:
    directory = tmp_path / "made"
    for content in ("first", "second"):
        with published(directory) as working:
            assert (directory / "file").exists() == (content == "second")
            (working / "file").write_text(content)
        assert [path.name for path in tmp_path.iterdir()] == ["made"]
        assert (directory / "file").read_text() == content
    assert fingerprint(directory / "file") == {
        "bytes": 6,
        "sha256": "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4",
    }


@pytest.mark.parametrize("old", [False, True])
def test_a_directory_that_cannot_be_made_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    directory = tmp_path / "made"
    if old:
        directory.mkdir()
        (directory / "file").write_text("old")

    def make(then: BaseException | None = None) -> None:
        with published(directory) as working:
            (working / "file").write_text("new")
            if then is not None:
                raise then

    with pytest.raises(KeyboardInterrupt):
        make(KeyboardInterrupt())
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="No space left"):
        make()
    assert [path.name for path in tmp_path.rglob("*")] == (["made", "file"] if old else [])
    assert not old or (directory / "file").read_text() == "old"
