"""Gradient clipping, against exploding gradients."""

import math
from collections.abc import Iterable

import numpy as np

from rnnlm.nn.arrays import Floats


def global_norm(gradients: Iterable[Floats]) -> float:
    """Return the Euclidean norm of all gradients taken as one vector."""
    # Flattened in memory order: a transposed array is then not copied.
    flat = (gradient.ravel(order="K") for gradient in gradients)
    return math.sqrt(sum(float(g @ g) for g in flat))


def clip_by_norm(gradients: Iterable[Floats], max_norm: float, norm: float) -> None:
    """Scale the gradients in place so that their norm is at most `max_norm` (Pascanu et al. 2013).

    Parameters
    ----------
    gradients
        The arrays to scale.
    max_norm
        The largest norm allowed.
    norm
        Their `global_norm`.
    """
    if norm > max_norm:
        for gradient in gradients:
            gradient *= max_norm / norm


def clip_by_value(gradients: Iterable[Floats], largest: float) -> None:
    """Cut every element of the gradients in place to at most `largest`, above and below zero (Mikolov 2012)."""
    for gradient in gradients:
        np.clip(gradient, -largest, largest, out=gradient)
