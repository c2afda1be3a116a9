"""The directory of a run: its configuration, its logs and its checkpoints."""

import json
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import blas
from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.files import BELONGS_TO_NOBODY, make_directory, read_text, sha256, sync, write_atomically
from rnnlm.storage.checkpoint import MANIFEST, Checkpoint, load_checkpoint, save_checkpoint

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

CONFIG = "config.yaml"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
SAMPLES = "samples.jsonl"
LOGS = (METRICS, SAMPLES)
CHECKPOINTS = "checkpoints"
INDEX = "index.json"
FIRST_CHECKPOINT = "step-00000000"
_CHECKPOINT_NAME = re.compile(r"step-\d{8,}a*")


class RunDirectory:
    """A run on disk.

    Beside ``config.yaml`` (every value, defaults included), ``environment.json`` (versions, BLAS kernel, threads),
    ``metrics.jsonl`` and ``samples.jsonl`` there is ``checkpoints/`` with two checkpoints, the best by validation
    loss and the last; its ``index.json`` says which is which, with the SHA-256 of their manifests.

    Parameters
    ----------
    path
        The directory; made by `begin`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / CHECKPOINTS

    @property
    def exists(self) -> bool:
        """Whether the directory holds a checkpoint."""
        return (self.checkpoints / INDEX).is_file()

    def refuse_other_files(self) -> None:
        """Refuse a directory without an index in which there is more than a run's first moment may leave.

        Raises
        ------
        RnnlmError
            If there are checkpoints after the first one, or anything that is not a run's.
        """
        found = sorted(filter(_CHECKPOINT_NAME.fullmatch, _names(self.checkpoints)))
        checkpoints = [name for name in found if name != FIRST_CHECKPOINT]
        if checkpoints and all((self.checkpoints / name / MANIFEST).is_file() for name in checkpoints):
            raise RnnlmError(
                f"{self.checkpoints}: no {INDEX}, so the run cannot go on; put that back, or choose another --out "
                f"and --init-from one of its checkpoints: {', '.join(checkpoints)}."
            )
        ours = [CHECKPOINTS, ENVIRONMENT]
        if (self.path / ENVIRONMENT).is_file():  # else the configuration, which comes after it, is another's
            ours.append(CONFIG)
        others = _others(self.path, ours) + _others(self.checkpoints, [FIRST_CHECKPOINT, INDEX])
        if others:
            raise RnnlmError(f"{self.path}: there are other files in it ({others[0]}); choose another --out.")

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the directory, and keep other processes from training in it within a ``with`` block.

        Windows, and some network filesystems, cannot do that.

        Raises
        ------
        RnnlmError
            If another process is training in it, or it cannot be made.
        """
        try:
            make_directory(self.path)
            descriptor = None if fcntl is None else os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise self._cannot_begin(error) from error
        try:
            if descriptor is not None:
                with suppress(OSError):
                    self._lock(descriptor)
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RnnlmError(
                f"{self.path}: another process is training in it; wait until it ends, or choose another --out."
            ) from error

    def begin(self, config: Config) -> None:
        """Make the directory, write down what the run is made with, and remove what a killed one left.

        Raises
        ------
        RnnlmError
            If that cannot be written, or a file of the run is a link to somewhere else.
        """
        self._refuse_links()
        environment = {
            "rnnlm": version("rnnlm-numpy"),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.platform(),
            "blas": blas.kernel(),
            "blas_forced_by": blas.forcing_variables(),
            "threads": blas.threads(),
        }
        try:
            make_directory(self.checkpoints)
            self._remove_others()
            if not (self.path / ENVIRONMENT).exists():
                write_atomically(self.path / ENVIRONMENT, json.dumps(environment, indent=1) + "\n")
            write_atomically(self.path / CONFIG, config.to_yaml())
        except OSError as error:
            raise self._cannot_begin(error) from error

    def _cannot_begin(self, error: OSError) -> RnnlmError:
        return RnnlmError(
            f"{self.path}: cannot write the run ({error.strerror}); see to its room and permissions, or choose "
            "another --out."
        )

    def checkpoint(self, which: str) -> Path:
        """Return the directory of the checkpoint that is the "best" or the "last".

        Raises
        ------
        RnnlmError
            If there is none, or the index is damaged.
        """
        index = self._index()
        directory = self.checkpoints / index[which]
        # Indexes of early versions have no checksums.
        expected = index.get(f"{which}_sha256")
        try:
            is_meant = sha256(directory / MANIFEST) == expected or expected is None
        except OSError:
            is_meant = False
        if not is_meant and index != self._index():  # the run went on meanwhile
            return self.checkpoint(which)
        if not is_meant:
            raise RnnlmError(
                f"{directory}: not the {which} checkpoint that {INDEX} beside it means; put that back, or name a "
                "checkpoint instead of the run."
            )
        return directory

    def load(self, which: str) -> Checkpoint:
        """Read the checkpoint that is the "best" or the "last", also while the run replaces it.

        Raises
        ------
        RnnlmError
            If there is none, or it is damaged.
        """
        directory = self.checkpoint(which)
        try:
            return load_checkpoint(directory)
        except RnnlmError:
            if self.checkpoint(which) == directory:
                raise
        return self.load(which)

    def _index(self) -> dict[str, str]:
        """Read the index; the names in it are no paths, so that nothing outside the directory is ever read."""
        file = self.checkpoints / INDEX
        if not file.is_file():
            raise RnnlmError(f"{self.path}: this run has no checkpoint yet.")
        try:
            index: dict[str, str] = json.loads(read_text(file))
            if not all(_CHECKPOINT_NAME.fullmatch(index[which]) for which in ("best", "last")):
                raise ValueError(index)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise RnnlmError(f"{file}: damaged; name one of the checkpoints beside it instead.") from error
        return index

    def save(self, step: int, checkpoint: Checkpoint, is_best: bool) -> None:
        """Write a checkpoint, then the index, and only then remove what neither best nor last needs.

        Parameters
        ----------
        step
            Training step, which gives the checkpoint its name.
        checkpoint
            What to write.
        is_best
            Whether it becomes the best; the first one is in any case.

        Raises
        ------
        RnnlmError
            If it cannot be written; the checkpoints before it are kept.
        """
        try:
            last = self.checkpoints / f"step-{step:08d}"
            while last.exists():
                last = last.with_name(f"{last.name}a")
            save_checkpoint(last, checkpoint)
            index = self._index() if self.exists else {}
            for which in ("best", "last") if is_best or not index else ("last",):
                index[which], index[f"{which}_sha256"] = last.name, sha256(last / MANIFEST)
            write_atomically(self.checkpoints / INDEX, json.dumps(index))
            self._remove_others()
        except OSError as error:
            raise _cannot_write(self.checkpoints, error) from error

    def _remove_others(self) -> None:
        """Remove the checkpoints, whole or half written, that the index does not name."""
        index = self._index() if self.exists else {}
        named = (index.get("best"), index.get("last"))
        for path in self.checkpoints.iterdir():
            is_ours = _CHECKPOINT_NAME.fullmatch(path.name.removeprefix(".").removesuffix(".partial"))
            if is_ours and path.name not in named and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)

    def append_metrics(self, **values: Any) -> None:
        """Add a line to ``metrics.jsonl``."""
        self._append(METRICS, values)

    def append_sample(self, step: int, text: str) -> None:
        """Add a line to ``samples.jsonl``."""
        self._append(SAMPLES, {"step": step, "text": text})

    def log_sizes(self) -> dict[str, int]:
        """Return the size in bytes of each log, for a checkpoint to remember; what it counts is on the disk."""
        sizes = {}
        for log in (self.path / name for name in LOGS):
            try:
                if log.exists():
                    sync(log)
                sizes[log.name] = log.stat().st_size if log.exists() else 0
            except OSError as error:
                raise _cannot_write(log, error) from error
        return sizes

    def cut_logs(self, sizes: dict[str, int]) -> None:
        """Drop from the logs what was written after a checkpoint; a resumed run writes it again.

        Raises
        ------
        RnnlmError
            If a log cannot be cut, has lost lines, or is a link to somewhere else.
        """
        self._refuse_links()
        for log in (self.path / name for name in LOGS):
            size = sizes[log.name]
            if log.exists() and log.stat().st_size < size:
                raise RnnlmError(
                    f"{log}: shorter than the checkpoint remembers; put it back, or remove it to go on without."
                )
            try:
                if log.exists() and log.stat().st_size > size:
                    os.truncate(log, size)
            except OSError as error:
                raise _cannot_write(log, error) from error

    def _refuse_links(self) -> None:
        for path in (self.checkpoints, self.path / METRICS, self.path / SAMPLES):
            if path.is_symlink():
                raise RnnlmError(f"{path}: a link, and a run writes nothing outside its directory; remove it.")

    def _append(self, name: str, values: dict[str, Any]) -> None:
        try:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps(values, ensure_ascii=False) + "\n")
        except OSError as error:
            raise _cannot_write(self.path / name, error) from error


