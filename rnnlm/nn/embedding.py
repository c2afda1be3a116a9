"""Token ids to vectors: a look-up in place of a product with a one-hot vector."""

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, TableGradient, Workspace
from rnnlm.nn.dropout import Dropout


class Embedding:
    """A table with one row a token: ``y_t = weight[x_t]``.

    The same table serves a one-hot input: there the rows are the columns of the recurrent layer's ``U``, and
    ``U x_t`` is a look-up.

    Parameters
    ----------
    weight : (V, E)
        The table, trained in place.
    gradient
        Where the derivative of the loss with respect to `weight` is left.
    shared
        True when another layer has the same `weight` and has written its part into `gradient` before this one
        does (tied weights): then it is added to.
    word_dropout
        Probability with which a word is dropped wherever it stands in a window (Gal and Ghahramani 2016, Merity
        et al. 2017); only while training.
    """

    def __init__(
        self, weight: Floats, gradient: TableGradient, shared: bool = False, word_dropout: float = 0.0
    ) -> None:
        self.weight = weight
        self.gradient = gradient
        self.shared = shared
        self._word_dropout = Dropout(word_dropout, weight.dtype)
        self._workspace = Workspace(weight.dtype)

    def forward(self, ids: Ids, rng: np.random.Generator | None = None) -> Floats:
        """Look up `ids` (T, B); returns (T, B, E). `rng` draws which words are dropped, None drops none."""
        self._ids = ids.ravel()
        y = self._workspace.array("y", *ids.shape, self.weight.shape[1])
        # mode "clip" lets NumPy write into `out` without a buffer; the ids are known to be in range.
        np.take(self.weight, ids, axis=0, out=y, mode="clip")
        self._kept: Floats | None = None
        if rng is not None and self._word_dropout.probability > 0:
            words = np.ones((len(self.weight), 1), y.dtype)
            self._kept = self._word_dropout.forward(words, rng)[ids]
            y *= self._kept
        return y

    def backward(self, dy: Floats) -> None:
        """Add up the error `dy` (T, B, E) over the places where each token occurred."""
        if self._kept is not None:
            dy = dy * self._kept
        if not self.shared:
            self.gradient.clear()
        self.gradient.add(self._ids, dy.reshape(-1, dy.shape[2]))

    def backward_table(self, dtable: Floats) -> None:
        """Take the derivative (V, E) with respect to a table that was read as a whole, not by `forward`."""
        if self.shared:
            self.gradient.values += dtable
        else:
            self.gradient.values[...] = dtable
        self.gradient.rows = None
