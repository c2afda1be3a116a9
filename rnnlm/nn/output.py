"""The output layer: softmax over the vocabulary, cross-entropy, and their gradient."""

from collections.abc import Iterator

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace

BLOCK_BYTES = 32 << 20
"""Logits are made in blocks of rows of this size: memory stays bounded, and the blocks are few enough that adding
up their weight gradients costs little."""


class SoftmaxOutput:
    """``ŷ = softmax(V s + b)`` and its cross-entropy against the target token.

    There is never an array of (tokens × vocabulary): logits, probabilities and their gradient share one block
    of rows at a time.

    Parameters
    ----------
    weight : (C, H)
        The matrix V of the equations, C tokens in the vocabulary.
    weight_gradient : (C, H)
        Where `loss_and_gradient` leaves the derivative with respect to `weight`.
    bias, bias_gradient : (C,) or None
        The same for the bias.
    """

    def __init__(
        self,
        weight: Floats,
        weight_gradient: Floats,
        bias: Floats | None = None,
        bias_gradient: Floats | None = None,
    ) -> None:
        self.weight, self.weight_gradient = weight, weight_gradient
        self.bias, self.bias_gradient = bias, bias_gradient
        self._workspace = Workspace(weight.dtype)

    def logits(self, s: Floats) -> Floats:
        """Return ``V s + b`` for the rows of `s` (N, H), as (N, C)."""
        logits = self._workspace.array("logits", s.shape[0], self.weight.shape[0])
        np.matmul(s, self.weight.T, out=logits)
        if self.bias is not None:
            logits += self.bias
        return logits

    def log_probs(self, s: Floats) -> Floats:
        """Return the natural logarithm of the softmax for the rows of `s` (N, H), as a new (N, C)."""
        logits = self.logits(s)
        shifted: Floats = logits - logits.max(axis=1, keepdims=True)
        shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return shifted

    def losses(self, s: Floats, targets: Ids) -> Floats:
        """Return the cross-entropy in nats of each row of `s` (N, H) against `targets` (N,), as (N,)."""
        losses = np.empty(len(targets), self.weight.dtype)
        for rows in self._blocks(len(targets)):
            self._exponentials(s[rows], targets[rows], losses[rows])
        return losses

    def loss_and_gradient(self, s: Floats, targets: Ids, scale: float) -> tuple[float, Floats]:
        """Cross-entropy and its derivatives, ``∂L/∂logits = ŷ - y``.

        Parameters
        ----------
        s : (N, H)
            Hidden states.
        targets : (N,)
            The token that followed each.
        scale
            Factor on every derivative (not on the loss).

        Returns
        -------
        loss
            Sum over the rows, in nats.
        ds : (N, H)
            Derivative with respect to `s`. The derivative with respect to weight and bias replaces what
            `weight_gradient` and `bias_gradient` held.
        """
        N = len(targets)
        losses = np.empty(N, self.weight.dtype)
        ds = self._workspace.array("ds", *s.shape)
        part = self._workspace.array("part", *self.weight.shape)
        if N == 0:
            self.weight_gradient[...] = 0
        if self.bias_gradient is not None:
            self.bias_gradient[...] = 0
        for rows in self._blocks(N):
            dlogits, sums = self._exponentials(s[rows], targets[rows], losses[rows])
            dlogits *= scale / sums
            dlogits[np.arange(len(dlogits)), targets[rows]] -= scale
            np.matmul(dlogits, self.weight, out=ds[rows])
            if rows.start == 0:
                np.matmul(dlogits.T, s[rows], out=self.weight_gradient)
            else:
                self.weight_gradient += np.matmul(dlogits.T, s[rows], out=part)
            if self.bias_gradient is not None:
                self.bias_gradient += dlogits.sum(axis=0)
        return float(losses.sum(dtype=np.float64)), ds

    def _blocks(self, rows: int) -> Iterator[slice]:
        """Cut `rows` rows into blocks of nearly equal size whose logits take about `BLOCK_BYTES`."""
        most = max(1, BLOCK_BYTES // (self.weight.shape[0] * self.weight.itemsize))
        blocks = -(-rows // most)
        for block in range(blocks):
            yield slice(rows * block // blocks, rows * (block + 1) // blocks)

    def _exponentials(self, s: Floats, targets: Ids, losses: Floats) -> tuple[Floats, Floats]:
        """Write each row's cross-entropy to `losses`; return the softmax before its division, and its sums.

        The largest logit of a row is subtracted first, so that no exponential overflows.
        """
        logits = self.logits(s)
        logits -= logits.max(axis=1, keepdims=True)
        target_logits = logits[np.arange(len(targets)), targets]
        exponentials = np.exp(logits, out=logits)
        sums = exponentials.sum(axis=1, keepdims=True)
        np.subtract(np.log(sums[:, 0]), target_logits, out=losses)
        return exponentials, sums
