"""Attention: its gradients, PyTorch's numbers, its padding and its memory."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from rnnlm.nn import threads
from rnnlm.nn.attention import AdditiveAttention
from rnnlm.nn.dropout import Dropout
from tests.networks import initialization

T, S, B, H, E = 4, 5, 3, 6, 7
LENGTHS = {"full": None, "padded": np.array([5, 1, 3])}
SHAPES = {"batch": (T, S, B), "one sequence": (T, S, 1), "one place": (T, 1, B), "one step": (1, S, B)}


def make(dropout: float = 0.0) -> AdditiveAttention:
    dtype = np.dtype("float64")
    attention = AdditiveAttention(H, E, initialization(), dtype, Dropout(dropout, dtype))
    rng = np.random.default_rng(1)
    for value in attention.parameters.values():
        value[...] = rng.normal(size=value.shape)
    return attention


def arrays(T: int = T, S: int = S, B: int = B) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make states of a decoder, annotations, and an error of the output."""
    rng = np.random.default_rng(2)
    return rng.normal(size=(T, B, H)), rng.normal(size=(S, B, E)), rng.normal(size=(T, B, H))


def gradients(
    attention: AdditiveAttention, h: np.ndarray, e: np.ndarray, lengths: np.ndarray | None, dy: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the derivatives of the sum of ``dy ⊙ y``, by what it is differentiated by."""
    attention.read(e, lengths)
    attention.forward(h)
    dh, de = attention.backward(dy.copy())
    return {"h": dh.copy(), "e": de.copy(), **{name: each.copy() for name, each in attention.gradients.items()}}


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize(
    ("shape", "lengths"),
    [*((shape, None) for shape in SHAPES.values()), (SHAPES["batch"], LENGTHS["padded"])],
    ids=[*SHAPES, "padded"],
)
def test_gradients_are_those_of_central_differences(
    shape: tuple[int, int, int], lengths: np.ndarray | None, dropout: float
) -> None:
    attention, (h, e, dy) = make(dropout), arrays(*shape)

    def loss() -> float:
        attention.read(e, lengths)
        return float(np.sum(dy * attention.forward(h, np.random.default_rng(0))))

    loss()
    dh, de = attention.backward(dy.copy())
    parameters = [(attention.parameters[name], attention.gradients[name]) for name in attention.parameters]
    rng = np.random.default_rng(3)
    for values, gradient in [(values, each.copy()) for values, each in [(h, dh), (e, de), *parameters]]:
        assert gradient.shape == values.shape
        for place in rng.choice(values.size, min(values.size, 25), replace=False):
            index = np.unravel_index(place, values.shape)
            kept = values[index]
            values[index] = kept + 1e-5
            above = loss()
            values[index] = kept - 1e-5
            below = loss()
            values[index] = kept
            assert gradient[index] == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_values_and_gradients_are_those_of_pytorchs_autograd(lengths: np.ndarray | None) -> None:
    torch = pytest.importorskip("torch")
    attention, (h, e, dy) = make(), arrays()
    found = gradients(attention, h, e, lengths, dy)
    of = {"h": h, "e": e, **attention.parameters}
    tensors: dict[str, Any] = {name: torch.tensor(value, requires_grad=True) for name, value in of.items()}
    h_, e_, W, U, v, V, b = tensors.values()
    scores = torch.tanh((h_ @ W.T)[:, None] + e_ @ U.T) @ v[0]
    if lengths is not None:
        padding = torch.arange(S)[:, None] >= torch.from_numpy(lengths)
        scores = scores.masked_fill(padding, -torch.inf)
    weights = torch.softmax(scores, dim=1)
    context = torch.einsum("tsb,sbe->tbe", weights, e_)
    y = torch.tanh(torch.cat([context, h_], dim=2) @ V.T + b)
    (torch.from_numpy(dy) * y).sum().backward()
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(attention.weights, weights.detach().permute(2, 0, 1), **close)
    np.testing.assert_allclose(attention.forward(h), y.detach(), **close)
    for name, tensor in tensors.items():
        np.testing.assert_allclose(found[name], tensor.grad, **close, err_msg=name)


def test_padding_is_never_looked_at() -> None:
    attention, (h, e, dy), lengths = make(), arrays(), LENGTHS["padded"]
    assert lengths is not None
    expected = gradients(attention, h, e, lengths, dy)
    padding = np.arange(S)[:, None] >= lengths
    assert not attention.weights.transpose(2, 0, 1)[padding].any()
    np.testing.assert_allclose(attention.weights.sum(axis=2), 1)
    assert not expected["e"][padding].any()
    e[padding] = 1e6
    for name, value in gradients(attention, h, e, lengths, dy).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_padded_batch_is_its_sequences_one_by_one() -> None:
    attention, (h, e, dy), lengths = make(), arrays(), LENGTHS["padded"]
    assert lengths is not None
    together = gradients(attention, h, e, lengths, dy)
    sums = {name: np.zeros_like(value) for name, value in together.items()}
    for b, length in enumerate(lengths):
        one = slice(b, b + 1)
        alone = gradients(attention, h[:, one], e[:length, one], None, dy[:, one])
        sums["h"][:, one], sums["e"][:length, one] = alone.pop("h"), alone.pop("e")
        for name, value in alone.items():
            sums[name] += value
    for name, value in together.items():
        np.testing.assert_allclose(value, sums[name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_chosen_sequences_look_at_their_own_sources(lengths: np.ndarray | None) -> None:
    attention, (h, e, _) = make(), arrays()
    columns = np.array([2, 0, 0, 1, 2])
    attention.read(e, lengths)
    expected = attention.forward(h)[:, columns].copy()
    weights = attention.weights[columns].copy()
    attention.choose(columns)
    np.testing.assert_allclose(attention.forward(h[:, columns]), expected, rtol=1e-12)
    np.testing.assert_allclose(attention.weights, weights, rtol=1e-12)
    attention.choose(np.array([3]))
    np.testing.assert_allclose(attention.forward(h[:, [1]]), expected[:, [3]], rtol=1e-12)


def test_large_scores_do_not_overflow() -> None:
    attention, (h, e, _) = make(), arrays()
    attention.parameters["score.weight"] *= 1e4
    attention.read(e)
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(attention.forward(h)).all()


def test_memory_does_not_grow_with_steps_times_places() -> None:
    steps, places, units = 120, 120, 64
    dtype, rng = np.dtype("float32"), np.random.default_rng(0)
    attention = AdditiveAttention(units, units, initialization(), dtype)
    h, e, dy = (rng.normal(size=(length, 2, units)).astype(dtype) for length in (steps, places, steps))
    tracemalloc.start()
    try:
        attention.read(e)
        attention.forward(h)
        attention.backward(dy)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < steps * places * 2 * units * dtype.itemsize / 2


@pytest.mark.parametrize("number", [2, 3, 5])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_threads_share_the_sequences(
    number: int, lengths: np.ndarray | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    attention, (h, e, dy) = make(), arrays()
    expected = gradients(attention, h, e, lengths, dy)
    monkeypatch.setattr(threads, "_number", number)
    for name, value in gradients(attention, h, e, lengths, dy).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-12, atol=1e-14, err_msg=name)
