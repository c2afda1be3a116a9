"""Two computations at the same time, where each takes one core."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from typing import TypeVar

Result = TypeVar("Result")
Other = TypeVar("Other")


def side_by_side(one: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """Return the results of two functions that share no memory; `other` runs in a thread of its own.

    NumPy gives up Python's lock during a computation, so both compute at once.
    """
    # With the context goes NumPy's handling of overflow.
    result = _second_core().submit(copy_context().run, other)
    try:
        return one(), result.result()
    finally:
        # Whatever happens here, nothing goes on in the memory of the caller.
        wait([result])


@cache
def _second_core() -> ThreadPoolExecutor:
    """Return a thread beside the main one."""
    return ThreadPoolExecutor(1, thread_name_prefix="second core")
