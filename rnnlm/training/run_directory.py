"""The directory of a run: its configuration, its logs and its checkpoints."""

import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import blas
from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.files import write_atomically
from rnnlm.training.checkpoint import MANIFEST, Checkpoint, save_checkpoint

CONFIG = "config.yaml"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
SAMPLES = "samples.jsonl"
CHECKPOINTS = "checkpoints"
INDEX = "index.json"


class RunDirectory:
    """A run on disk.

    Beside ``config.yaml`` (every value, defaults included), ``environment.json`` (versions, BLAS kernel, threads),
    ``metrics.jsonl`` and ``samples.jsonl`` there is ``checkpoints/`` with two checkpoints, the best by validation
    loss and the last; its ``index.json`` says which is which.

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
        return (self.checkpoints / INDEX).exists()

    def begin(self, config: Config) -> None:
        """Make the directory and write down what the run is made with.

        Raises
        ------
        RnnlmError
            If that cannot be written.
        """
        environment = {
            "rnnlm": version("rnnlm"),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.platform(),
            "blas": blas.kernel(),
            "blas_forced_by": blas.forcing_variables(),
            "threads": blas.threads(),
        }
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / CONFIG, config.to_yaml())
            if not (self.path / ENVIRONMENT).exists():
                write_atomically(self.path / ENVIRONMENT, json.dumps(environment, indent=1) + "\n")
        except OSError as error:
            raise RnnlmError(
                f"{self.path}: cannot write the run ({error.strerror}); choose another --out."
            ) from error

    def checkpoint(self, which: str) -> Path:
        """Return the directory of the checkpoint that is the "best" or the "last".

        Raises
        ------
        RnnlmError
            If there is none, or the index is damaged.
        """
        index = self.checkpoints / INDEX
        try:
            name = str(json.loads(index.read_text(encoding="utf-8"))[which])
            # A name and no path: nothing outside the directory is ever read.
            if Path(name).name != name:
                raise ValueError(name)
        except FileNotFoundError as error:
            raise RnnlmError(f"{self.path}: this run has no checkpoint yet.") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RnnlmError(f"{index}: damaged; name one of the checkpoints beside it instead.") from error
        return self.checkpoints / name

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
        """
        last = self.checkpoints / f"step-{step:08d}"
        while last.exists():
            last = last.with_name(f"{last.name}a")
        save_checkpoint(last, checkpoint)
        best = last if is_best or not self.exists else self.checkpoint("best")
        write_atomically(self.checkpoints / INDEX, json.dumps({"best": best.name, "last": last.name}))
        for old in self.checkpoints.iterdir():
            if old.is_dir() and old not in (best, last):
                shutil.rmtree(old)

    def append_metrics(self, **values: Any) -> None:
        """Add a line to ``metrics.jsonl``."""
        self._append(METRICS, values)

    def append_sample(self, step: int, text: str) -> None:
        """Add a line to ``samples.jsonl``."""
        self._append(SAMPLES, {"step": step, "text": text})

    def log_sizes(self) -> dict[str, int]:
        """Return the size in bytes of each log, for a checkpoint to remember."""
        logs = (self.path / name for name in (METRICS, SAMPLES))
        return {log.name: log.stat().st_size if log.exists() else 0 for log in logs}

    def cut_logs(self, sizes: dict[str, int]) -> None:
        """Drop from the logs what was written after a checkpoint; a resumed run writes it again."""
        for name in (METRICS, SAMPLES):
            log = self.path / name
            if log.exists() and log.stat().st_size > sizes[name]:
                os.truncate(log, sizes[name])

    def _append(self, name: str, values: dict[str, Any]) -> None:
        try:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps(values, ensure_ascii=False) + "\n")
        except OSError as error:
            raise RnnlmError(f"{self.path / name}: cannot be written ({error.strerror}).") from error


def resolve_checkpoint(path: str | Path) -> Path:
    """Find the checkpoint directory that a user means: a run's best, or the directory itself.

    Raises
    ------
    RnnlmError
        If there is none at `path`.
    """
    path = Path(path)
    if (path / MANIFEST).exists():
        return path
    if (path / CHECKPOINTS).is_dir():
        return RunDirectory(path).checkpoint("best")
    if not path.exists():
        raise RnnlmError(f"{path}: no such directory; name a run or a checkpoint.")
    raise RnnlmError(f"{path}: neither a run nor a checkpoint directory.")


def newest_run(directory: str | Path) -> Path:
    """Return the run under `directory` whose checkpoints were written last.

    Raises
    ------
    RnnlmError
        If there is none.
    """
    indexes = list(Path(directory).glob(f"*/{CHECKPOINTS}/{INDEX}"))
    if not indexes:
        raise RnnlmError(f"{directory}: no trained model here; train one, or name it with --model.")
    return max(indexes, key=lambda index: (index.stat().st_mtime_ns, str(index))).parent.parent
