"""Adam, a step size of its own for every weight."""

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.optim.optimizer import Optimizer

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam(Optimizer):
    """Steps along the mean gradient over the root of the mean squared gradient (Kingma and Ba 2015).

    ``m ← β₁ m + (1-β₁) g``, ``v ← β₂ v + (1-β₂) g²``, ``θ ← θ - η m̂ / (√v̂ + ε)``, where ``m̂ = m / (1-β₁ᵗ)`` and
    ``v̂ = v / (1-β₂ᵗ)`` correct at step t for having begun at zero, and ``β₁ = 0.9, β₂ = 0.999, ε = 1e-8``.
    """

    kept = ("mean", "square")

    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Go ``θ ← θ - η m̂ / (√v̂ + ε)``."""
        m, v = kept
        # Both corrections are moved to where they cost no pass over an array.
        root_correction = (1 - BETA2**self.steps) ** 0.5
        step_size = rate * root_correction / (1 - BETA1**self.steps)
        m *= BETA1
        m += (1 - BETA1) * g
        g *= g
        g *= 1 - BETA2
        v *= BETA2
        v += g
        change = np.sqrt(v)
        change += EPSILON * root_correction
        np.divide(m, change, out=change)
        change *= step_size
        theta -= change


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    The weights shrink by ``θ ← θ - η λ θ``, all at one rate, and the means of gradients know nothing of it.
    """

    def decay(self, rate: float, theta: Floats, g: Floats) -> None:
        """Shrink the weights, ``θ ← (1 - η λ) θ``."""
        theta *= 1 - rate * self.weight_decay
