"""Products of matrices and sums of rows, large ones shared out between threads; products of one time step."""

from typing import Protocol

import numpy as np

from rnnlm.nn import threads
from rnnlm.nn.arrays import Floats, Ids

UNPACKED = 10**6
"""Multiplications up to which OpenBLAS, on a processor with AVX-512, reads two matrices as they lie."""

WORTH_SHARING = 3 * 10**6
"""Multiplications from which a product is faster on several threads."""

NUMBERS_WORTH_SHARING = 10**5
"""Numbers from which they are added faster on several threads."""


class Compiled(Protocol):
    """Compiled functions that threads share; see `rnnlm.nn.kernels._passes`."""

    def multiply(self, a: Floats, b: Floats, out: Floats, threads: int) -> bool:
        """Do as `matmul`, or return False."""

    def add_up(self, rows: Floats, ids: Ids, out: Floats, threads: int) -> None:
        """Do as `add_up`."""

    def descend(self, theta: Floats, g: Floats, factor: float, threads: int) -> None:
        """Do as `descend`."""


_compiled: Compiled | None = None


def use(compiled: Compiled | None) -> None:
    """Share computations by these functions from now on; None leaves all to NumPy."""
    global _compiled
    _compiled = compiled


def matmul(a: Floats, b: Floats, out: Floats) -> Floats:
    """Write ``a b``, of some (M, K) and (K, N), to `out` (M, N), and return that."""
    (M, K), N = a.shape, b.shape[1]
    if M * K * N < WORTH_SHARING or threads.free() == 1:
        np.matmul(a, b, out=out)
    elif _compiled is not None and _compiled.multiply(a, b, out, threads.free()):
        pass
    elif M >= N:
        threads.shared_out(lambda i, j: np.matmul(a[i:j], b, out=out[i:j]), M)
    else:
        threads.shared_out(lambda i, j: np.matmul(a, b[:, i:j], out=out[:, i:j]), N)
    return out


def add_up(rows: Floats, ids: Ids, out: Floats) -> None:
    """Write the sums of those `rows` (N, n) that have the same id (N,) to `out` (C, n).

    NumPy's are a product with ones and zeros, one row of them for each id.
    """
    if _compiled is not None and rows.flags.c_contiguous:
        _compiled.add_up(rows, ids, out, threads.free() if rows.size >= NUMBERS_WORTH_SHARING else 1)
    else:
        belongs = np.zeros((len(out), len(rows)), rows.dtype)
        belongs[ids, np.arange(len(rows))] = 1
        matmul(belongs, rows, out)


def descend(theta: Floats, g: Floats, factor: float) -> bool:
    """Subtract `factor` times the numbers g from θ, in one pass over both; False where NumPy would have to."""
    if _compiled is None:
        return False
    shares = threads.free() if theta.size >= NUMBERS_WORTH_SHARING else 1
    _compiled.descend(theta.ravel(order="K"), g.ravel(order="K"), factor, shares)
    return True


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
