"""Back-propagation checked against central differences."""

from collections.abc import Callable

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.network import Network

STEPS = (1e-4, 1e-5, 1e-6)
"""Step sizes of the differences. A wrong derivative agrees at none of them; a right one may disagree at a
large step where a ReLU switches in between, and at a small one where the loss is rounded."""

SMALL, SAMPLES = 2000, 40

GOOD = 1e-7
"""Below this relative error no other step size is tried."""

SMALLEST = 1e-3
"""Derivatives below this are compared by their absolute error: the differences cannot resolve them."""


def gradient_check(
    network: Network,
    inputs: Ids,
    targets: Ids,
    mask: Mask,
    state: Floats,
    *,
    bptt_truncate: int | None = None,
    samples: int | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """Compare every parameter's gradient with the central difference ``(L(θ+h) - L(θ-h)) / 2h``.

    Parameters
    ----------
    network
        A network in float64; its parameters are the same afterwards.
    inputs, targets, mask : (T, B)
        A window, as for `Network.backpropagate`.
    state : (L, S, B, H)
        Hidden state before the window.
    bptt_truncate
        Check truncated instead of full BPTT: the differences are then those of a loss in which the output of time
        t sees a hidden state held constant before time ``t - bptt_truncate``. Nothing is dropped in this check.
    samples
        Elements checked of each parameter, half of them those with the largest gradients, the rest at random;
        None checks all of a small network (`SMALL` elements) and `SAMPLES` a parameter of a larger one.
    seed
        Seed of the dropout masks and of the choice of elements.

    Returns
    -------
    dict
        For each parameter the largest relative error ``|a - n| / max(|a| + |n|, ε)``.
    """
    if network.dtype != np.float64:
        raise ValueError("the gradient check needs a network in float64")

    def full_loss() -> float:
        return network.objective(inputs, targets, mask, state, np.random.default_rng(seed))

    loss = full_loss
    if bptt_truncate is not None:
        loss = _truncated_loss(network, inputs, targets, mask, state, bptt_truncate)
    rng = np.random.default_rng(seed) if bptt_truncate is None else None
    network.backpropagate(inputs, targets, mask, state, bptt_truncate=bptt_truncate, rng=rng)
    if samples is None:
        size = sum(parameter.size for parameter in network.parameters.values())
        samples = size if size <= SMALL else SAMPLES
    chooser = np.random.default_rng(seed)
    errors = {}
    for name, parameter in network.parameters.items():
        gradient = network.gradients[name].copy()
        by_size = np.argsort(-np.abs(gradient), axis=None)
        rest = chooser.permutation(by_size[samples // 2 :])[: samples - samples // 2]
        chosen = np.concatenate([by_size[: samples // 2], rest])
        errors[name] = max(
            _relative_error(loss, parameter, np.unravel_index(index, gradient.shape), float(gradient.flat[index]))
            for index in chosen
        )
    return errors


def _relative_error(
    loss: Callable[[], float], parameter: Floats, index: tuple[np.intp, ...], analytic: float
) -> float:
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


def _truncated_loss(
    network: Network, inputs: Ids, targets: Ids, mask: Mask, state: Floats, steps: int
) -> Callable[[], float]:
    """Make the loss whose exact derivative truncated BPTT is, from the present parameters' hidden states."""
    T, B = inputs.shape
    states = [state]
    for t in range(T):
        states.append(network.forward(inputs[t : t + 1], states[t])[1])

    def loss() -> float:
        total = 0.0
        for t in range(T):
            first = max(0, t - steps)
            hidden, _ = network.forward(inputs[first : t + 1], states[first])
            total += float(network.output.losses(hidden[-1][mask[t]], targets[t][mask[t]]).sum())
        return total / int(B)

    return loss
