"""The element-wise steps of the softmax, compiled."""

import numpy as np

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.kernels import _passes
from rnnlm.nn.threads import shared_out

WORTH_SHARING = 10**5
"""Exponentials from which they are faster on several threads."""


def exponentials(logits: Floats, bias: Floats | None, targets: Ids, losses: Floats, sums: Floats) -> None:
    """Replace logits by their exponentials, in one pass over a row; see `rnnlm.nn.heads.softmax.exponentials`."""
    targets = np.ascontiguousarray(targets, np.int64)

    def rows(first: int, last: int) -> None:
        _passes.exponentials(logits, bias, targets, losses, sums, first, last)

    if logits.size < WORTH_SHARING:
        rows(0, len(logits))
    else:
        shared_out(rows, len(logits))
