"""Element-wise functions."""

import numpy as np

from rnnlm.nn.arrays import Floats


def sigmoid_in_place(x: Floats) -> None:
    """Replace x by ``σ(x) = ½ tanh(x/2) + ½``: NumPy's tanh is vectorized and cannot overflow."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5
