"""One number for each hidden state, and its squared error."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rnnlm.nn.arrays import Floats
from rnnlm.nn.heads.head import Head
from rnnlm.nn.initializers import Initialization


class Regression(Head):
    """``ŷ = V s + b`` and ``(ŷ - y)²``.

    ::

        ∂L/∂ŷ = 2 (ŷ - y)        ∂L/∂V = Σ_n ∂L/∂ŷ_n s_nᵀ        ∂L/∂s_n = Vᵀ ∂L/∂ŷ_n

    Parameters
    ----------
    hidden_size
        Features of the hidden states, H.
    bias
        Whether there is b.
    start
        How V starts; b starts at zero.
    dtype
        Precision of all arrays.
    """

    def __init__(self, hidden_size: int, bias: bool, start: Initialization, dtype: np.dtype[np.floating]) -> None:
        self.parameters = {"weight": start.matrix(1, hidden_size).astype(dtype)}
        if bias:
            self.parameters["bias"] = np.zeros(1, dtype)
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.tables, self.class_parameters = {}, ()

    @property
    def products(self) -> int:
        """Weights that take part in a product for every step."""
        return self.parameters["weight"].size

    def begin(self) -> None:
        """Begin a gradient: what was added before counts no more."""
        for gradient in self.gradients.values():
            gradient[...] = 0

    def numbers(self, s: Floats) -> Floats:
        """Return ŷ of the rows of `s` (N, H), as (N,)."""
        numbers: Floats = s @ self.parameters["weight"][0]
        if "bias" in self.parameters:
            numbers += self.parameters["bias"]
        return numbers

    def losses(self, s: Floats, targets: NDArray[Any], rng: Generator | None = None) -> Floats:
        """Return the squared error of each row of `s` (N, H) against `targets` (N,), as (N,)."""
        losses: Floats = (self.numbers(s) - targets) ** 2
        return losses

    def loss_and_gradient(
        self, s: Floats, targets: NDArray[Any], scale: float, rng: Generator | None = None
    ) -> tuple[float, Floats]:
        """Compute the squared error and its derivatives; see `Head.loss_and_gradient`."""
        error = self.numbers(s) - targets.astype(s.dtype, copy=False)
        slope = (2 * scale * error).astype(s.dtype, copy=False)
        self.gradients["weight"][0] += slope @ s
        if "bias" in self.gradients:
            self.gradients["bias"] += slope.sum()
        return float(np.sum(error * error, dtype=np.float64)), np.outer(slope, self.parameters["weight"][0])
