"""Adam, a step size of its own for every weight."""

from collections.abc import Iterator

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.optim.sgd import SGD

PIECE = 1 << 15
"""Elements that are updated at a time: few enough for every pass over them to find them in the cache."""

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

    def step(self, learning_rate: float) -> None:
        """Change the parameters in place with η = `learning_rate`; uses the gradients up."""
        self._steps += 1
        # m̂ / (√v̂ + ε) with both corrections moved to where they cost no pass over an array.
        root_correction = (1 - BETA2**self._steps) ** 0.5
        step_size = learning_rate * root_correction / (1 - BETA1**self._steps)
        for name in self.parameters:
            arrays = (self.parameters[name], self.gradients[name], self._means[name], self._squares[name])
            for theta, g, m, v in _pieces(*arrays):
                if self.weight_decay:
                    g += self.weight_decay * theta
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


def _pieces(*arrays: Floats) -> Iterator[tuple[Floats, ...]]:
    """Cut arrays of one shape and layout into small views, flat and in memory order."""
    flat = [array.ravel(order="K") for array in arrays]
    for start in range(0, flat[0].size, PIECE):
        yield tuple(array[start : start + PIECE] for array in flat)