def _others(directory: Path, ours: list[str]) -> list[str]:
    """List what is in a directory beside these names, whole or half written."""
    known = {*ours, *(f".{name}.partial" for name in ours), *BELONGS_TO_NOBODY}
    return sorted(_names(directory) - known)


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()} if directory.is_dir() else set()


def _cannot_write(path: Path, error: OSError) -> RnnlmError:
    return RnnlmError(
        f"{path}: cannot be written ({error.strerror or error}); see to its room and permissions, then go on with "
        "--resume."
    )


def refuse_checkpoints_folder(path: Path) -> None:
    """Say what is in it where the folder between a run and its checkpoints is named for one of them.

    Raises
    ------
    RnnlmError
        If it is.
    """
    if (path / INDEX).is_file():
        steps = sorted(file.parent.name for file in path.glob(f"*/{MANIFEST}"))
        raise RnnlmError(f"{path}: the checkpoints of a run; name the run, or one of them: {', '.join(steps)}.")


def resolve_checkpoint(path: str | Path) -> Path:
    """Find the checkpoint directory that a user means: a run's best, or the directory itself.

    Raises
    ------
    RnnlmError
        If there is none at `path`.
    """
    path = Path(path)
    if (path / MANIFEST).is_file():
        return path
    if (path / CHECKPOINTS).is_dir():
        return RunDirectory(path).checkpoint("best")
    if not path.exists():
        raise RnnlmError(f"{path}: no such directory; name a run or a checkpoint.")
    refuse_checkpoints_folder(path)
    raise RnnlmError(f"{path}: neither a run nor a checkpoint directory.")


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint that a user means, as `resolve_checkpoint` finds it."""
    directory = resolve_checkpoint(path)
    is_run = directory != Path(path)
    return RunDirectory(path).load("best") if is_run else load_checkpoint(directory)


def newest_run(directory: str | Path) -> Path | None:
    """Return the run under `directory` whose checkpoints were written last; None where there is none."""
    indexes = list(Path(directory).glob(f"*/{CHECKPOINTS}/{INDEX}"))
    if not indexes:
        return None
    return max(indexes, key=lambda index: (index.stat().st_mtime_ns, str(index))).parent.parent
