"""Array types, and the scratch memory that training steps share."""

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


LINE = 64
"""Bytes that a processor reads at a time; a vector of compiled passes that lies in two such lines takes longer."""


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
            buffer = self._buffers[name] = _aligned(size, self.dtype)
        return buffer[:size].reshape(shape)

    def columns(self, name: str, rows: Floats) -> Floats:
        """Lay (T, B, n) out as (T, n, B), in the array `name`."""
        T, B, n = rows.shape
        columns = self.array(name, T, n, B)
        np.copyto(columns, rows.transpose(0, 2, 1))
        return columns

    def rows(self, name: str, columns: Floats) -> Floats:
        """Lay (T, n, B), or (T, G, H, B) with n = G·H, out as (T, B, n), in the array `name`."""
        T, B = len(columns), columns.shape[-1]
        columns = columns.reshape(T, -1, B)
        rows = self.array(name, T, B, columns.shape[1])
        np.copyto(rows, columns.transpose(0, 2, 1))
        return rows


def _aligned(size: int, dtype: np.dtype[np.floating]) -> Floats:
    """Return an array of `size` numbers that begins where a line does."""
    memory = np.empty(size * dtype.itemsize + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size * dtype.itemsize].view(dtype)
