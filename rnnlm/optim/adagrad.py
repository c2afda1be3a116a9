"""Adagrad, smaller and smaller steps where gradients have been large."""

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.optim.optimizer import Optimizer

EPSILON = 1e-10


class Adagrad(Optimizer):
    """Steps along the gradient over the root of the sum of all squared gradients (Duchi et al. 2011).

    ``v ← v + g²``, ``θ ← θ - η g / (√v + ε)``, and ``ε = 1e-10``.
    """

    kept = ("square",)

    @property
    def takes_rows(self) -> bool:
        """True without weight decay: a gradient of zero then changes nothing."""
        return not self.weight_decay

    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Go ``θ ← θ - η g / (√v + ε)``."""
        [v] = kept
        v += g * g
        theta -= rate * g / (np.sqrt(v) + EPSILON)
