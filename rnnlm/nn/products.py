"""Products of matrices: large ones shared out between threads, and those of one time step."""

import numpy as np

from rnnlm.nn import threads
from rnnlm.nn.arrays import Floats

UNPACKED = 10**6
"""Multiplications up to which OpenBLAS, on a processor with AVX-512, reads two matrices as they lie."""

WORTH_SHARING = 3 * 10**6
"""Multiplications from which a product is faster on several threads."""


def matmul(a: Floats, b: Floats, out: Floats) -> Floats:
    """Write ``a b``, of some (M, K) and (K, N), to `out` (M, N), and return that."""
    (M, K), N = a.shape, b.shape[1]
    if M * K * N < WORTH_SHARING:
        np.matmul(a, b, out=out)
    elif M >= N:
        threads.shared_out(lambda i, j: np.matmul(a[i:j], b, out=out[i:j]), M)
    else:
        threads.shared_out(lambda i, j: np.matmul(a, b[:, i:j], out=out[:, i:j]), N)
    return out


def product(W: Floats, x: Floats, out: Floats) -> None:
    """Write ``W x``, of some (M, K) and (K, B), to `out` (M, B): the few columns of one time step.

    OpenBLAS copies the matrices of a large product into another order first, which the columns of a step do not
    repay. Where it computes on one core, the product is therefore taken in pieces, some rows of W each, that are
    too small for it. We measured 1.15 to 2.9 times the speed from ten columns to sixty; on several threads of
    OpenBLAS the whole product is faster.
    """
    (M, K), B = W.shape, x.shape[1]
    pieces = _pieces(M, K, B) if threads.number() else 1
    np.matmul(W.reshape(pieces, -1, K), x, out=out.reshape(pieces, -1, B))


def _pieces(M: int, K: int, B: int) -> int:
    """Return into how many equal pieces the M rows are cut; 1 where no number of them divides M."""
    needed = -(-M * K * B // UNPACKED)
    return next((pieces for pieces in range(needed, min(2 * needed, M) + 1) if M % pieces == 0), 1)
