"""Token ids to vectors: a look-up in place of a product with a one-hot vector."""

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace


class Embedding:
    """A table with one row a token: ``y_t = weight[x_t]``.

    The same table serves a one-hot input: there the rows are the columns of the recurrent layer's ``U``, and
    ``U x_t`` is a look-up.

    Parameters
    ----------
    weight : (V, E)
        The table, trained in place.
    gradient : (V, E)
        Where `backward` leaves the derivative of the loss with respect to `weight`.
    shared
        True when another layer has the same `weight` and has written its part into `gradient` before
        `backward` is called (tied weights): then `backward` adds to it.
    """

    def __init__(self, weight: Floats, gradient: Floats, shared: bool = False) -> None:
        self.weight = weight
        self.gradient = gradient
        self.shared = shared
        self._workspace = Workspace(weight.dtype)
        self._ids: Ids = np.empty(0, np.intp)
        self._rows: Ids = np.empty(0, np.intp)

    def forward(self, ids: Ids) -> Floats:
        """Look up `ids` (T, B); returns (T, B, E)."""
        self._ids = ids.ravel()
        y = self._workspace.array("y", *ids.shape, self.weight.shape[1])
        # mode "clip" lets NumPy write into `out` without a buffer; the ids are known to be in range.
        np.take(self.weight, ids, axis=0, out=y, mode="clip")
        return y

    def backward(self, dy: Floats) -> None:
        """Add up the error `dy` (T, B, E) over the places where each token occurred."""
        if not self.shared:
            self.gradient[self._rows] = 0  # the rest is zero since the last step
        order = np.argsort(self._ids, kind="stable")
        self._rows, starts = np.unique(self._ids[order], return_index=True)
        sorted_dy = self._workspace.array("sorted_dy", self._ids.size, self.weight.shape[1])
        np.take(dy.reshape(sorted_dy.shape), order, axis=0, out=sorted_dy, mode="clip")
        self.gradient[self._rows] += np.add.reduceat(sorted_dy, starts, axis=0)
