"""What a run writes down while it trains: a JSON object a line."""

import json
import os
from pathlib import Path
from typing import Any

from rnnlm.errors import RnnlmError
from rnnlm.files import sync

METRICS = "metrics.jsonl"
SAMPLES = "samples.jsonl"
LOGS = (METRICS, SAMPLES)


class Logs:
    """The logs of a run: ``metrics.jsonl`` and ``samples.jsonl``.

    Parameters
    ----------
    directory
        The run's.
    """

    def __init__(self, directory: Path) -> None:
        self.paths = [directory / name for name in LOGS]

    def append_metrics(self, values: dict[str, Any]) -> None:
        """Add a line to ``metrics.jsonl``."""
        self._append(self.paths[0], values)

    def append_sample(self, step: int, text: str) -> None:
        """Add a line to ``samples.jsonl``."""
        self._append(self.paths[1], {"step": step, "text": text})

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each log, for a checkpoint to remember; what it counts is on the disk."""
        sizes = {}
        for log in self.paths:
            try:
                if log.exists():
                    sync(log)
                sizes[log.name] = log.stat().st_size if log.exists() else 0
            except OSError as error:
                raise cannot_write(log, error) from error
        return sizes

    def cut(self, sizes: dict[str, int]) -> None:
        """Drop what was written after a checkpoint; a resumed run writes it again.

        Raises
        ------
        RnnlmError
            If a log cannot be cut, or has lost lines.
        """
        for log in self.paths:
            size = sizes[log.name]
            if log.exists() and log.stat().st_size < size:
                raise RnnlmError(
                    f"{log}: shorter than the checkpoint remembers; put it back, or remove it to go on without."
                )
            try:
                if log.exists() and log.stat().st_size > size:
                    os.truncate(log, size)
            except OSError as error:
                raise cannot_write(log, error) from error

    def _append(self, path: Path, values: dict[str, Any]) -> None:
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(values, ensure_ascii=False) + "\n")
        except OSError as error:
            raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> RnnlmError:
    """Return the error of a run that cannot write; it can be resumed."""
    return RnnlmError(
        f"{path}: cannot be written ({error.strerror or error}); see to its room and permissions, then go on with "
        "`resume`."
    )
