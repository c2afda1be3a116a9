"""Dropout on the connections that do not recur."""

import numpy as np

from rnnlm.nn.arrays import Floats, Workspace


class Dropout:
    """Set each feature to zero with probability p and scale the others by 1 / (1 - p).

    References
    ----------
    Srivastava et al. 2014; between the layers of a recurrent network, Zaremba et al. 2014.
    """

    def __init__(self, probability: float, dtype: np.dtype[np.floating]) -> None:
        self.probability = probability
        self._workspace = Workspace(dtype)
        self._mask: Floats | None = None

    def forward(self, x: Floats, rng: np.random.Generator | None) -> Floats:
        """Drop features of `x`, any shape. Without `rng` (evaluation), or with p = 0, return `x` itself."""
        if rng is None or self.probability == 0:
            self._mask = None
            return x
        mask = self._mask = self._workspace.array("mask", *x.shape)
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
