"""Files that are written whole or not at all, and read within bounds."""

import errno
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from gzip import GzipFile
from io import BufferedReader
from pathlib import Path
from typing import Any

import yaml

from rnnlm.errors import RnnlmError

LARGEST_TEXT = 4 << 20
"""The most bytes of a file of settings."""

NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)
"""What reading YAML raises; ValueError is for bytes that are not UTF-8 and for a date such as 2024-13-45."""

LONGEST_LINE = 1 << 20
"""The most bytes in a line of a file of numbers, such as word vectors or an n-gram model."""

BELONGS_TO_NOBODY = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave in the directories that they show."""

_CHUNK = 1 << 20


@contextmanager
def explaining(path: Path | None, problem: str, advice: str = "") -> Iterator[None]:
    """Raise an `RnnlmError` in place of an OSError: what cannot be done, why, and what to do.

    Parameters
    ----------
    path
        What it is about; None for the file that the OSError names.
    problem, advice
        The words before and after the reason in the sentence.
    """
    try:
        yield
    except OSError as error:
        raise RnnlmError(f"{path or error.filename}: {problem} ({error.strerror or error}){advice}.") from error


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits; the file is read in chunks."""
    if file.exists() and not file.is_file():  # a pipe or a device may never end
        raise OSError(errno.EINVAL, "Not a regular file", str(file))
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fingerprint(file: Path) -> dict[str, Any]:
    """Return what a file is checked against later: its size as ``bytes``, and its checksum as ``sha256``."""
    return {"bytes": file.stat().st_size, "sha256": sha256(file)}


def read_text(file: Path, largest: int = LARGEST_TEXT) -> str:
    """Read a file of at most so many bytes; the default suits files of settings.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is too long, or not UTF-8.
    """
    with file.open("rb") as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"longer than {largest >> 20} MiB")
    return content.decode("utf-8")


def parse_yaml(text: str) -> Any:
    """Return the plain values in a YAML text.

    Raises
    ------
    NOT_YAML
        If it is not YAML, has a key twice, or has aliases: nine lines of them can stand for billions of values.
    """
    return _StrictLoader(text).get_single_data()


