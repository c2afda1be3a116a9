"""A matrix with a row for each token, and its gradient."""

from collections.abc import Callable

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.products import matmul


class Table:
    """A matrix (V, E) with a row for each token, and its gradient, of which a step may use few rows.

    Parts of a network that share their weights share a table. Each adds its gradient, in whatever order.

    Parameters
    ----------
    value : (V, E)
        The weights, trained in place.
    gradient : (V, E)
        Memory for the gradient; None takes some.

    Attributes
    ----------
    rows : (N,) or None
        The different rows outside of which the gradient is zero, in rising order; None if no row need be.
    tracks_rows
        Whether `rows` are noted. In return, the gradient is changed from outside in these rows only.
    """

    def __init__(self, value: Floats, gradient: Floats | None = None) -> None:
        self.value = value
        self.gradient = np.zeros_like(value) if gradient is None else gradient
        self.rows: Ids | None = None
        self.tracks_rows = False
        self._is_begun = False
        self._workspace = Workspace(value.dtype)

    def begin(self) -> None:
        """Begin a gradient: what was added before counts no more."""
        # The memory is cleared when rows are added; a whole gradient overwrites it.
        self._is_begun = True

    def add_rows(self, ids: Ids, rows: Floats) -> None:
        """Add row n of `rows` (N, E) to row ``ids[n]``; an id may occur more than once."""
        self.add_distinct(*sums_by_id(ids, rows, self._workspace))

    def add_distinct(self, ids: Ids, rows: Floats) -> None:
        """Add row n of `rows` (N, E) to row ``ids[n]``, no id twice."""
        # The rows are noted first, so that an interrupted step leaves nothing that the next would not clear.
        if self._is_begun:
            self.gradient[slice(None) if self.rows is None else self.rows] = 0
            self.rows = np.sort(ids) if self.tracks_rows else None
            self.gradient[ids] = rows
            self._is_begun = False
        else:
            self.rows = None if self.rows is None else np.union1d(self.rows, ids)
            self.gradient[ids] += rows

    def add_product(self, a: Floats, b: Floats) -> None:
        """Add ``aᵀ b`` of some (N, V) and (N, E)."""
        self.add_written(lambda out: matmul(a.T, b, out))

    def add_written(self, write: Callable[[Floats], object]) -> None:
        """Add a gradient of all rows, which `write` writes to the memory (V, E) that it is given."""
        if self._is_begun:
            write(self.gradient)
            self._is_begun = False
        else:
            scratch = self._workspace.array("scratch", *self.gradient.shape)
            write(scratch)
            self.gradient += scratch
        self.rows = None

    def add(self, whole: Floats) -> None:
        """Add a gradient (V, E) of all rows."""
        if self._is_begun:
            self.gradient[...] = whole
            self._is_begun = False
        else:
            self.gradient += whole
        self.rows = None


def sums_by_id(ids: Ids, rows: Floats, workspace: Workspace) -> tuple[Ids, Floats]:
    """Return the different `ids` (N,) in rising order, and the sum of the `rows` (N, E) of each."""
    order = np.argsort(ids, kind="stable")
    different, starts = np.unique(ids[order], return_index=True)
    in_order = workspace.array("rows_in_order", *rows.shape)
    # mode "clip" lets NumPy write into `out` without a buffer; the order is in range.
    np.take(rows, order, axis=0, out=in_order, mode="clip")
    return different, np.add.reduceat(in_order, starts, axis=0)
