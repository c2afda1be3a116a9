"""The processes that share the work on a corpus, and who of them does what.

Each rank has its share of the sections of a corpus, and does it with as many workers as it has; see `ranks` and
`dataset.building.workers`. Large data goes through files in a directory that all of them see; what goes from one
process to another is small.
"""

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

from rnnlm.dataset.building.publish import writing
from rnnlm.dataset.building.workers import Workers
from rnnlm.errors import RnnlmError
from rnnlm.ranks.ranks import AgreedError, OneProcess, Ranks
from rnnlm.signals import handled

MOST_SECONDS = 10
"""How long a rank waits for another to end it."""

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress: TypeAlias = Callable[[int], object]
"""Is told the number of characters processed since the last call."""

Task: TypeAlias = Callable[[Item, int, Progress], Result]
"""What any process can do to an item, with so many workers if it can use them; all is pickled."""


def ignore(*_: Any) -> None:
    """Do nothing with what is told."""


@dataclass(frozen=True)
class _Share(Generic[Item]):
    """The items of one rank, in order: their numbers, themselves, and how much work each is."""

    numbers: list[int]
    items: list[Item]
    sizes: list[int]


class Crew:
    """The processes that share the work: the first rank leads, the others `serve` it.

    Parameters
    ----------
    workers
        Processes that this rank works with, from 1.
    ranks
        All ranks; this process alone by default.

    Attributes
    ----------
    directory
        Where all of them write; a rank that fails removes it.
    """

    def __init__(self, workers: int = 1, ranks: Ranks | None = None) -> None:
        if workers < 1:
            raise RnnlmError(f"`workers` {workers}: give a whole number from 1.")
        self.directory = Path()
        self._ranks, self._number, self._workers = ranks or OneProcess(), workers, Workers(workers)
        self._is_at_work = False

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the others go if they wait: the leader's errors are then those of all. Else they are ended."""
        if self._ranks.number == 1:
            return
        if self.leads and not self._is_at_work:
            self._ranks.meet()
            self._ranks.broadcast(None)
            if isinstance(error, RnnlmError):
                raise AgreedError(str(error)) from error
        elif isinstance(error, SystemExit):  # after a signal; `cli.main` sees to all else
            self._ranks.abort(error.code if isinstance(error.code, int) else 1)

    @property
    def leads(self) -> bool:
        """Whether this rank is the first."""
        return self._ranks.is_first

    def map(
        self,
        task: Task[Item, Result],
        items: Sequence[Item],
        sizes: Sequence[int],
        progress: Progress = ignore,
        done: Callable[[Result], object] = ignore,
    ) -> list[Result]:
        """Do a task to all items, and return the results in their order.

        Parameters
        ----------
        task
            What is done.
        items
            What it is done to.
        sizes
            How much work each is, in any unit.
        progress
            Called with the characters that this process has worked on.
        done
            Called with each result of this rank's workers.

        Raises
        ------
        RnnlmError
            If a worker ends before its work is done. What the task raises is raised in the rank that did it, and
            by `cli.main` this ends all of them.
        """
        shares = _shares(items, sizes, self._ranks.number)
        self._is_at_work = True
        self._ranks.meet()
        # A pipe that is read here cannot be sent.
        self._ranks.broadcast((self.directory, task, [None, *shares[1:]]))
        own = self._own(task, shares[0], progress, done)
        self._ranks.meet()
        of_ranks = self._ranks.gathered(own)
        self._is_at_work = False
        results = {number: result for of_rank in of_ranks for number, result in of_rank.items()}
        return [results[number] for number in range(len(items))]

    @contextmanager
    def at_work_in(self, directory: Path) -> Iterator[None]:
        """Let all write in a directory within a ``with`` block; then this rank's workers end."""
        self.directory = directory
        try:
            yield
        finally:
            self._workers.end()

    def serve(self, out: Path) -> None:
        """Do what the leader wants done for a dataset, until it lets this rank go; it alone acts on Ctrl-C."""
        with handled([signal.SIGINT], ignore), writing(out), self.at_work_in(out):
            while (work := self._told()) is not None:
                self.directory, task, shares = work
                try:
                    own = self._own(task, shares[self._ranks.rank], ignore, ignore)
                    self._ranks.meet()
                except BaseException:
                    shutil.rmtree(self.directory, ignore_errors=True)
                    raise
                self._ranks.gathered(own)

    def _told(self) -> Any:
        """Wait for what the leader wants done; None if that is all."""
        self._ranks.meet()
        return self._ranks.broadcast(None)

    def _own(
        self, task: Task[Item, Result], share: _Share[Item], progress: Progress, done: Callable[[Result], object]
    ) -> dict[int, Result]:
        """Do this rank's share; return the results by the numbers of their items."""
        self._check_directory()
        try:
            return dict(self._work(task, share, progress, done))
        except FileNotFoundError:
            self._check_directory()
            raise

    def _check_directory(self) -> None:
        """Refuse to write where this rank alone would see it."""
        if self._ranks.number > 1 and not self.directory.is_dir():
            time.sleep(MOST_SECONDS)  # if another rank has failed and removed it, that one ends this one
            raise RnnlmError(
                f"{self.directory}: the first rank has made this directory, and this one does not see it; choose"
                " one on a disk that all of them share with `out`."
            )

    def _work(
        self, task: Task[Item, Result], share: _Share[Item], progress: Progress, done: Callable[[Result], object]
    ) -> Iterator[tuple[int, Result]]:
        """Do a share, and yield the number of each item with its result.

        What is more than a worker's part of it is done here, by all workers together; the rest by workers, item by
        item.
        """
        by_workers: list[int] = []
        for index, size in enumerate(share.sizes):
            if self._number == 1 or size * self._number > sum(share.sizes):
                yield share.numbers[index], task(share.items[index], self._number, progress)
            else:
                by_workers.append(index)
        items = [share.items[index] for index in by_workers]
        for index, result in self._workers.map(partial(_alone, task), items):
            done(result)
            yield share.numbers[by_workers[index]], result


def _shares(items: Sequence[Item], sizes: Sequence[int], number: int) -> list[_Share[Item]]:
    """Divide items among ranks, the largest first, each to the rank that has least to do."""
    loads = [0] * number
    shares: list[list[int]] = [[] for _ in range(number)]
    for index in sorted(range(len(items)), key=lambda index: -sizes[index]):
        rank = loads.index(min(loads))
        loads[rank] += sizes[index]
        shares[rank].append(index)
    return [
        _Share(share, [items[index] for index in share], [sizes[index] for index in share])
        for share in map(sorted, shares)
    ]


def _alone(task: Task[Item, Result], item: Item) -> Result:
    return task(item, 1, ignore)
