"""Putting a dataset directory in its place: whole or not at all, whenever the program is killed."""

import glob
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlm.dataset.store import METADATA_FILE, file_names
from rnnlm.errors import RnnlmError
from rnnlm.files import BELONGS_TO_NOBODY, explaining, make_directory, published, settle


def check_destination(out: Path, overwrite: bool) -> None:
    """Refuse to write where anything is but a dataset, or a dataset where `overwrite` is off."""
    if not (out.exists() or out.is_symlink()):
        return
    if not (out / METADATA_FILE).is_file():
        raise RnnlmError(
            f"{out}: this is not a dataset, so it is not overwritten; choose another directory with `out`."
        )
    if not overwrite:
        raise RnnlmError(f"{out}: this dataset exists; choose another with `out`, or replace it with `overwrite`.")
    others = sorted({path.name for path in out.iterdir()} - {METADATA_FILE, *file_names(), *BELONGS_TO_NOBODY})
    if others:
        raise RnnlmError(
            f"{out}: there are other files beside the dataset ({others[0]}), which `overwrite` would remove; move"
            " them, or choose another directory with `out`."
        )


@contextmanager
def new_dataset(out: Path, overwrite: bool) -> Iterator[Path]:
    """Give a directory to make a dataset in, which becomes `out` when the ``with`` block has ended well."""
    place = Path(os.path.realpath(out))
    prefix = f".{place.name}.{platform.node()}."
    _clear_leftovers(place, prefix)
    check_destination(out, overwrite)
    with writing(place):
        make_directory(place.parent)
        with published(place, place.with_name(f"{prefix}{os.getpid()}.tmp")) as directory:
            yield directory
            check_destination(out, overwrite)  # something may have come meanwhile


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Say which dataset cannot be written. No OSError is of reading: readers raise RnnlmError."""
    advice = "; see to its room and permissions, or choose another directory"
    with explaining(out, "the dataset cannot be written", advice):
        yield


def _clear_leftovers(out: Path, prefix: str) -> None:
    """Remove what killed builds of this dataset left beside it, and bring back what they had set aside."""
    for suffix in (".tmp", ".old"):
        for path in out.parent.glob(f"{glob.escape(prefix)}*{suffix}"):
            if not _has_ended(path.name.removeprefix(prefix).removesuffix(suffix)):
                continue
            if suffix == ".old":
                settle(path, out)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _has_ended(process: str) -> bool:
    """Return whether the process with a number is over; an earlier one had that of this one."""
    if not process.isdecimal() or os.name == "nt":  # Windows has no signal that only asks
        return False
    try:
        os.kill(int(process), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return int(process) == os.getpid()
