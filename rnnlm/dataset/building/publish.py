"""Putting a dataset directory in its place: whole or not at all, whenever the program is killed."""

import glob
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlm.dataset.store import METADATA_FILE, file_names, seal
from rnnlm.errors import RnnlmError
from rnnlm.files import BELONGS_TO_NOBODY, sync


def check_destination(out: Path, overwrite: bool) -> None:
    """Refuse to write where something is that may not be replaced.

    Raises
    ------
    RnnlmError
        If `out` exists and `overwrite` is off, or there is anything in it but a dataset.
    """
    if not (out.exists() or out.is_symlink()):
        return
    if not (out / METADATA_FILE).is_file():
        raise RnnlmError(
            f"{out}: this is no dataset, so it is not overwritten; choose another directory with --out."
        )
    if not overwrite:
        raise RnnlmError(f"{out}: this dataset exists; choose another with --out, or replace it with --overwrite.")
    others = sorted({path.name for path in out.iterdir()} - {METADATA_FILE, *file_names(), *BELONGS_TO_NOBODY})
    if others:
        raise RnnlmError(
            f"{out}: there are other files beside the dataset ({others[0]}), which --overwrite would remove; move "
            "them, or choose another directory with --out."
        )


def _hidden_prefix(out: Path) -> str:
    """Begin the names that stand beside `out` while it is made; the number of the process follows."""
    return f".{out.name}.{platform.node()}."


@contextmanager
def temporary_directory(out: Path) -> Iterator[Path]:
    """Make a directory beside `out` to work in, and remove what is left of it whatever happens."""
    directory = out.with_name(f"{_hidden_prefix(out)}{os.getpid()}.tmp")
    try:
        directory.mkdir(parents=True)
        yield directory
    except OSError as error:  # of reading there is none: readers raise RnnlmError
        raise RnnlmError(
            f"{out}: the dataset cannot be written ({error.strerror or error}); see to its room and permissions,"
            " or choose another directory."
        ) from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def clear_leftovers(out: Path) -> None:
    """Remove what killed builds of this dataset left beside it, and bring back what they had set aside."""
    prefix = _hidden_prefix(out)
    for suffix in (".tmp", ".old"):
        for path in out.parent.glob(f"{glob.escape(prefix)}*{suffix}"):
            if not _has_ended(path.name.removeprefix(prefix).removesuffix(suffix)):
                continue
            if suffix == ".old":
                _settle(path, out)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _has_ended(process: str) -> bool:
    """Return whether the process with a number is over: that of this one belonged to an earlier one."""
    if not process.isdecimal() or os.name == "nt":  # Windows has no signal that only asks
        return False
    try:
        os.kill(int(process), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return int(process) == os.getpid()


def publish(directory: Path, out: Path) -> None:
    """Put the finished directory in its place, safely on disk, in place of the dataset that may be there."""
    seal(directory)
    for file in directory.iterdir():
        sync(file)
    sync(directory)
    old = directory.with_suffix(".old")
    try:
        if out.exists():
            out.rename(old)
        directory.rename(out)
    finally:
        _settle(old, out)
    sync(out.parent)


def _settle(old: Path, out: Path) -> None:
    """Bring back the dataset that was set aside if none has taken its place, else remove it."""
    if not old.exists():
        return
    if out.exists():
        # Under the temporary name first, so that what is half removed is never brought back.
        shutil.rmtree(old.rename(old.with_suffix(".tmp")), ignore_errors=True)
    else:
        old.rename(out)
