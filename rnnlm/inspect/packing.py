"""Arrays as text in a page, as small as they can be."""

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

from rnnlm.nn.arrays import Floats

STEPS = 15
"""Values of a unit are kept in whole steps, so many from 0 to the largest: finer than colours tell."""

LEVEL = 1
"""How hard zlib tries; more takes longer and saves little."""


def packed(array: NDArray[np.generic]) -> str:
    """Return the numbers of an array, the lowest byte of each first, as zlib's data in base64."""
    content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(zlib.compress(content, LEVEL)).decode()


def in_steps(values: Floats) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the values of some units (N, H) in whole steps, (H, N), and how large each unit's values get, (H,).

    A value is its step times the unit's largest value, by `STEPS`.
    """
    largest = np.abs(values).max(axis=0, initial=0).astype(np.float32)
    scaled = values / np.where(largest > 0, largest, 1) * STEPS
    return np.ascontiguousarray(np.rint(scaled).T, np.int8), largest
