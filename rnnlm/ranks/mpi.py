"""Ranks that MPI connects; imported only where a launcher has started several processes."""

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np
from mpi4py import MPI

from rnnlm.nn.arrays import Floats
from rnnlm.ranks.ranks import Ranks, Value
from rnnlm.ranks.watch import Door, Watch

SLEEP_SECONDS = 0.01
"""How long a rank that waits sleeps before it looks again."""

PASSING_ON_SECONDS = 0.5
"""Time for the launcher to pass on what a rank has said: when all end, it drops what it has not."""

WATCHER_SECONDS = 1.0
"""Time for the watcher to say which rank has died."""


class MpiRanks(Ranks):
    """All processes that MPI connects.

    An exception that nothing handles ends all of them: without it the others would wait for ever.
    """

    def __init__(self) -> None:
        self._all = MPI.COMM_WORLD
        super().__init__(self._all.rank, self._all.allgather(MPI.Get_processor_name()))
        self._watch = self._watched()
        sys.excepthook = self._uncaught

    def _watched(self) -> Watch | None:
        """Connect to a watcher, which says if this rank is killed; None where there can be none."""
        if os.name != "posix":
            return None
        if not self.is_first:
            return Watch.join(self.name(), self.broadcast(Door((), 0, "")))
        # As the launcher calls this machine, and as it calls itself.
        named = os.environ.get("PMI_HOSTNAME"), self.hosts[0]
        watch, door = Watch.start(self.name(), tuple(host for host in named if host is not None))
        self.broadcast(door)
        return watch

    def meet(self) -> None:
        """Wait until all ranks have come so far; see `Ranks.meet`."""
        met = self._all.Ibarrier()
        while not met.Test():
            time.sleep(SLEEP_SECONDS)

    def gathered(self, value: Value) -> list[Value]:
        """Return the value that each rank gives; see `Ranks.gathered`."""
        values: list[Value] = self._all.allgather(value)
        return values

    def broadcast(self, value: Value) -> Value:
        """Return the first rank's value; see `Ranks.broadcast`."""
        first: Value = self._all.bcast(value)
        return first

    def sum(self, array: Floats) -> None:
        """Replace an array by its sum; see `Ranks.sum`."""
        self._all.Allreduce(MPI.IN_PLACE, array)

    def total(self, number: float) -> float:
        """Return the sum of a number of each rank; see `Ranks.total`."""
        array = np.array([number], np.float64)
        self.sum(array)
        return float(array[0])

    def begin_sum(self, array: Floats) -> Callable[[], object]:
        """Begin what `sum` does; see `Ranks.begin_sum`."""
        wait: Callable[[], object] = self._all.Iallreduce(MPI.IN_PLACE, array).Wait
        return wait

    def abort(self, exit_code: int) -> None:
        """End all ranks at once, this one too."""
        if self._watch is not None:
            self._watch.over()
        sys.stdout.flush()
        sys.stderr.flush()
        time.sleep(PASSING_ON_SECONDS)
        # Why has been said; MPI would only add that it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        self._all.Abort(exit_code)

    def _uncaught(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if isinstance(error, MPI.Exception):
            # Another rank has died, most likely, and the watcher says which before it ends this one.
            time.sleep(WATCHER_SECONDS)
            print(f"rnnlm: {self.name()}: another rank cannot be reached ({error}).", file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, traceback)
        self.abort(1)
