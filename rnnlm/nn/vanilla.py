"""The vanilla recurrent layer."""

from typing import Any, Literal

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.nn.cell import gates
from rnnlm.nn.products import product
from rnnlm.nn.recurrent import RecurrentLayer

Nonlinearity = Literal["tanh", "relu"]


class VanillaLayer(RecurrentLayer):
    """``h_t = f(U x_t + W h_{t-1} + b)``, f one of tanh and ReLU (Elman 1990).

    Parameters
    ----------
    nonlinearity
        `f`; the other parameters are those of `Cell`.
    """

    num_gates = 1
    num_states = 1

    def __init__(self, *arguments: Any, nonlinearity: Nonlinearity = "tanh", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.nonlinearity = nonlinearity

    def _step(self, t: int) -> None:
        h, h_next = self._states[t, 0], self._states[t + 1, 0]
        product(self._W, h, h_next)
        h_next += self._a[t, 0]
        if self.nonlinearity == "tanh":
            np.tanh(h_next, out=h_next)
        else:
            np.maximum(h_next, 0, out=h_next)

    def _prepare_back(self) -> None:
        # f' from the activations, for all steps at once: 1 - h² for tanh, [h > 0] for ReLU.
        h = self._states[1:, 0]
        slope = self._slope = self._workspace.array("slope", *h.shape)
        if self.nonlinearity == "tanh":
            np.multiply(h, h, out=slope)
            np.subtract(1, slope, out=slope)
        else:
            np.greater(h, 0, out=slope, casting="unsafe")

    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        np.multiply(dh, self._slope[t], out=gates(delta)[0])
        return carry
