"""A program of several ranks that meet, and then one of them does something; the first prints what all have seen.

Usage: mpiexec -n N python -m tests.ranks.meet WHAT RANK
"""

import json
import os
import signal
import sys

import numpy as np

from rnnlm.cli import main as cli
from rnnlm.errors import RnnlmError
from rnnlm.ranks.joining import current, is_first, join
from rnnlm.ranks.threads import threads_of_rank


def meet(what: str, who: int) -> None:
    ranks = join()
    assert join() is ranks is current()
    assert is_first() == ranks.is_first == (ranks.rank == 0)
    if ranks.rank == who:
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "error":
            raise RnnlmError("its disk is full.")
        if what == "bug":
            raise ZeroDivisionError
    with ranks.together():
        if what == "all" or (what == "some" and ranks.rank >= who):
            raise RnnlmError("`data`: there is none.")
    array = np.arange(5, dtype=np.float32) + ranks.rank
    later = array.copy()
    wait = ranks.begin_sum(later)
    ranks.sum(array)
    wait()
    seen = {
        "number": ranks.number,
        "gathered": ranks.gathered(ranks.rank),
        "broadcast": ranks.broadcast(ranks.rank),
        "told": ranks.told_by_first(lambda: [ranks.rank]),
        "sum": array.tolist(),
        "later": later.tolist(),
        "total": ranks.total(ranks.rank + 0.5),
        "threads": threads_of_rank(ranks),
        "hosts": len(set(ranks.hosts)),
    }
    assert all(each == seen for each in ranks.gathered(seen))
    if ranks.is_first:
        print(json.dumps(seen))


if __name__ == "__main__":
    what, who = sys.argv[1], int(sys.argv[2])
    cli.__globals__["cli"].main = lambda **_: meet(what, who)
    cli()