class _StrictLoader(yaml.SafeLoader):
    """Refuses aliases, and a key that appears twice: PyYAML would silently take its last value."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Read a node."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not read here", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make a dict of a mapping."""
        keys = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in keys:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} appears twice", problem_mark=key.start_mark)
                keys.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def sync(path: Path) -> None:
    """Make the operating system write a file or directory to the disk; Windows cannot do so for directories."""
    is_directory = path.is_dir()
    if is_directory and os.name == "nt":
        return
    # Windows flushes only files that are open for writing.
    descriptor = os.open(path, os.O_RDONLY if is_directory else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, content: str | bytes | Iterable[bytes]) -> None:
    """Replace a file in one go: whoever opens it finds the old content or the new, which may come in parts.

    Raises
    ------
    OSError
        If it cannot be written, or is a directory or device; the error names the file.
    """
    try:
        temporary = _write_beside(path, content)
        try:
            os.replace(temporary, path)
        except OSError:
            _remove(temporary)
            raise
        sync(path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_together(contents: Mapping[Path, str | bytes]) -> None:
    """Replace files that belong together: all of them or, if one cannot be written, none.

    If the process is killed between two renamings, some are new and others old. Errors are those of
    `write_atomically`; they name files that could not be put back.
    """
    temporaries: dict[Path, Path] = {}
    before: dict[Path, Path | None] = {}
    path = Path()
    try:
        for path, content in contents.items():
            temporaries[path] = _write_beside(path, content)
        for path in contents:
            before[path] = _link_beside(path)
            os.replace(temporaries[path], path)
        for path in contents:
            sync(path.parent)
    except OSError as error:
        replaced = [each for each in before if not temporaries[each].exists()]
        new = [str(each) for each in replaced if not _put_back(each, before[each])]
        reason = f"{error.strerror}; new already: {', '.join(new)}" if new else error.strerror
        raise OSError(error.errno, reason, str(path)) from error
    finally:
        for left in (*temporaries.values(), *before.values()):
            if left is not None:
                _remove(left)


def _write_beside(path: Path, content: str | bytes | Iterable[bytes]) -> Path:
    """Write the content under a temporary name, which is returned."""
    temporary = path.parent / f".{path.name}.partial"
    if path.exists() and not path.is_file():  # /dev/null is not to be replaced
        raise OSError(errno.EINVAL, "Not a regular file")
    # Made anew, so that nothing is written to what a link of that name points to.
    temporary.unlink(missing_ok=True)
    content = content.encode() if isinstance(content, str) else content
    try:
        with temporary.open("xb") as stream:
            for part in [content] if isinstance(content, bytes) else content:
                stream.write(part)
        sync(temporary)
    except BaseException:
        _remove(temporary)
        raise
    return temporary


def _link_beside(path: Path) -> Path | None:
    """Give a file a second name, which stays when the file is replaced; return None if there is no file."""
    if not path.exists():
        return None
    second = path.parent / f".{path.name}.before"
    second.unlink(missing_ok=True)
    with suppress(OSError):  # not every file system has such links
        os.link(path, second)
    return second


def _put_back(path: Path, before: Path | None) -> bool:
    """Undo the replacement of a file, and return whether that could be done."""
    try:
        if before is None:
            path.unlink()
        else:
            os.replace(before, path)
    except OSError:
        return False
    return True


def _remove(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Make a directory and those above it that are missing, and write them to the disk."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


@contextmanager
def published(directory: Path, working: Path | None = None) -> Iterator[Path]:
    """Give a directory to work in, which becomes `directory` when the ``with`` block has ended well.

    Its files are on the disk before it gets the name. A directory that has the name already is replaced: until
    then it is kept beside it, with the suffix ``.old``. Whatever goes wrong, what was worked on is removed.

    Parameters
    ----------
    directory
        What is to appear, whole or not at all; the directory that it stands in must exist.
    working
        Where the work is done, on the same disk; None for ``.NAME.partial`` beside `directory`. What stands there
        is removed first.

    Raises
    ------
    OSError
        If something cannot be written.
    """
    working = working or directory.with_name(f".{directory.name}.partial")
    try:
        shutil.rmtree(working, ignore_errors=True)
        working.mkdir()
        yield working
        for file in sorted(working.iterdir()):
            sync(file)
        sync(working)
        old = working.with_suffix(".old")
        try:
            if directory.exists():
                directory.rename(old)
            working.rename(directory)
        finally:
            settle(old, directory)
        sync(directory.parent)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def settle(old: Path, directory: Path) -> None:
    """Bring back the directory that `published` has set aside if none has taken its place, else remove it."""
    if not old.exists():
        return
    if directory.exists():
        # Under another name first, so that what is half removed is never brought back.
        shutil.rmtree(old.rename(old.with_suffix(".tmp")), ignore_errors=True)
    else:
        old.rename(directory)


@contextmanager
def open_lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Open a file to read its lines, decompressed if its name ends in ``.gz``.

    Raises
    ------
    RnnlmError
        If it cannot be opened, or, within the ``with`` block, a line is longer than `LONGEST_LINE` or the file
        cannot be read to its end.
    """
    try:
        with GzipFile(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield _bounded_lines(path, stream)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RnnlmError(f"{path}: the file cannot be read ({reason}); is it there, and complete?") from error


def _bounded_lines(path: Path, stream: GzipFile | BufferedReader) -> Iterator[bytes]:
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), 1):
        if len(line) > LONGEST_LINE:
            raise RnnlmError(
                f"{path}, line {number}: it is longer than {LONGEST_LINE >> 20} MiB; is this the file you meant?"
            )
        yield line
