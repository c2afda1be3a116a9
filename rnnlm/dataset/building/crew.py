"""The processes that share the work on a corpus, and who of them does what.

Each rank has its share of the sections of a corpus, and does it with as many workers as it has; see `ranks` and
`dataset.building.workers`. Large data goes through files in a directory that all of them see; what goes from one
process to another is small.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from rnnlm.dataset.building.workers import map_as_free
from rnnlm.errors import RnnlmError
from rnnlm.ranks.ranks import AgreedError, Ranks

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress: TypeAlias = Callable[[int], object]
"""Is told the number of characters processed since the last call."""

Task: TypeAlias = Callable[[Item, int, Progress], Result]
"""What any process can do to an item, with so many workers if it can use them; all is pickled."""


def ignore(_: Any) -> None:
    """Do nothing with what is told."""


class _Share(NamedTuple, Generic[Item]):
    """The items of one rank, in order: their numbers, themselves, and how much work each is."""

    numbers: list[int]
    items: list[Item]
    sizes: list[int]


class Crew:
    """The processes that share the work: the first rank leads, the others `serve`.

    Parameters
    ----------
    ranks
        All ranks.
    workers
        Processes that this rank works with, from 1.
    """

    def __init__(self, ranks: Ranks, workers: int) -> None:
        if workers < 1:
            raise RnnlmError(f"`workers` {workers}: give a whole number from 1.")
        self._ranks, self._workers = ranks, workers
        self._is_at_work = False

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the others go; an error that comes while they wait is not that of one rank."""
        if self._ranks.number == 1 or self._is_at_work or not (error is None or isinstance(error, RnnlmError)):
            return
        self._ranks.broadcast(None)
        if error is not None:
            raise AgreedError(str(error)) from error

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
        self._ranks.broadcast((task, [None, *shares[1:]]))  # a pipe that is read here cannot be sent
        own = dict(_work(task, shares[0], self._workers, progress, done))
        results: dict[int, Result] = {}
        for of_rank in self._ranks.gathered(own):
            results.update(of_rank)
        self._is_at_work = False
        return [results[number] for number in range(len(items))]


def serve(ranks: Ranks, workers: int) -> None:
    """Do what the leading rank wants done, until it lets this one go."""
    while (work := ranks.broadcast(None)) is not None:
        task, shares = work
        ranks.gathered(dict(_work(task, shares[ranks.rank], workers, ignore, ignore)))


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


def _work(
    task: Task[Item, Result],
    share: _Share[Item],
    workers: int,
    progress: Progress,
    done: Callable[[Result], object],
) -> Iterator[tuple[int, Result]]:
    """Do a share, and yield the number of each item with its result.

    What is more than a worker's part of it is done here, by all workers together; the rest by workers, item by
    item.
    """
    by_workers: list[int] = []
    for index, size in enumerate(share.sizes):
        if workers == 1 or size * workers > sum(share.sizes):
            yield share.numbers[index], task(share.items[index], workers, progress)
        else:
            by_workers.append(index)
    each = partial(_alone, task)
    for index, result in map_as_free(each, [share.items[index] for index in by_workers], workers):
        done(result)
        yield share.numbers[by_workers[index]], result


def _alone(task: Task[Item, Result], item: Item) -> Result:
    return task(item, 1, ignore)
