"""Products of a weight matrix with the few columns of one time step."""

import numpy as np

from rnnlm.nn.arrays import Floats

UNPACKED = 10**6
"""Multiplications up to which OpenBLAS, on a processor with AVX-512, reads two matrices as they lie."""


def product(W: Floats, x: Floats, out: Floats, *, one_core: bool) -> None:
    """Write ``W x``, of some (M, K) and (K, B), to `out` (M, B).

    OpenBLAS copies the matrices of a large product into another order first, which the columns of a step do not
    repay. On one core the product is therefore taken in pieces, some rows of W each, that are too small for it. We
    measured 1.15 to 2.9 times the speed from ten columns to sixty; on two cores the whole product is faster.
    """
    (M, K), B = W.shape, x.shape[1]
    pieces = _pieces(M, K, B) if one_core else 1
    np.matmul(W.reshape(pieces, -1, K), x, out=out.reshape(pieces, -1, B))


def _pieces(M: int, K: int, B: int) -> int:
    """Return into how many equal pieces the M rows are cut; 1 where no number of them divides M."""
    needed = -(-M * K * B // UNPACKED)
    return next((pieces for pieces in range(needed, min(2 * needed, M) + 1) if M % pieces == 0), 1)
