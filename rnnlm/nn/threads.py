"""Threads that share a computation, in place of those of the BLAS.

NumPy and the compiled passes give up Python's lock while they compute. Where threads are in use here, the BLAS
computes each product on one: threads of its own would wait for the next product on a core that others can use.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache, partial
from itertools import pairwise
from typing import TypeVar

Result = TypeVar("Result")
Other = TypeVar("Other")

_number = 0
_sharing = threading.local()


def use(number: int) -> None:
    """Share computations between so many threads from now on; 0, as at first, leaves threads to the BLAS."""
    global _number
    _number = number


def number() -> int:
    """Return how many threads share computations; 0 where threads are left to the BLAS."""
    return _number


def free() -> int:
    """Return how many threads can share what is computed next: one within a computation that is shared already."""
    return 1 if _is_shared() else max(1, _number)


def side_by_side(one: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """Return the results of two functions that share no memory, computed at the same time on two threads."""
    if _number < 2 or _is_shared():
        return one(), other()
    # With the context goes NumPy's handling of overflow.
    result = _others(_number - 1).submit(copy_context().run, _share, other)
    try:
        return _share(one), result.result()
    finally:
        # Whatever happens here, nothing goes on in the memory of the caller.
        wait([result])


def shared_out(compute: Callable[[int, int], object], size: int) -> None:
    """Compute `size` parts, which depend on none of each other, on all threads.

    ``compute(first, last)`` computes those from `first` to before `last`. Within a computation that is shared
    already, one thread does all of them.
    """
    shares = min(free(), max(1, size))
    bounds = [size * k // shares for k in range(shares + 1)]
    mine, *others = (partial(compute, *ends) for ends in pairwise(bounds))
    results = [_others(_number - 1).submit(copy_context().run, _share, other) for other in others]
    try:
        _share(mine) if results else mine()
    finally:
        wait(results)
    for result in results:
        result.result()


def _share(compute: Callable[[], Result]) -> Result:
    """Compute a share, within which nothing is shared again: all threads have theirs."""
    _sharing.is_on = True
    try:
        return compute()
    finally:
        _sharing.is_on = False


def _is_shared() -> bool:
    return getattr(_sharing, "is_on", False)


@cache
def _others(number: int) -> ThreadPoolExecutor:
    """Return the threads beside the main one."""
    return ThreadPoolExecutor(number, thread_name_prefix="share")
