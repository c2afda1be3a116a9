"""Items that arrive one by one, taken as they come."""

import os
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from rnnlm.text.lines import STDIN

T = TypeVar("T")

MOST_CHARACTERS = 1_000_000
"""The most that is read ahead."""


def _is_awaited(name: str) -> bool:
    """Return whether a file, or ``-`` for standard input, may come bit by bit, as from a pipe or a terminal."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode if name == STDIN else os.stat(name).st_mode
    except (OSError, ValueError):  # there is no such file, or standard input is not a file
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def as_they_come(name: str, items: Iterable[T], most: int, length: Callable[[T], int]) -> Iterator[Iterable[T]]:
    """Yield the items of a file all together, or, from a pipe or a terminal, lists of those that have come.

    A thread of its own reads the items, which may wait for one while others are worked on. An error that they
    raise is raised here, after what came before it. A list has at most `most` items, and `length` returns how many
    characters one has.
    """
    if not _is_awaited(name):
        yield items
        return
    reading = _Reading(items, most, length)
    # A daemon: it may wait for ever, and must not keep the program from ending.
    threading.Thread(target=reading.run, args=(sys.stdin,), daemon=True).start()
    while together := reading.take():
        yield together
    if reading.error is not None:
        raise reading.error


class _Reading(Generic[T]):
    """The items that one thread has read and the other has not taken."""

    def __init__(self, items: Iterable[T], most: int, length: Callable[[T], int]) -> None:
        self.error: BaseException | None = None
        self._items, self._most, self._length = items, most, length
        self._read: deque[T] = deque()
        self._characters = 0
        self._ended = False
        self._changed = threading.Condition()

    def run(self, held: object) -> None:
        """Read all. `held` keeps standard input from being closed by Python, which would wait."""
        try:
            for item in self._items:
                with self._changed:
                    self._changed.wait_for(self._has_room)
                    self._read.append(item)
                    self._characters += self._length(item)
                    self._changed.notify_all()
        except BaseException as error:
            self.error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> list[T]:
        """Wait for an item, and return all that are there; an empty list after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._read or self._ended)
            taken = list(self._read)
            self._read.clear()
            self._characters = 0
            self._changed.notify_all()
        return taken

    def _has_room(self) -> bool:
        return len(self._read) < self._most and self._characters < MOST_CHARACTERS
