"""Softmax over the vocabulary, cross-entropy, and their gradient."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.heads.head import Head
from rnnlm.nn.products import matmul
from rnnlm.nn.table import Table

BLOCK_BYTES = 32 << 20
"""Logits are made in blocks of rows of this size: memory stays bounded, and the blocks are few enough that adding
up their weight gradients costs little."""

CACHE_BYTES = 1 << 19
"""So much of a block goes through the element-wise steps at a time, and stays in the cache meanwhile."""


@contextmanager
def small_blocks(block_bytes: int, cache_bytes: int) -> Iterator[None]:
    """Let small windows be taken in several blocks too, as a gradient check needs them."""
    global BLOCK_BYTES, CACHE_BYTES
    before = BLOCK_BYTES, CACHE_BYTES
    BLOCK_BYTES, CACHE_BYTES = block_bytes, cache_bytes
    try:
        yield
    finally:
        BLOCK_BYTES, CACHE_BYTES = before


def exponentials(logits: Floats, bias: Floats | None, targets: Ids, losses: Floats, sums: Floats) -> None:
    """Replace logits by their exponentials, each row scaled so that its largest is 1.

    Parameters
    ----------
    logits : (N, C)
        What is replaced.
    bias : (C,) or None
        What is added to each row first.
    targets : (N,)
        The class that each row should choose.
    losses, sums : (N,)
        Where the cross-entropy and the sum of the exponentials of each row go.
    """
    ones = np.ones(logits.shape[1], logits.dtype)
    few = max(1, CACHE_BYTES // ones.nbytes)
    for start in range(0, len(logits), few):
        rows = slice(start, start + few)
        block, target = logits[rows], targets[rows]
        if bias is not None:
            block += bias
        # No exponential overflows when the largest logit of its row is subtracted.
        block -= block.max(axis=1, keepdims=True)
        target_logits = block[np.arange(len(target)), target]
        np.exp(block, out=block)
        np.matmul(block, ones, out=sums[rows])
        np.subtract(np.log(sums[rows]), target_logits, out=losses[rows])


class Softmax(Head):
    """``ŷ = softmax(V s + b)`` and its cross-entropy against the target token.

    There is never an array of (tokens × vocabulary): logits and their exponentials share one block of rows at a
    time. The softmax ``ŷ = e / Σe`` itself is never formed either. With ``δ = e - y Σe``, which is the derivative
    ``∂L/∂logits = ŷ - y`` times Σe, the division is left to what is smaller:

    ::

        ∂L/∂s_n = (Σ_c δ_nc V_c) / Σ_c e_nc        ∂L/∂V_c = Σ_n δ_nc (s_n / Σ_c' e_nc')

    Parameters
    ----------
    table : (C, H)
        The matrix V of the equations, C tokens in the vocabulary, or C classes.
    bias, bias_gradient : (C,) or None
        b and its derivative.
    workspace
        Scratch memory; None makes one.
    """

    exponentials = staticmethod(exponentials)

    def __init__(
        self,
        table: Table,
        bias: Floats | None = None,
        bias_gradient: Floats | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self.table, self.tables = table, {"weight": table}
        self.bias, self.bias_gradient = bias, bias_gradient
        self.parameters, self.gradients = {"weight": table.value}, {"weight": table.gradient}
        if bias is not None and bias_gradient is not None:
            self.parameters["bias"], self.gradients["bias"] = bias, bias_gradient
        self.class_parameters = tuple(self.parameters)
        self._workspace = workspace or Workspace(table.value.dtype)

    @property
    def products(self) -> int:
        """Weights that take part in a product for every token, in training."""
        return self.table.value.size

    def begin(self) -> None:
        """Begin a gradient: what was added before counts no more."""
        self.table.begin()
        if self.bias_gradient is not None:
            self.bias_gradient[...] = 0

    def log_probs(self, s: Floats) -> Floats:
        """Return the natural logarithm of the softmax for the rows of `s` (N, H), as a new (N, C)."""
        V = self.table.value
        logits = matmul(s, V.T, self._workspace.array("logits", len(s), len(V)))
        if self.bias is not None:
            logits += self.bias
        log_probs: Floats = logits - logits.max(axis=1, keepdims=True)
        log_probs -= np.log(np.exp(log_probs, out=logits).sum(axis=1, keepdims=True))
        return log_probs

    def losses(self, s: Floats, targets: Ids, rng: Generator | None = None) -> Floats:
        """Return the cross-entropy in nats of each row of `s` (N, H) against `targets` (N,), as (N,)."""
        losses, sums = np.empty((2, len(targets)), s.dtype)
        for block in self._blocks(len(targets)):
            self._exponentials(s[block], targets[block], losses[block], sums[block])
        return losses

    def loss_and_gradient(
        self, s: Floats, targets: Ids, scale: float, rng: Generator | None = None
    ) -> tuple[float, Floats]:
        """Compute the cross-entropy and its derivatives; see `Head.loss_and_gradient`."""
        losses, sums = np.empty((2, len(targets)), s.dtype)
        ds, scaled_s = self._workspace.array("ds", *s.shape), self._workspace.array("scaled_s", *s.shape)
        for block in self._blocks(len(targets)):
            delta = self._exponentials(s[block], targets[block], losses[block], sums[block])
            delta[np.arange(len(delta)), targets[block]] -= sums[block]
            factors = scale / sums[block]
            matmul(delta, self.table.value, ds[block])
            ds[block] *= factors[:, None]
            np.multiply(s[block], factors[:, None], out=scaled_s[block])
            self.table.add_product(delta, scaled_s[block])
            if self.bias_gradient is not None:
                self.bias_gradient += factors @ delta
        return float(losses.sum(dtype=np.float64)), ds

    def _blocks(self, rows: int) -> Iterator[slice]:
        """Cut `rows` rows into blocks of nearly equal size whose logits take about `BLOCK_BYTES`."""
        V = self.table.value
        most = max(1, BLOCK_BYTES // (len(V) * V.itemsize))
        blocks = max(1, -(-rows // most))  # one of no rows sets the gradient to zero
        for block in range(blocks):
            yield slice(rows * block // blocks, rows * (block + 1) // blocks)

    def _exponentials(self, s: Floats, targets: Ids, losses: Floats, sums: Floats) -> Floats:
        """Return e of a block of rows (N, C); see `exponentials`."""
        V = self.table.value
        e = matmul(s, V.T, self._workspace.array("logits", len(s), len(V)))
        self.exponentials(e, self.bias, targets, losses, sums)
        return e
