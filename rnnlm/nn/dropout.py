"""Dropout on the connections that do not recur."""

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Workspace
from rnnlm.nn.draws import ColumnDraws


class Dropout:
    """Set each feature to zero with probability p and scale the others by 1 / (1 - p).

    Parameters
    ----------
    probability
        p.
    dtype
        Precision of what is dropped.
    variational
        Whether a sequence keeps one mask for all of its time steps.
    of_weights
        Whether what is dropped are weights, and no features (T, B, F) of the sequences of a batch.

    References
    ----------
    Srivastava et al. 2014; between the layers of a recurrent network, Zaremba et al. 2014; one mask a sequence,
    Gal and Ghahramani 2016.
    """

    def __init__(
        self,
        probability: float,
        dtype: np.dtype[np.floating],
        variational: bool = False,
        *,
        of_weights: bool = False,
    ) -> None:
        self.probability = probability
        self.variational, self.of_weights = variational, of_weights
        self._workspace = Workspace(dtype)
        self._mask: Floats | None = None

    def forward(self, x: Floats, rng: Generator | None) -> Floats:
        """Drop elements of `x`, its first axis being time. Without `rng`, or with p = 0, return `x` itself."""
        if rng is None or self.probability == 0:
            self._mask = None
            return x
        steps = 1 if self.variational else len(x)
        mask = self._mask = self._workspace.array("mask", steps, *x.shape[1:])
        if isinstance(rng, ColumnDraws) and not self.of_weights:
            rng.fill(mask)
        else:
            rng.random(dtype=mask.dtype, out=mask)
        np.greater_equal(mask, self.probability, out=mask, casting="unsafe")
        mask *= 1 / (1 - self.probability)
        y = self._workspace.array("y", *x.shape)
        np.multiply(x, mask, out=y)
        return y

    def backward(self, dy: Floats) -> Floats:
        """Send the error `dy` back through the features that were kept, in place."""
        if self._mask is not None:
            dy *= self._mask
        return dy
