"""The page of runs that are being trained, kept current."""

import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from rnnlm.errors import RnnlmError
from rnnlm.files import explaining
from rnnlm.report.markup import escape, number
from rnnlm.report.page import page, sections, title
from rnnlm.report.runlog import RunLog, labelled, read_run, refuse_other
from rnnlm.storage.checkpoint_index import INDEX
from rnnlm.storage.logs import METRICS, SAMPLES
from rnnlm.storage.run_directory import CHECKPOINTS, CONFIG, ENVIRONMENT, RunDirectory

SHOWN = (METRICS, SAMPLES, CONFIG, ENVIRONMENT, f"{CHECKPOINTS}/{INDEX}")
"""The files of a run that its page is made of."""

STATES = {
    True: "being trained",
    False: "ended, no process is training in it",
    None: "being trained or not, this system does not tell",
}
"""What is said of a run, by what `RunDirectory.is_claimed` returns."""


class _State(NamedTuple):
    """When each of `SHOWN` was written and how long it is, and whether a process is training in the run."""

    files: tuple[tuple[float, int] | None, ...]
    is_claimed: bool | None

    @classmethod
    def of(cls, path: Path) -> "_State":
        """Look at the files of a run, without reading them."""
        return cls(tuple(_stamp(path / name) for name in SHOWN), RunDirectory(path).is_claimed())


def _stamp(file: Path) -> tuple[float, int] | None:
    """Return when a file was written to and how long it is; None if it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime, status.st_size


class WatchedRuns:
    """Runs and the page of them, which is made anew when they have written something.

    Parameters
    ----------
    paths
        The runs; they may have logged nothing yet.
    x
        What the curves are drawn over, one of `X_AXES`.

    Raises
    ------
    RnnlmError
        If a directory is not a run's.
    """

    def __init__(self, paths: Sequence[Path], x: str = "step") -> None:
        self._labels = labelled(paths)
        for path in self._labels:
            refuse_other(path)
        self._x = x
        self._logs: dict[Path, RunLog] = {}
        self._shown: list[_State] | None = None
        self._page = ""
        self._lock = Lock()

    def page(self) -> str:
        """Return the page as of now; any thread may ask.

        Of a run that cannot be read now, it shows what could be read last, and why.
        """
        with self._lock:
            states = [_State.of(path) for path in self._labels]
            if states != self._shown:
                problems = list(self._read())
                self._page = self._render(states, problems)
                self._shown = None if problems else states
            return self._page

    def _read(self) -> Iterator[str]:
        """Read the runs, and yield what cannot be read."""
        for path, label in self._labels.items():
            try:
                with explaining(None, "cannot be read"):
                    self._logs[path] = read_run(path, label)
            except RnnlmError as error:
                yield str(error)

    def _render(self, states: Sequence[_State], problems: Sequence[str]) -> str:
        lines = [
            part
            for (path, label), state in zip(self._labels.items(), states, strict=True)
            for part in _now(label, state, self._logs.get(path))
        ]
        notes = [f'<p class="note">{escape(problem)}</p>' for problem in problems]
        logs = [self._logs[path] for path in self._labels if path in self._logs]
        return page(
            title(self._labels.values()),
            {"Now": "\n".join([*lines, *notes]), **(sections(logs, self._x) if logs else {})},
            script=files("rnnlm.report").joinpath("watch.js").read_text(encoding="utf-8"),
            allowed="connect-src 'self'",
        )


def _now(label: str, state: _State, log: RunLog | None) -> Iterator[str]:
    """Say whether a run is being trained, and how far it is."""
    # A screen reader speaks when this changes, and not at every line of the log.
    yield f'<p><strong role="status">{escape(label)}: {STATES[state.is_claimed]}.</strong>'
    if log is not None:
        training, last = log.config.training, log.last
        yield (
            f"Step {_of(last.step, training.max_steps)}, epoch {_of(last.epoch, training.epochs)}, "
            f"{_of(last.seconds, training.max_seconds, 0)} seconds of training."
        )
    if state.files[0] is not None:
        written = time.localtime(state.files[0][0])
        yield f"Last line of its log: {time.strftime('%Y-%m-%d, %H:%M:%S', written)}."
    yield "</p>"


def _of(value: float, limit: float | None, decimals: int = 2) -> str:
    """Write where a run is and, if there is a limit, where it ends."""
    return number(value, decimals) + ("" if limit is None else f" of {number(limit, decimals)}")
