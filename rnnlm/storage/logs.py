"""What a run writes down while it trains: a JSON object a line."""

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rnnlm.errors import RnnlmError
from rnnlm.files import explaining, sync

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
        self.paths = {name: directory / name for name in LOGS}

    def append(self, name: str, values: dict[str, Any]) -> None:
        """Add a line to a log."""
        path = self.paths[name]
        with writing(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values, ensure_ascii=False) + "\n")

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each log, for a checkpoint to remember; what it counts is on the disk."""
        sizes = dict.fromkeys(LOGS, 0)
        for name, path in self.paths.items():
            with writing(path):
                if path.exists():
                    sync(path)
                    sizes[name] = path.stat().st_size
        return sizes

    def cut(self, sizes: dict[str, int]) -> None:
        """Drop what was written after a checkpoint, for a resumed run writes it again; refuse lost lines."""
        for name, path in self.paths.items():
            if path.exists() and path.stat().st_size < sizes[name]:
                raise RnnlmError(
                    f"{path}: shorter than the checkpoint remembers; put it back, or remove it to go on without."
                )
            with writing(path):
                if path.exists() and path.stat().st_size > sizes[name]:
                    os.truncate(path, sizes[name])


def writing(path: Path) -> AbstractContextManager[None]:
    """Say that a run cannot write a file or directory; it can be resumed."""
    return explaining(path, "cannot be written", "; see to its room and permissions, then go on with `resume`")
