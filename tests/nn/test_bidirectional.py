import numpy as np
import pytest

from rnnlm.nn import threads
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.cells import CELLS
from rnnlm.nn.layer import Rows
from tests.networks import make_layer

T, B, D, H = 6, 4, 3, 5
LENGTHS = {"full": None, "padded": np.array([6, 3, 1, 5]), "empty": np.array([0, 6, 2, 0])}


def run(cell: str) -> tuple[Bidirectional, np.ndarray, np.ndarray]:
    """Make a bidirectional layer, an input and a state before it."""
    rng, layer = np.random.default_rng(1), Bidirectional(*(make_layer(cell, D, H, seed) for seed in range(2)))
    return layer, rng.normal(size=(T, B, D)), rng.normal(size=layer.initial_state(B).shape)


@pytest.mark.parametrize("cell", CELLS)
def test_each_sequence_is_read_forwards_and_from_its_own_end(cell: str) -> None:
    layer, x, state = run(cell)
    lengths = LENGTHS["padded"]
    assert lengths is not None
    y, final = (array.copy() for array in layer.forward(x, state, lengths=lengths))
    assert y.shape == (T, B, 2 * H)
    S = layer.ahead.num_states
    for b, length in enumerate(lengths):
        alone, before = x[:length, b : b + 1], state[:, b : b + 1]
        y_ahead, last = layer.ahead.forward(alone, before[:S])
        np.testing.assert_allclose(y[:length, b : b + 1, :H], y_ahead, rtol=1e-12)
        np.testing.assert_allclose(final[:S, b : b + 1], last, rtol=1e-12)
        y_reverse, last = layer.reverse.forward(alone[::-1], before[S:])
        np.testing.assert_allclose(y[:length, b : b + 1, H:], y_reverse[::-1], rtol=1e-12)
        np.testing.assert_allclose(final[S:, b : b + 1], last, rtol=1e-12)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("cell", CELLS)
def test_errors_go_into_and_out_of_both_directions(cell: str, lengths: np.ndarray | None) -> None:
    """The derivative of a loss of all outputs and of the state after them, against central differences."""
    layer, x, state = run(cell)
    rng = np.random.default_rng(2)
    dy, dstate = rng.normal(size=(T, B, 2 * H)), rng.normal(size=state.shape)

    def loss() -> float:
        y, final = layer.forward(x, state, lengths=lengths)
        return float(np.sum(dy * y) + np.sum(dstate * final))

    loss()
    dx = layer.backward(dy, dstate).copy()
    of_parameters = [(layer.parameters[name], layer.gradients[name]) for name in layer.parameters]
    found = [(x, dx), (state, layer.state_error()), *of_parameters]
    for values, gradient in [(values, gradient.copy()) for values, gradient in found]:
        for place in rng.choice(values.size, min(values.size, 20), replace=False):
            index = np.unravel_index(place, values.shape)
            kept = values[index]
            values[index] = kept + 1e-5
            above = loss()
            values[index] = kept - 1e-5
            below = loss()
            values[index] = kept
            assert gradient[index] == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-7)


def test_rows_are_read_as_their_vectors_are() -> None:
    layer, _, state = run("gru")
    rng = np.random.default_rng(3)
    table, ids, dy = rng.normal(size=(4, D)), rng.integers(0, 4, (T, B)), rng.normal(size=(T, B, 2 * H))
    lengths = LENGTHS["padded"]
    y = layer.forward(table[ids], state, lengths=lengths)[0].copy()
    dx = layer.backward(dy)
    expected = np.zeros_like(table)
    np.add.at(expected, ids, dx)
    gradients = {name: value.copy() for name, value in layer.gradients.items()}
    np.testing.assert_allclose(layer.forward(Rows(table, ids), state, lengths=lengths)[0], y, rtol=1e-12)
    np.testing.assert_allclose(layer.backward(dy), expected, rtol=1e-10, atol=1e-12)
    for name, value in gradients.items():
        np.testing.assert_allclose(layer.gradients[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_directions_side_by_side_give_the_same_bits(cell: str, monkeypatch: pytest.MonkeyPatch):
    results = []
    for number in (1, 2):
        monkeypatch.setattr(threads, "_number", number)
        layers = (make_layer(cell, 5, 4, seed, recurrent_dropout=0.4) for seed in (0, 1))
        layer = Bidirectional(*layers)
        x = np.random.default_rng(2).normal(size=(6, 3, 5))
        y, state = layer.forward(x, layer.initial_state(3), np.random.default_rng(3), lengths=np.array([6, 2, 4]))
        dx = layer.backward(np.sin(y))
        results.append([y.copy(), state, dx.copy(), *(value.copy() for value in layer.gradients.values())])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_error_or_an_overflow_beside_is_as_in_one_thread(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(threads, "_number", 2)
    layer = Bidirectional(*(make_layer("rnn", 2, 2) for _ in range(2)))
    x = np.full((3, 1, 2), 1e308)
    with np.errstate(all="ignore"):
        layer.forward(x, layer.initial_state(1))
    with pytest.raises(FloatingPointError), np.errstate(all="raise"):
        layer.forward(x * 10, layer.initial_state(1))
    layer.reverse._last_pass = ""
    with pytest.raises(RuntimeError, match="backward needs a forward before it"):
        layer.backward(np.zeros((3, 1, 4)))
