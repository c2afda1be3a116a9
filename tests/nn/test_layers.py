import numpy as np
import pytest

from rnnlm.nn.arrays import Workspace
from rnnlm.nn.cells import CELLS
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.embedding import Embedding
from rnnlm.nn.initializers import Initialization, matrix, uniform
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.table import Table
from tests.networks import initialization, make_layer

FLOAT64 = np.dtype("float64")


def test_a_workspace_keeps_its_memory_and_grows() -> None:
    workspace = Workspace(FLOAT64)
    first = workspace.array("a", 4, 5)
    smaller = workspace.array("a", 3, 2)
    assert np.shares_memory(first, smaller)
    assert not np.shares_memory(first, workspace.array("b", 4, 5))
    assert workspace.array("a", 10, 10).shape == (10, 10)


def test_uniform_fills_its_interval() -> None:
    drawn = uniform(np.random.default_rng(0), (100, 100), fan_in=16)
    assert -0.25 <= drawn.min() < -0.249
    assert 0.249 < drawn.max() <= 0.25
    assert abs(drawn.mean()) < 0.005


def test_embedding_adds_up_the_errors_of_a_token_that_occurs_twice() -> None:
    weight, gradient = np.arange(12.0).reshape(4, 3), np.full((4, 3), 9.0)
    embedding = Embedding(Table(weight, gradient))
    ids = np.array([[1, 3], [3, 1]])
    np.testing.assert_array_equal(embedding.forward(ids), weight[ids])
    dy = np.arange(12.0).reshape(2, 2, 3)
    embedding.table.begin()
    embedding.backward(dy)
    expected = np.zeros((4, 3))
    np.add.at(expected, ids, dy)
    np.testing.assert_array_equal(gradient, expected)
    embedding.table.begin()
    embedding.forward(np.array([[0]]))
    embedding.backward(np.ones((1, 1, 3)))
    np.testing.assert_array_equal(gradient, [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_dropout_keeps_the_expectation_and_sends_the_error_back_through_what_was_kept() -> None:
    dropout = Dropout(0.3, FLOAT64)
    x = np.ones((50, 40, 30))
    y = dropout.forward(x, np.random.default_rng(0))
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(dropout.backward(np.ones_like(x)), y)


def test_dropout_is_the_same_for_the_same_seed() -> None:
    x = np.ones((5, 4, 3))
    first = Dropout(0.5, FLOAT64).forward(x, np.random.default_rng(1)).copy()
    np.testing.assert_array_equal(Dropout(0.5, FLOAT64).forward(x, np.random.default_rng(1)), first)
    assert np.any(Dropout(0.5, FLOAT64).forward(x, np.random.default_rng(2)) != first)


def test_dropout_does_nothing_in_evaluation() -> None:
    dropout, x = Dropout(0.9, FLOAT64), np.ones((2, 2, 2))
    dropout.forward(x, np.random.default_rng(0))
    assert dropout.forward(x, None) is x
    np.testing.assert_array_equal(dropout.backward(np.ones_like(x)), x)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [5, 6, 100])
def test_a_layer_truncated_beyond_its_window_is_back_propagated_in_full(cell: str, steps: int) -> None:
    rng = np.random.default_rng(0)
    layer = make_layer(cell, 3, 4)
    x, state = rng.normal(size=(6, 2, 3)), rng.normal(size=(layer.num_states, 2, 4))
    layer.forward(x, state)
    dy = rng.normal(size=(6, 2, 4))
    dx = layer.backward(dy).copy()
    full = {name: value.copy() for name, value in layer.gradients.items()}
    layer.forward(x, state)
    by_lag = layer.backward_truncated([dy], steps)
    np.testing.assert_allclose(np.sum(by_lag, axis=0), dx, rtol=1e-10, atol=1e-12)
    for name, value in full.items():
        np.testing.assert_allclose(layer.gradients[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def test_glorot_fills_its_interval() -> None:
    drawn = matrix("glorot", np.random.default_rng(0), 100, 50)
    assert drawn.shape == (100, 50)
    assert 0.198 < np.abs(drawn).max() <= 0.2


@pytest.mark.parametrize(("rows", "columns"), [(6, 6), (9, 4), (4, 9)])
def test_orthogonal_matrices_keep_lengths(rows: int, columns: int) -> None:
    q = matrix("orthogonal", np.random.default_rng(0), rows, columns)
    assert q.shape == (rows, columns)
    gram = q.T @ q if rows >= columns else q @ q.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_each_gate_starts_as_a_matrix_of_its_own() -> None:
    start = Initialization(np.random.default_rng(0), "uniform", "identity", 2.0)
    np.testing.assert_array_equal(start.recurrent_gates(3, 4), np.vstack([2 * np.eye(4)] * 3))


def test_the_forget_gate_starts_open() -> None:
    layer = make_layer("lstm", 3, 50)
    bias = layer.parameters["bias_ih"].reshape(4, 50).mean(axis=1)
    np.testing.assert_allclose(bias, [0, 1, 0, 0], atol=0.1)


T, B, D, H = 6, 3, 4, 5
LENGTHS = np.array([6, 3, 1])


def run(cell: str) -> tuple[RecurrentLayer, np.ndarray, np.ndarray]:
    """Make a layer, an input and a state before it."""
    rng, layer = np.random.default_rng(1), make_layer(cell, D, H)
    return layer, rng.normal(size=(T, B, D)), rng.normal(size=(layer.num_states, B, H))


@pytest.mark.parametrize("cell", CELLS)
def test_the_state_after_a_padded_sequence_is_that_after_its_last_step(cell: str) -> None:
    layer, x, state = run(cell)
    y, final = (array.copy() for array in layer.forward(x, state, lengths=LENGTHS))
    for b, length in enumerate(LENGTHS):
        alone, last = layer.forward(x[:length, b : b + 1], state[:, b : b + 1])
        np.testing.assert_allclose(y[:length, b : b + 1], alone, rtol=1e-12)
        np.testing.assert_allclose(final[:, b : b + 1], last, rtol=1e-12)
        np.testing.assert_array_equal(y[length:, b], np.broadcast_to(final[0, b], (T - length, H)))


@pytest.mark.parametrize("lengths", [None, LENGTHS, np.array([0, 6, 2])], ids=["full", "padded", "empty"])
@pytest.mark.parametrize("cell", CELLS)
def test_errors_go_into_and_out_of_the_state(cell: str, lengths: np.ndarray | None) -> None:
    """The derivative of a loss of all outputs and of the state after them, against central differences."""
    layer, x, state = run(cell)
    rng = np.random.default_rng(2)
    dy, dstate = rng.normal(size=(T, B, H)), rng.normal(size=state.shape)

    def loss() -> float:
        y, final = layer.forward(x, state, lengths=lengths)
        return float(np.sum(dy * y) + np.sum(dstate * final))

    loss()
    dx = layer.backward(dy, dstate).copy()
    found = [(x, dx), (state, layer.state_error()), *zip(*map(dict.values, both(layer)), strict=True)]
    for values, gradient in [(values, gradient.copy()) for values, gradient in found]:
        for index in np.ndindex(values.shape):
            kept = values[index]
            values[index] = kept + 1e-5
            above = loss()
            values[index] = kept - 1e-5
            below = loss()
            values[index] = kept
            assert gradient[index] == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-7)


def both(layer: RecurrentLayer) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    return layer.parameters, layer.gradients


def test_truncated_back_propagation_takes_no_lengths() -> None:
    layer, x, state = run("gru")
    y, _ = layer.forward(x, state, lengths=LENGTHS)
    with pytest.raises(ValueError, match="truncated BPTT takes no lengths"):
        layer.backward_truncated([np.ones_like(y)], 2)


def test_what_is_used_twice_in_a_pass_is_refused() -> None:
    layer, x, state = run("lstm")
    layer.forward(x, state)
    y, _ = layer.forward(x[:2], state)
    layer.backward(np.ones_like(y))
    with pytest.raises(RuntimeError, match="a layer serves once in a pass"):
        layer.backward(np.ones((T, B, H)))
    with pytest.raises(RuntimeError, match="a layer serves once in a pass"):
        layer.backward_truncated([np.ones((T, B, H))], 2)
    layer.forward(x, state)
    with pytest.raises(RuntimeError, match="state_error needs a backward"):
        layer.state_error()
    embedding = Embedding(Table(np.ones((3, 2))))
    embedding.forward(np.array([[0, 1]]))
    embedding.backward(np.ones((1, 2, 2)))
    with pytest.raises(RuntimeError, match="an embedding serves once in a pass"):
        embedding.backward(np.ones((1, 2, 2)))


def test_a_layer_changes_neither_its_input_nor_the_error_that_it_is_given() -> None:
    for input_size in (None, D):
        layer = CELLS["gru"](input_size, H, True, initialization(), FLOAT64)
        x, state, dy = np.ones((T, B, input_size or 3 * H)), np.ones((1, B, H)), np.ones((T, B, H))
        layer.forward(x, state, lengths=LENGTHS)
        layer.backward(dy)
        assert all(np.all(array == 1) for array in (x, state, dy))
