"""The directory of a run: its configuration, its logs and its checkpoints."""

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import backend, blas
from rnnlm.config import Config
from rnnlm.config.commenting import commented_yaml
from rnnlm.errors import RnnlmError
from rnnlm.files import (
    BELONGS_TO_NOBODY,
    NOT_YAML,
    explaining,
    make_directory,
    parse_yaml,
    read_text,
    write_atomically,
)
from rnnlm.storage.checkpoint_index import FIRST_CHECKPOINT, INDEX, CheckpointIndex
from rnnlm.storage.logs import Logs

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

CONFIG = "config.yaml"
ENVIRONMENT = "environment.json"
CHECKPOINTS = "checkpoints"
TUNING = "tuning"
"""What came before the run, if anything did; see `rnnlm.tuning`."""

ASKED_SECONDS = 0.1
"""Longer than `RunDirectory.is_claimed` keeps others from claiming a directory."""


class RunDirectory:
    """A run on disk.

    Beside its logs and its checkpoints there are ``config.yaml`` (every value, defaults included) and
    ``environment.json`` (versions, BLAS kernel, threads, back end).

    Parameters
    ----------
    path
        The directory; made by `begin`.
    comments
        What is written into its configuration for people; see `commented_yaml`.
    """

    def __init__(self, path: str | Path, comments: Mapping[str, str] | None = None) -> None:
        self.path = Path(path)
        self.comments = comments or {}
        self.checkpoints = CheckpointIndex(self.path / CHECKPOINTS)
        self.logs = Logs(self.path)

    @property
    def exists(self) -> bool:
        """Whether the directory holds a checkpoint."""
        return self.checkpoints.exists

    def refuse_other_files(self) -> None:
        """Refuse a directory without an index in which there is more than a run's first moment may leave.

        That is checkpoints after the first one, or anything that is not a run's; a tuning comes before it.
        """
        self.checkpoints.refuse_lost_index()
        ours = [CHECKPOINTS, ENVIRONMENT, TUNING]
        if (self.path / ENVIRONMENT).is_file():  # else the configuration, which comes after it, is another's
            ours.append(CONFIG)
        others = _others(self.path, ours) + _others(self.checkpoints.directory, [FIRST_CHECKPOINT, INDEX])
        if others:
            raise RnnlmError(f"{self.path}: there are other files in it ({others[0]}); choose another `out`.")

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the directory, and keep other processes from training in it within a ``with`` block.

        Windows, and some network filesystems, cannot do that.

        Raises
        ------
        RnnlmError
            If another process is training in it, it cannot be made, or a link in it leads somewhere else.
        """
        with self._beginning():
            make_directory(self.path)
            descriptor = None if fcntl is None else os.open(self.path, os.O_RDONLY)
        try:
            if descriptor is not None:
                self._lock(descriptor)
            for path in (self.checkpoints.directory, *self.logs.paths.values()):
                if path.is_symlink():
                    raise RnnlmError(f"{path}: a link, and a run writes nothing outside its directory; remove it.")
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def is_claimed(self) -> bool | None:
        """Return whether a process is training in the directory; None where the system does not tell."""
        if fcntl is None:
            return None
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # some network filesystems know no locks
            return None
        finally:
            os.close(descriptor)
        return False

    def _lock(self, descriptor: int) -> None:
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(ASKED_SECONDS)  # perhaps it was only asked whether the directory is claimed
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RnnlmError(
                f"{self.path}: another process is training in it; wait until it ends, or choose another `out`."
            ) from error
        except OSError:  # some network filesystems know no locks
            pass

    def begin(self, config: Config, environment: Mapping[str, Any] | None = None) -> None:
        """Make the directory, write down what the run is made with, and remove what a killed one left.

        Where ``environment.json`` is new, it has what `environment` says besides.
        """
        found = {
            "rnnlm": version("rnnlm-numpy"),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.platform(),
            "blas": blas.kernel(),
            "blas_forced_by": blas.forcing_variables(),
            "threads": backend.threads(),
            "backend": backend.current(),
            "instruction_set": backend.instruction_set(),
            **(environment or {}),
        }
        with self._beginning():
            make_directory(self.checkpoints.directory)
            self.checkpoints.remove_others()
            if not (self.path / ENVIRONMENT).exists():
                write_atomically(self.path / ENVIRONMENT, json.dumps(found, indent=1) + "\n")
            if not _says(self.path / CONFIG, config):  # else the comments would be lost
                write_atomically(self.path / CONFIG, commented_yaml(config.values(), self.comments))

    def _beginning(self) -> AbstractContextManager[None]:
        advice = "; see to its room and permissions, or choose another `out`"
        return explaining(self.path, "cannot write the run", advice)


def _says(file: Path, config: Config) -> bool:
    """Whether a file has the values of a configuration, and nothing else."""
    try:
        found: bool = parse_yaml(read_text(file)) == config.values()
    except (OSError, *NOT_YAML):
        return False
    return found


def _others(directory: Path, ours: list[str]) -> list[str]:
    """List what is in a directory beside these names, whole or half written."""
    known = {*ours, *(f".{name}.partial" for name in ours), *BELONGS_TO_NOBODY}
    found = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    return sorted(found - known)
