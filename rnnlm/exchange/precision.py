"""Weights in fewer bits, and what that costs."""

from typing import Any, Literal, get_args

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.nn.time_delay import TimeDelayLayer

Precision = Literal["float32", "float16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

LEVELS = 127
"""The largest of the whole numbers by which ``int8`` stands for a row, the smallest being its negative."""


def weights_of(network: Network) -> dict[str, Any]:
    """Return the weights of a network part by part, as views of its parameters.

    ``embedding`` is the table whose row a token looks up, with one-hot input U transposed. Each of ``layers`` has
    its parameters by name; the ``weight`` of a time-delay layer is (width · H, D), the oldest input's first.
    ``head`` has those of the head, the table itself where the weights are tied.
    """
    return {
        "embedding": network.source.table.value,
        "layers": [
            {
                name: value.transpose(2, 0, 1).reshape(-1, value.shape[1]) if _is_delayed(layer, name) else value
                for name, value in layer.parameters.items()
            }
            for layer in network.stack.layers
        ],
        "head": dict(network.head.parameters),
    }


def _is_delayed(layer: object, name: str) -> bool:
    return isinstance(layer, TimeDelayLayer) and name == "weight"


class Packed:
    """Arrays one after another as bytes.

    Parameters
    ----------
    precision
        Of matrices: ``float32``; ``float16``; or ``int8``, the scale of every row in ``float32``, then the rows.
        Vectors, such as biases, are always ``float32``: they are few.

    Attributes
    ----------
    content
        The bytes, little-endian.
    """

    def __init__(self, precision: Precision) -> None:
        self.content = bytearray()
        self._precision = precision
        self._places: dict[int, dict[str, Any]] = {}

    def add(self, array: Floats) -> dict[str, Any]:
        """Add an array once, and return where it is, its shape and its precision."""
        if id(array) not in self._places:
            precision = self._precision if array.ndim == 2 else "float32"
            place = {"offset": len(self.content), "shape": list(array.shape), "precision": precision}
            self.content += _encoded(array, precision)
            self._places[id(array)] = place
        return self._places[id(array)]


def _encoded(array: Floats, precision: Precision) -> bytes:
    if precision == "int8":
        scales, levels = _levels(array)
        return scales.astype("<f4").tobytes() + levels.astype("i1").tobytes()
    return _cast(array, precision).tobytes()


def _cast(array: Floats, precision: Precision) -> Floats:
    with np.errstate(over="ignore"):
        cast: Floats = array.astype(np.dtype(precision).newbyteorder("<"))
    if not np.isfinite(cast).all():
        raise RnnlmError(f"`precision={precision}`: a weight is too large for it; choose another.")
    return cast


def _levels(array: Floats) -> tuple[Floats, Floats]:
    """Return the scale of each row, (n, 1), and the whole numbers that it is multiplied with, (n, m)."""
    scales = (np.abs(array).max(axis=1, keepdims=True) / LEVELS).astype("f4")
    return scales, np.rint(array / np.where(scales > 0, scales, 1))


def rounded(array: Floats, precision: Precision) -> Floats:
    """Return a matrix as it is after packing."""
    if precision == "int8":
        scales, levels = _levels(array)
        return scales * levels
    return _cast(array, precision)


def matrices(network: Network) -> list[Floats]:
    """Return the matrices among the weights of a network, one that stands twice only once."""
    weights = weights_of(network)
    parts = [{"": weights["embedding"]}, *weights["layers"], weights["head"]]
    arrays = {id(array): array for part in parts for array in part.values()}
    return [array for array in arrays.values() if array.ndim == 2]


def perplexities(model: LanguageModel, split: Split) -> dict[Precision, float]:
    """Measure a language model on a part of a dataset with its weights in each precision.

    Raises
    ------
    OverflowedError
        If the probabilities are not finite numbers.
    """
    weights = matrices(model.network)
    exact = [matrix.copy() for matrix in weights]
    measured: dict[Precision, float] = {}
    try:
        for precision in PRECISIONS:
            for matrix, values in zip(weights, exact, strict=True):
                matrix[...] = rounded(values, precision)
            measured[precision] = model.evaluate(split).perplexity
    finally:
        for matrix, values in zip(weights, exact, strict=True):
            matrix[...] = values
    return measured
