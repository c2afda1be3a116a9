"""The processes that compute together, which MPI calls ranks: `mpiexec` starts them; without it there is one.

All ranks run the same program. What goes through all of them, such as `Ranks.gathered`, every rank must call, and
in the same order.
"""

import platform
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rnnlm.errors import RnnlmError

if TYPE_CHECKING:  # so that nothing heavy is loaded where there is one process
    from rnnlm.nn.arrays import Floats

Value = TypeVar("Value")


class AgreedError(RnnlmError):
    """An error that every rank knows of and ends with: only the first says it."""


class Ranks(ABC):
    """The processes that compute together.

    Attributes
    ----------
    rank
        Which of them this one is, from 0.
    hosts
        The name of each one's machine.
    """

    def __init__(self, rank: int, hosts: Sequence[str]) -> None:
        self.rank, self.hosts = rank, hosts

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.hosts)

    @property
    def is_first(self) -> bool:
        """Whether this one speaks and writes for all."""
        return self.rank == 0

    def __str__(self) -> str:
        hosts = Counter(self.hosts)
        if len(hosts) == 1:
            return f"{self.number} ranks on {self.hosts[0]}"
        return f"{self.number} ranks, {', '.join(f'{number} on {host}' for host, number in hosts.items())}"

    def name(self, rank: int | None = None) -> str:
        """Name a rank for people, or this one, as in "rank 3 on node7"."""
        rank = self.rank if rank is None else rank
        return f"rank {rank} on {self.hosts[rank]}"

    @abstractmethod
    def meet(self) -> None:
        """Wait until all ranks have come so far; asleep, so that signals are acted on and no core is kept busy."""

    @abstractmethod
    def gathered(self, value: Value) -> list[Value]:
        """Return the value that each rank gives, in their order, on all of them."""

    @abstractmethod
    def broadcast(self, value: Value) -> Value:
        """Return the first rank's value on all of them."""

    @abstractmethod
    def sum(self, array: "Floats") -> None:
        """Replace an array, which lies in memory without gaps, by its sum over all ranks."""

    @abstractmethod
    def total(self, number: float) -> float:
        """Return the sum of a number of each rank."""

    @abstractmethod
    def begin_sum(self, array: "Floats") -> Callable[[], object]:
        """Begin what `sum` does, and return what waits until it is done; the array is not touched meanwhile."""

    @abstractmethod
    def abort(self, exit_code: int) -> None:
        """End all ranks at once; a process that is alone goes on to end by itself."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let an error of one rank within a ``with`` block, in which nothing goes through all, end all of them.

        Raises
        ------
        AgreedError
            On every rank, if there was an error on any: the first one's, which names the rank unless all have it.
        """
        error = None
        try:
            yield
        except RnnlmError as raised:
            error = raised
        messages = self.gathered(None if error is None else str(error))
        first = next((rank for rank, message in enumerate(messages) if message is not None), None)
        if first is not None:
            is_common = messages.count(messages[first]) == self.number
            raise AgreedError(
                str(messages[first]) if is_common else f"{self.name(first)}: {messages[first]}"
            ) from error

    def told_by_first(self, make: Callable[[], Value]) -> Value:
        """Return on all ranks what the first makes, alone; an error of it ends all."""
        made: Value | None = None
        with self.together():
            if self.is_first:
                made = make()
        return self.broadcast(made)  # type: ignore[return-value]


class OneProcess(Ranks):
    """A process that computes alone: nothing waits, and nothing is copied."""

    def __init__(self) -> None:
        super().__init__(0, [platform.node()])

    def meet(self) -> None:
        """Do nothing: nobody else comes."""

    def gathered(self, value: Value) -> list[Value]:
        """Return the value alone."""
        return [value]

    def broadcast(self, value: Value) -> Value:
        """Return the value."""
        return value

    def sum(self, array: "Floats") -> None:
        """Leave the array as it is."""

    def total(self, number: float) -> float:
        """Return the number."""
        return number

    def begin_sum(self, array: "Floats") -> Callable[[], object]:
        """Leave the array as it is."""
        return lambda: None

    def abort(self, exit_code: int) -> None:
        """Do nothing."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do nothing: an error goes its way."""
        yield
