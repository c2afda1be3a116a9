"""RMSprop, steps of like size whatever the size of the gradients."""

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.optim.optimizer import Optimizer

ALPHA, EPSILON = 0.99, 1e-8


class RMSprop(Optimizer):
    """Steps along the gradient over the root of the mean squared gradient (Tieleman and Hinton 2012).

    ``v ← α v + (1-α) g²``, ``θ ← θ - η g / (√v + ε)``, and ``α = 0.99, ε = 1e-8``.
    """

    kept = ("square",)

    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Go ``θ ← θ - η g / (√v + ε)``."""
        [v] = kept
        v *= ALPHA
        v += (1 - ALPHA) * g * g
        theta -= rate * g / (np.sqrt(v) + EPSILON)
