"""Back-propagation checked against central differences."""

import copy
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.batch import Batch
from rnnlm.nn.network import Network

STEPS = (1e-4, 1e-5, 1e-6)
"""Step sizes of the differences. A wrong derivative agrees at none of them; a right one may disagree at a
large step where a ReLU switches in between, and at a small one where the loss is rounded."""

SMALL, SAMPLES = 2000, 40

SEED = 0
"""Seed of the dropout masks and of the choice of elements."""

GOOD = 1e-7
"""Below this relative error no other step size is tried."""

SMALLEST = 1e-3
"""Derivatives below this are compared by their absolute error: the differences cannot resolve them."""


def gradient_check(
    network: Network,
    batch: Batch,
    state: Floats,
    *,
    bptt_truncate: int | None = None,
    drops: bool = True,
    samples: int | None = None,
) -> dict[str, float]:
    """Compare every parameter's gradient with the central difference ``(L(θ+h) - L(θ-h)) / 2h``.

    Parameters
    ----------
    network
        A network in float64; its parameters are the same afterwards.
    batch
        A window.
    state : (L, S, B, H)
        Hidden state before the window.
    bptt_truncate
        Check truncated instead of full BPTT: the differences are then those of a loss in which the output of time
        t sees a hidden state held constant before time ``t - bptt_truncate``.
    drops
        Whether the network drops, samples and is penalized as in training, or not as in dynamic evaluation.
    samples
        Elements checked of each parameter, half of them those with the largest gradients, the rest at random;
        None checks all of a small network (`SMALL` elements) and `SAMPLES` a parameter of a larger one.

    Returns
    -------
    dict
        For each parameter the largest relative error ``|a - n| / max(|a| + |n|, ε)``.
    """
    if network.dtype != np.float64:
        raise ValueError("the gradient check needs a network in float64")
    if bptt_truncate is not None and not drops:
        raise ValueError("truncated BPTT is for training, which drops")

    def rng() -> np.random.Generator | None:
        return np.random.default_rng(SEED) if drops else None

    def loss() -> float:
        return network.objective(batch, state, rng())

    if bptt_truncate is not None:
        loss = _truncated_loss(network, batch, state, bptt_truncate)
    network.backpropagate(batch, state, bptt_truncate=bptt_truncate, rng=rng())
    gradients = _as_trained_on(network)
    if samples is None:
        size = sum(parameter.size for parameter in network.parameters.values())
        samples = size if size <= SMALL else SAMPLES
    chooser = np.random.default_rng(SEED)
    return {
        name: max(
            _relative_error(loss, parameter, index, float(gradients[name][index]))
            for index in _chosen(gradients[name], samples, chooser)
        )
        for name, parameter in network.parameters.items()
    }


def _chosen(gradient: Floats, samples: int, rng: np.random.Generator) -> list[Any]:
    """Choose the indices of elements: half of them those with the largest gradients, the rest at random."""
    by_size = np.argsort(-np.abs(gradient), axis=None)
    largest, others = by_size[: samples // 2], by_size[samples // 2 :]
    chosen = np.concatenate([largest, rng.permutation(others)[: samples - samples // 2]])
    return [np.unravel_index(place, gradient.shape) for place in chosen]


def _relative_error(loss: Callable[[], float], parameter: Floats, index: Any, analytic: float) -> float:
    """Return the smallest relative error over the step sizes."""
    value = parameter[index]
    best = np.inf
    for h in STEPS:
        parameter[index] = value + h
        above = loss()
        parameter[index] = value - h
        below = loss()
        parameter[index] = value
        numeric = (above - below) / (2 * h)
        best = min(best, abs(analytic - numeric) / max(abs(analytic) + abs(numeric), SMALLEST))
        if best < GOOD:
            break
    return float(best)


def _as_trained_on(network: Network) -> dict[str, Floats]:
    """Return copies of the gradients, made of their rows where training reads no others."""
    gradients = {name: gradient.copy() for name, gradient in network.gradients.items()}
    for name, (ids, axis) in network.gradient_rows().items():
        rows = np.moveaxis(gradients[name], axis, 0)
        used = rows[ids]
        rows[...] = 0
        np.add.at(rows, ids, used)  # a row that is named twice counts twice, as in the norm of the gradient
    return gradients


class _Draws(np.random.Generator):
    """A generator that hands the numbers drawn for a window out again, for some of its time steps."""

    def __init__(self) -> None:
        super().__init__(np.random.default_rng(SEED).bit_generator)
        self._drawn: list[Floats] = []
        self._steps: slice | None = None

    def random(self, *, dtype: DTypeLike, out: Floats) -> None:  # type: ignore[override]
        """Draw numbers into `out`; after `again`, those drawn before."""
        if self._steps is None:
            super().random(dtype=dtype, out=out)  # type: ignore[arg-type]
            self._drawn.append(out.copy())
            return
        drawn = next(self._next)
        # What was drawn for every time step has these as its first axis; all else is whole.
        out[...] = drawn if drawn.shape == out.shape else drawn[self._steps]

    def again(self, first: int, end: int) -> "_Draws":
        """Begin to hand out what was drawn for the time steps from `first` to before `end`."""
        self._steps, self._next = slice(first, end), iter(self._drawn)
        return self


def _truncated_loss(network: Network, batch: Batch, state: Floats, steps: int) -> Callable[[], float]:
    """Make the loss whose exact derivative truncated BPTT is, from the present parameters' hidden states."""
    inputs = cast(Ids, batch.inputs)
    T = len(inputs)
    draws = _Draws()
    whole, _ = network.forward(inputs, state, draws)
    hidden, top = np.empty((2, *whole.shape), whole.dtype)
    states = [state]
    for t in range(T):
        states.append(network.forward(inputs[t : t + 1], states[t], draws.again(t, t + 1))[1])

    def loss() -> float:
        for t in range(T):
            first = max(0, t - steps)
            window = inputs[first : t + 1]
            hidden[t] = network.forward(window, states[first], draws.again(first, t + 1))[0][-1]
            top[t] = network.stack.top[-1]
        # What is drawn after the layers is drawn for all time steps together.
        rng = np.random.Generator(copy.deepcopy(draws.bit_generator))
        return network.objective_of(hidden, top, batch, rng)

    return loss
