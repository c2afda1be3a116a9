"""Gradient clipping, against exploding gradients."""

import math
from collections.abc import Iterable

import numpy as np

from rnnlm.nn.arrays import Floats


def global_norm(gradients: Iterable[Floats]) -> float:
    """Return the Euclidean norm of all gradients taken as one vector."""
    # Flattened in memory order: a transposed array is then not copied.
    flat = [gradient.ravel(order="K") for gradient in gradients]
    norm = math.sqrt(sum(float(g @ g) for g in flat))
    if math.isinf(norm):  # squares overflow long before the numbers: in single precision from 1.8e19
        norm = float(np.linalg.norm([np.linalg.norm(g.astype(np.float64)) for g in flat]))
    return norm


def norm_factor(norm: float, max_norm: float) -> float:
    """Return the factor that cuts a gradient of length `norm`, finite, to `max_norm` (Pascanu et al. 2013)."""
    return min(1.0, max_norm / norm) if norm > 0 else 1.0


def clip_by_value(gradients: Iterable[Floats], largest: float) -> None:
    """Cut every element of the gradients in place to at most `largest`, above and below zero (Mikolov 2012)."""
    for gradient in gradients:
        np.clip(gradient, -largest, largest, out=gradient)
