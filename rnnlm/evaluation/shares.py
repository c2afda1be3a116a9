"""Measuring in shares, whose evaluations add up to that of the whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Share:
    """One share of `number` equal ones, counted from 0."""

    index: int
    number: int

    def of(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield every `number`-th of some items."""
        return islice(items, self.index, None, self.number)


ALL = Share(0, 1)
"""The whole."""
