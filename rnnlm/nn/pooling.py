"""One vector of all the steps of a sequence."""

from abc import ABC, abstractmethod

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Mask, Workspace


class Pooling(ABC):
    """Makes one vector of a sequence's own steps; what stands after its end does not matter.

    Parameters
    ----------
    dtype
        Precision.
    is_bidirectional
        Whether the second half of the features comes from a layer that reads backwards.
    """

    def __init__(self, dtype: np.dtype[np.floating], is_bidirectional: bool = False) -> None:
        self._is_bidirectional = is_bidirectional
        self._workspace = Workspace(dtype)

    def forward(self, y: Floats, lengths: Ids | None = None) -> Floats:
        """Pool the steps of `y` (T, B, F).

        Parameters
        ----------
        y : (T, B, F)
            The steps.
        lengths : (B,)
            How many each sequence has, at least one; None takes all for T long.

        Returns
        -------
        (1, B, F)
            The pooled vectors.
        """
        self._shape = y.shape
        self._lengths = np.full(y.shape[1], len(y)) if lengths is None else lengths
        return self._pool(y)[None]

    def backward(self, error: Floats) -> Floats:
        """Return the error of the steps, (T, B, F), given that of the pooled vectors, (1, B, F)."""
        dy = self._workspace.array("dy", *self._shape)
        self._spread(error[0], dy)
        return dy

    @abstractmethod
    def _pool(self, y: Floats) -> Floats:
        """Return the pooled vectors (B, F) of `y` (T, B, F)."""

    @abstractmethod
    def _spread(self, error: Floats, dy: Floats) -> None:
        """Set the error `dy` of the steps, given that of the pooled vectors (B, F)."""

    def _own(self) -> Mask:
        """Return which steps belong to their sequence, (T, B)."""
        own: Mask = np.arange(self._shape[0])[:, None] < self._lengths
        return own


class LastPooling(Pooling):
    """The last step: that of a layer which reads backwards is the first."""

    def _pool(self, y: Floats) -> Floats:
        return y[self._last_steps()]

    def _spread(self, error: Floats, dy: Floats) -> None:
        dy[...] = 0
        dy[self._last_steps()] = error

    def _last_steps(self) -> tuple[Ids, Ids, Ids]:
        """Return the index of the last step of every feature, (B, F)."""
        _, B, F = self._shape
        steps = np.repeat(self._lengths[:, None] - 1, F, axis=1)
        if self._is_bidirectional:
            steps[:, F // 2 :] = 0
        return steps, np.arange(B)[:, None], np.arange(F)


class MeanPooling(Pooling):
    """The mean of the steps, ``Σ_t y_t / T``."""

    def _pool(self, y: Floats) -> Floats:
        self._weights = np.divide(self._own(), self._lengths, dtype=y.dtype)
        mean: Floats = np.einsum("tbf,tb->bf", y, self._weights)
        return mean

    def _spread(self, error: Floats, dy: Floats) -> None:
        np.multiply(self._weights[..., None], error, out=dy)


class MaxPooling(Pooling):
    """The largest value of each feature (Collobert and Weston 2008); steps that share it share its error."""

    def _pool(self, y: Floats) -> Floats:
        of_own = self._workspace.array("of_own", *y.shape)
        np.copyto(of_own, y)
        of_own[~self._own()] = -np.inf
        largest: Floats = of_own.max(axis=0)
        self._shares = np.equal(of_own, largest, out=of_own, casting="unsafe")
        self._shares /= self._shares.sum(axis=0)
        return largest

    def _spread(self, error: Floats, dy: Floats) -> None:
        np.multiply(self._shares, error, out=dy)


POOLINGS: dict[str, type[Pooling]] = {"last": LastPooling, "mean": MeanPooling, "max": MaxPooling}
