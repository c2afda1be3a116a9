"""Adam, a step size of its own for every weight."""

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.optim.sgd import SGD

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam(SGD):
    """Steps along the mean gradient over the root of the mean squared gradient (Kingma and Ba 2015).

    ``m ← β₁ m + (1-β₁) g``, ``v ← β₂ v + (1-β₂) g²``, ``θ ← θ - η m̂ / (√v̂ + ε)``, where ``m̂`` and ``v̂`` are
    corrected for having begun at zero, and ``β₁ = 0.9, β₂ = 0.999, ε = 1e-8``.

    Parameters
    ----------
    parameters, gradients
        Arrays by name.
    weight_decay
        λ, the weight of the L2 penalty ``g ← g + λ θ``.
    """

    def __init__(
        self, parameters: dict[str, Floats], gradients: dict[str, Floats], weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, gradients, weight_decay)
        self._steps = 0
        self._means = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._squares = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._scratch = {name: np.empty_like(value) for name, value in parameters.items()}

    def step(self, learning_rate: float) -> None:
        """Change the parameters in place with η = `learning_rate`; uses the gradients up."""
        self._steps += 1
        # m̂ / (√v̂ + ε) with both corrections moved to where they cost no pass over an array.
        root_correction = (1 - BETA2**self._steps) ** 0.5
        step_size = learning_rate * root_correction / (1 - BETA1**self._steps)
        for name, parameter in self.parameters.items():
            gradient, scratch = self.gradients[name], self._scratch[name]
            mean, square = self._means[name], self._squares[name]
            if self.weight_decay:
                np.multiply(parameter, self.weight_decay, out=scratch)
                gradient += scratch
            np.multiply(gradient, 1 - BETA1, out=scratch)
            mean *= BETA1
            mean += scratch
            gradient *= gradient
            gradient *= 1 - BETA2
            square *= BETA2
            square += gradient
            np.sqrt(square, out=scratch)
            scratch += EPSILON * root_correction
            np.divide(mean, scratch, out=scratch)
            scratch *= step_size
            parameter -= scratch

    def state(self) -> dict[str, Floats]:
        """Return what a resumed run needs, as arrays by name."""
        return {
            "steps": np.array([self._steps], np.float64),
            **{f"mean.{name}": value for name, value in self._means.items()},
            **{f"square.{name}": value for name, value in self._squares.items()},
        }

    def load_state(self, state: dict[str, Floats]) -> None:
        """Go on from what `state` returned."""
        self._steps = int(state["steps"][0])
        for name in self.parameters:
            self._means[name][...] = state[f"mean.{name}"]
            self._squares[name][...] = state[f"square.{name}"]
