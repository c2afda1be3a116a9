"""Array types, the scratch memory that training steps share, and gradients of tables."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating]
"""An array of real numbers, float32 in training and float64 in gradient checks."""

Ids: TypeAlias = NDArray[np.integer]
"""An array of token ids."""

Mask: TypeAlias = NDArray[np.bool_]
"""True where a position counts."""


class Workspace:
    """Arrays by name that are allocated once and used again at every step.

    Fresh large arrays cost page faults, so layers write their intermediate results here. A buffer grows to
    the largest size asked for and never shrinks; two live arrays need two names.

    Parameters
    ----------
    dtype
        Element type of every array.
    """

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self.dtype = dtype
        self._buffers: dict[str, Floats] = {}

    def array(self, name: str, *shape: int) -> Floats:
        """Return the array `name` in the given shape, its contents undefined."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, self.dtype)
        return buffer[:size].reshape(shape)


class TableGradient:
    """The gradient of a table (V, E) of which a step may use few rows.

    Parameters
    ----------
    values : (V, E)
        Where the gradient is kept.

    Attributes
    ----------
    rows : (N,) or None
        The different rows outside of which `values` is zero, in rising order; None if no row need be.
    tracks_rows
        Whether `clear`, `add` and `replace` take note of the rows. Whoever sets it changes `values` in these only.
    """

    def __init__(self, values: Floats) -> None:
        self.values = values
        self.rows: Ids | None = None
        self.tracks_rows = False
        self._workspace = Workspace(values.dtype)

    def clear(self) -> None:
        """Set the gradient to zero."""
        self.values[slice(None) if self.rows is None else self.rows] = 0
        self.rows = np.empty(0, np.intp) if self.tracks_rows else None

    def replace(self, ids: Ids, rows: Floats) -> None:
        """Set row ``ids[n]`` to row n of `rows` (N, E), no id twice, and every other row to zero."""
        self.clear()
        self.values[ids] = rows
        if self.rows is not None:
            self.rows = np.sort(ids)

    def add(self, ids: Ids, rows: Floats) -> None:
        """Add row n of `rows` (N, E) to row ``ids[n]``; an id may occur more than once."""
        added = add_rows(self.values, ids, rows, self._workspace)
        if self.rows is not None:
            self.rows = np.union1d(self.rows, added)


def add_rows(table: Floats, ids: Ids, rows: Floats, workspace: Workspace) -> Ids:
    """Add row n of `rows` (N, E) to row ``ids[n]`` of `table` (V, E), and return the different ids."""
    order = np.argsort(ids, kind="stable")
    different, starts = np.unique(ids[order], return_index=True)
    in_order = workspace.array("rows_in_order", *rows.shape)
    # mode "clip" lets NumPy write into `out` without a buffer; the order is in range.
    np.take(rows, order, axis=0, out=in_order, mode="clip")
    table[different] += np.add.reduceat(in_order, starts, axis=0)
    return different
