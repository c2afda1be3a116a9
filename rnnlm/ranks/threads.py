"""How many threads each of several ranks may use."""

import os

from rnnlm import blas
from rnnlm.ranks.ranks import Ranks


def threads_of_rank(ranks: Ranks) -> int | None:
    """Return this rank's share of the cores that it may run on, at least one; None for a process that is alone.

    Ranks share a core if they are on the same host and were not bound to other ones by what started them. There
    are never more than the BLAS has by itself, which may have been told by a variable.
    """
    every = list(zip(ranks.hosts, ranks.gathered(_cores()), strict=True))
    host, cores = every[ranks.rank]
    sharing = sum(each == host and not cores.isdisjoint(other) for each, other in every)
    return None if ranks.number == 1 else max(1, min(blas.threads(), len(cores) // sharing))


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))
