"""Adam, a step size of its own for every weight."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.optim.optimizer import PIECE, Optimizer, pieces

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

ROWS_PIECE = 4 * PIECE
"""Elements of the rows that are updated at a time: looking up a few rows costs as much as a pass over many."""


class Adam(Optimizer):
    """Steps along the mean gradient over the root of the mean squared gradient (Kingma and Ba 2015).

    ``m ← β₁ m + (1-β₁) g``, ``v ← β₂ v + (1-β₂) g²``, ``θ ← θ - η m̂ / (√v̂ + ε)``, where ``m̂ = m / (1-β₁ᵗ)`` and
    ``v̂ = v / (1-β₂ᵗ)`` correct at step t for having begun at zero, and ``β₁ = 0.9, β₂ = 0.999, ε = 1e-8``.
    """

    kept = ("mean", "square")

    @property
    def takes_rows(self) -> bool:
        """True without weight decay: a gradient of zero then only fades what is kept."""
        return not self.weight_decay

    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Go ``θ ← θ - η m̂ / (√v̂ + ε)``."""
        self._fade(*kept)
        m, v = kept
        m += (1 - BETA1) * g
        g *= g
        g *= 1 - BETA2
        v += g
        self._go(rate, theta, m, v)

    def row_work(self, rate: float, ids: Ids, g: Floats, *tables: Floats) -> Iterator[Callable[[], None]]:
        """Yield the parts of a step as `update` takes it; where the gradient is zero, it is not touched."""
        V = len(tables[0])
        some = max(1, ROWS_PIECE * V // tables[0].size)
        for start in range(0, V, some):
            here = slice(*np.searchsorted(ids, (start, start + some)))
            yield partial(
                self._update_some, rate, ids[here] - start, g[here], *(t[start : start + some] for t in tables)
            )

    def _update_some(self, rate: float, ids: Ids, g: Floats, theta: Floats, m: Floats, v: Floats) -> None:
        self._fade(m, v)
        m[ids] += (1 - BETA1) * g
        g *= g
        g *= 1 - BETA2
        v[ids] += g
        for piece in pieces(theta, m, v):
            self._go(rate, *piece)

    def _fade(self, m: Floats, v: Floats) -> None:
        m *= BETA1
        v *= BETA2

    def _go(self, rate: float, theta: Floats, m: Floats, v: Floats) -> None:
        # Both corrections are moved to where they cost no pass over an array.
        root_correction = (1 - BETA2**self.steps) ** 0.5
        change = np.sqrt(v)
        change += EPSILON * root_correction
        np.divide(m, change, out=change)
        change *= rate * root_correction / (1 - BETA1**self.steps)
        theta -= change


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    The weights shrink by ``θ ← θ - η λ θ``, all at one rate, and the means of gradients know nothing of it.
    """

    def decay(self, rate: float, theta: Floats, g: Floats) -> None:
        """Shrink the weights, ``θ ← (1 - η λ) θ``."""
        theta *= 1 - rate * self.weight_decay
