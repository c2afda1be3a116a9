from typing import Any, get_args

import numpy as np
import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.exchange.precision import Packed, Precision, perplexities, weights_of
from rnnlm.models.language_model import LanguageModel
from tests.networks import LANGUAGE_MODELS, make_network, with_large_weights

PRECISIONS = get_args(Precision)


def read_back(packed: Packed, place: dict[str, Any]) -> np.ndarray:
    """Read an array as the page does."""
    rows, offset, precision = place["shape"][0], place["offset"], place["precision"]
    size = int(np.prod(place["shape"]))
    if precision != "int8":
        dtype = np.dtype(precision).newbyteorder("<")
        return np.frombuffer(packed.content, dtype, size, offset).reshape(place["shape"])
    scales = np.frombuffer(packed.content, "<f4", rows, offset)
    levels = np.frombuffer(packed.content, "i1", size, offset + 4 * rows).reshape(place["shape"])
    return scales[:, None] * levels


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_packed_is_near_what_it_was(precision: Precision) -> None:
    packed = Packed(precision)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(0, 3, shape).astype("float32") for shape in ((5, 7), (4,), (3, 2))]
    arrays[0][2] = 0

    def bound(array: np.ndarray) -> np.ndarray:
        """Return the largest error: half a unit in the last place, half a level of 127 in a row."""
        if precision == "float32" or array.ndim == 1:
            return np.zeros_like(array)
        if precision == "float16":
            return np.abs(array) * 2**-11
        return np.abs(array).max(axis=1, keepdims=True) / 253

    places = [packed.add(array) for array in arrays]
    for array, place in zip(arrays, places, strict=True):
        assert (np.abs(read_back(packed, place) - array) <= bound(array)).all()


def test_an_array_is_packed_once() -> None:
    packed, array = Packed("float32"), np.ones((2, 3), "float32")
    assert packed.add(array) is packed.add(array)
    assert len(packed.content) == 24


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_the_weights_are_views_of_all_parameters(name: str) -> None:
    network = with_large_weights(make_network(23, hidden_size=6, **LANGUAGE_MODELS[name]))
    weights = weights_of(network)
    arrays = [weights["embedding"], *weights["head"].values()]
    arrays += [value for layer in weights["layers"] for value in layer.values()]
    for array in arrays:
        array[...] = 0
    assert not any(value.any() for value in network.parameters.values())
    distinct = {id(array): array.size for array in arrays}
    assert sum(distinct.values()) == sum(value.size for value in network.parameters.values())


def test_every_precision_is_measured_and_changes_nothing(word_model: LanguageModel, word_data: Dataset) -> None:
    split = word_data.split("valid")
    before = {name: value.copy() for name, value in word_model.network.parameters.items()}
    measured = perplexities(word_model, split)
    assert list(measured) == list(PRECISIONS)
    for name, value in word_model.network.parameters.items():
        np.testing.assert_array_equal(value, before[name])
    exact = word_model.evaluate(split).perplexity
    assert measured["float32"] == exact
    assert measured["float16"] == pytest.approx(exact, rel=1e-3)
    assert measured["int8"] == pytest.approx(exact, rel=0.05)
    assert len(set(measured.values())) == 3


def test_a_weight_that_is_too_large_is_refused() -> None:
    weights = np.full((1, 2), 1e5, "float32")
    assert Packed("float32").add(weights)["offset"] == 0
    with pytest.raises(RnnlmError, match="`precision=float16`: a weight is too large for it; choose another"):
        Packed("float16").add(weights)
