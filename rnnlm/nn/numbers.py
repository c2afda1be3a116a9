"""Numbers that a network reads as they are."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats
from rnnlm.nn.source import Source
from rnnlm.nn.table import Table


class Numbers(Source[Floats]):
    """Hands on the numbers of a window, (T, B, D); it has no weights, and no vectors of tokens.

    Parameters
    ----------
    size
        Numbers at each step, D.
    dtype
        The precision in which the network computes.
    """

    tensor: ClassVar[str] = ""  # type: ignore[misc]
    token_axis = 0
    is_trained = True

    def __init__(self, size: int, dtype: np.dtype[np.floating]) -> None:
        self.table = Table(np.zeros((0, size), dtype))
        self.parameters, self.gradients, self.tables = {}, {}, {}

    def gives_rows(self, inputs: Floats, rng: Generator | None) -> bool:
        """Return that they are no rows of a table."""
        return False

    def forward(self, inputs: Floats, rng: Generator | None = None) -> Floats:
        """Return the numbers in the network's precision."""
        return inputs.astype(self.table.value.dtype, copy=False)

    def backward(self, dx: Floats) -> None:
        """Leave the error: nothing here is trained."""
