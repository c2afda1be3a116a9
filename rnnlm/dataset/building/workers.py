"""Work that several processes share, its results taken in order.

Every worker has a pipe of its own, which ends with it, even if it is killed in the middle of a result. The workers
of `concurrent.futures` and loky share a queue, which then holds half a result, and its reader waits for ever: of
40 stops by SIGTERM, 4 hung with the one and 5 with the other, here none. Their workers also outlive a main process
that is killed. `multiprocessing.Pool` waits for ever for the result of a worker that was killed.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from rnnlm.errors import RnnlmError
from rnnlm.signals import handled

DEATH = "A worker process died, perhaps for want of memory; use fewer `workers`."

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """Apply a function to items, as `map` does, in several processes.

    Parameters
    ----------
    function
        What is done; it, the items and the results are pickled.
    items
        What it is done to; they are read as the workers take them, one ahead.
    workers
        Number of processes; with 1 it is done in this one.

    Raises
    ------
    RnnlmError
        If a worker ends before its work is done. What the function raises is raised here too.
    """
    if workers < 1:
        raise RnnlmError(f"`workers` {workers}: give a whole number from 1.")
    if workers == 1:
        yield from map(function, items)
        return
    crew: deque[_Worker[Item, Result]] = deque()  # in the order of their items
    try:
        for item in items:
            if len(crew) < workers:
                with _stops_held_back():
                    crew.append(_Worker(function))
                crew[-1].send(item)
            else:
                result = crew[0].receive()
                crew[0].send(item)
                crew.rotate(-1)
                yield result
        for worker in crew:
            yield worker.receive()
    finally:
        with _stops_held_back():
            for worker in crew:
                worker.end()


class Workers:
    """Processes that do what they are given, each as soon as it is free; they start when there is work for them.

    Parameters
    ----------
    number
        How many there are at most; with 1 all is done in this process.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._crew: dict[Connection, _Worker[Any, Any]] = {}

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
        """Apply a function to items, and yield the index of each and its result, as they are done.

        Errors are those of `map_in_order`; after one there are no workers left.
        """
        if self._number == 1 or len(items) < 2:
            yield from enumerate(map(function, items))
            return
        waiting = deque(enumerate(items))
        at_work: dict[Connection, int] = {}
        try:
            for _ in range(min(self._number, len(items)) - len(self._crew)):
                with _stops_held_back():
                    worker: _Worker[Any, Any] = _Worker(_apply)
                    self._crew[worker.pipe] = worker
            free = list(self._crew)
            while free or at_work:
                for pipe in free:
                    if waiting:
                        at_work[pipe], item = waiting.popleft()
                        self._crew[pipe].send((function, item))
                free = [pipe for pipe in wait(list(at_work)) if isinstance(pipe, Connection)] if at_work else []
                for pipe in free:
                    yield at_work.pop(pipe), self._crew[pipe].receive()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End them, whatever they do."""
        with _stops_held_back():
            for worker in self._crew.values():
                worker.end()
            self._crew.clear()


def _apply(call: tuple[Callable[[Item], Result], Item]) -> Result:
    function, item = call
    return function(item)


class _Worker(Generic[Item, Result]):
    """A process that applies a function to one item after another; its pipe can be read when it is free."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        context = multiprocessing.get_context("spawn")  # forking is not safe beside NumPy's threads
        self.pipe, pipe_of_worker = context.Pipe()
        self._process = context.Process(target=_work, args=(function, pipe_of_worker), daemon=True)
        with _interrupts_blocked():
            self._process.start()
        pipe_of_worker.close()  # so that the worker's is the last copy, and the pipe ends with it

    def send(self, item: Item) -> None:
        """Give it an item to work on; it must have none."""
        try:
            self.pipe.send(item)
            return
        except OSError:
            pass  # an error that was raised from this one would keep the item's half-sent bytes
        raise RnnlmError(DEATH)

    def receive(self) -> Result:
        """Wait for the result of its item."""
        result: Result
        try:
            result, error = self.pipe.recv()
        except (EOFError, OSError) as ended:
            raise RnnlmError(DEATH) from ended
        if isinstance(error, MemoryError):
            raise RnnlmError(DEATH) from error
        if error is not None:
            raise error
        return result

    def end(self) -> None:
        """Kill it, whatever it does."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _work(function: Callable[[Item], Result], pipe: Connection) -> None:
    with suppress(EOFError, OSError):  # the main process has ended
        while True:
            pipe.send(_outcome(function, pipe.recv()))


def _outcome(function: Callable[[Item], Result], item: Item) -> tuple[Result | None, Exception | None]:
    try:
        return function(item), None
    except Exception as error:
        return None, error


@contextmanager
def _stops_held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait, so that no worker is half started, or forgotten."""
    if threading.current_thread() is not threading.main_thread():  # the only one that signals stop
        yield
        return
    held: list[int] = []
    try:
        with handled((signal.SIGINT, signal.SIGTERM), lambda number, frame: held.append(number)):
            yield
    finally:
        if held:
            signal.raise_signal(held[0])


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C, which a worker inherits: the main process alone acts on it, and ends the workers."""
    if os.name == "nt":  # where there is nothing to inherit
        yield
        return
    resource_tracker.ensure_running()  # else the first start does this, and unblocks Ctrl-C
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
