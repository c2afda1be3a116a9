"""Stochastic gradient descent, with momentum or averaged."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.nn.products import descend
from rnnlm.optim.optimizer import Optimizer, pieces, restore, saved_number

NON_MONOTONE_INTERVAL = 5
"""n of the trigger: the last evaluations, which a new loss is not compared with."""


class SGD(Optimizer):
    """Stochastic gradient descent, with Polyak's (1964) or Nesterov's momentum (Sutskever et al. 2013).

    Parameters
    ----------
    momentum
        μ, the share of the velocity that a step keeps; 0 is plain gradient descent.
    nesterov
        Whether to look ahead along the velocity; the other parameters are those of every `Optimizer`.
    """

    def __init__(self, *arguments: Any, momentum: float = 0.0, nesterov: bool = False, **options: Any) -> None:
        self.kept = ("velocity",) if momentum else ()
        super().__init__(*arguments, **options)
        self.momentum = momentum
        self.nesterov = nesterov

    @property
    def takes_rows(self) -> bool:
        """True without momentum and weight decay: a gradient of zero then changes nothing."""
        return not self.momentum and not self.weight_decay

    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Go ``θ ← θ - η g``; with momentum ``v ← μ v + g`` first, and v or Nesterov's ``g + μ v`` for g."""
        for v in kept:
            v *= self.momentum
            v += g
            if self.nesterov:
                g += self.momentum * v
            else:
                g[...] = v
        g *= rate
        theta -= g

    def update_whole(self, rate: float, scale: float, theta: Floats, g: Floats) -> bool:
        """Do as `update`; see `Optimizer.update_whole`."""
        return self.takes_rows and descend(theta, g, rate * scale)


class ASGD(Optimizer):
    """Gradient descent whose weights are averaged once it no longer gets on: NT-ASGD (Merity et al. 2018).

    Training is `SGD` throughout, at whatever learning rate it is given. The trigger is an evaluated loss above
    the best of all before the last n; from that step T on the model is the mean ``(θ_T + … + θ_k) / (k-T+1)``.
    """

    kept = ("average",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.losses: list[float] = []
        self.trigger = math.inf

    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Go ``θ ← θ - η g``, and after the trigger ``a ← a + (θ - a) / (k-T+1)``, the running mean."""
        g *= rate
        theta -= g
        if self.steps > self.trigger:
            [a] = kept
            np.subtract(theta, a, out=g)
            g /= self.steps - self.trigger + 1
            a += g

    def evaluated(self, loss: float) -> None:
        """Begin to average if `loss` is above the best of all before the last n."""
        if self.trigger < math.inf:
            return
        earlier = self.losses[:-NON_MONOTONE_INTERVAL]
        if earlier and loss > min(earlier):
            self.trigger = self.steps
            for name, value in self.parameters.items():
                self._kept["average"][name][...] = value
        self.losses.append(loss)

    def averages(self) -> dict[str, Floats]:
        """Return the averaged parameters, before the trigger the parameters themselves."""
        return self._kept["average"] if self.trigger < math.inf else self.parameters

    @contextmanager
    def averages_in_place(self) -> Iterator[None]:
        """Exchange parameters and averages, and change them back in the end."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        if self.trigger < math.inf:
            for name, parameter in self.parameters.items():
                for theta, a in pieces(parameter, self._kept["average"][name]):
                    theta[...], a[...] = a, theta.copy()

    def state(self) -> dict[str, Floats]:
        """Return what a resumed run needs; the parameters too, as it is the averages that are saved as model."""
        return {
            **super().state(),
            "losses": np.array(self.losses, np.float64),
            "trigger": np.array([self.trigger], np.float64),
            **{f"parameter.{name}": value for name, value in self.parameters.items()},
        }

    def load_state(self, state: dict[str, Floats]) -> None:
        """Go on from what `state` returned, the parameters included."""
        super().load_state(state)
        if state["losses"].ndim != 1:
            raise ValueError(f"losses has {state['losses'].ndim} dimensions, not one")
        self.losses = state["losses"].tolist()
        self.trigger = saved_number(state, "trigger")
        for name, value in self.parameters.items():
            restore(value, state, f"parameter.{name}")
