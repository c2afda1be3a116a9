import numpy as np
import pytest

import rnnlm.nn.heads.softmax
from rnnlm.nn.arrays import TableGradient, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.embedding import Embedding
from rnnlm.nn.heads.softmax import SoftmaxOutput
from rnnlm.nn.initializers import gate_matrices, matrix, uniform
from rnnlm.nn.network import CELLS

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
    weight, gradient = np.arange(12.0).reshape(4, 3), np.zeros((4, 3))
    embedding = Embedding(weight, TableGradient(gradient))
    ids = np.array([[1, 3], [3, 1]])
    np.testing.assert_array_equal(embedding.forward(ids), weight[ids])
    dy = np.arange(12.0).reshape(2, 2, 3)
    embedding.backward(dy)
    expected = np.zeros((4, 3))
    np.add.at(expected, ids, dy)
    np.testing.assert_array_equal(gradient, expected)
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


@pytest.mark.parametrize("rows_in_block", [1, 2, 3, 7, 100])
def test_the_blocks_of_the_softmax_make_no_difference(monkeypatch: pytest.MonkeyPatch, rows_in_block: int) -> None:
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(size=(6, 4)), rng.normal(size=6)
    # What the gradients hold from the step before must be replaced.
    output = SoftmaxOutput(weight, np.full_like(weight, 9), bias, np.full_like(bias, 9))
    monkeypatch.setattr(rnnlm.nn.heads.softmax, "BLOCK_BYTES", rows_in_block * 6 * 8)
    s, targets = rng.normal(size=(7, 4)), rng.integers(0, 6, 7)
    loss, ds = output.loss_and_gradient(s, targets, scale=0.5)

    logits = s @ weight.T + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected_losses = -np.log(probabilities[np.arange(7), targets])
    error = 0.5 * (probabilities - np.eye(6)[targets])
    assert loss == pytest.approx(expected_losses.sum(), rel=1e-12)
    np.testing.assert_allclose(output.losses(s, targets), expected_losses, rtol=1e-12)
    np.testing.assert_allclose(ds, error @ weight, rtol=1e-10)
    np.testing.assert_allclose(output.weight_gradient, error.T @ s, rtol=1e-10)
    assert output.bias_gradient is not None
    np.testing.assert_allclose(output.bias_gradient, error.sum(axis=0), rtol=1e-10)


def test_large_logits_do_not_overflow() -> None:
    weight = np.array([[1000.0], [-1000.0]], np.float32)
    output = SoftmaxOutput(weight, np.zeros_like(weight))
    losses = output.losses(np.array([[5.0], [5.0]], np.float32), np.array([0, 1]))
    np.testing.assert_allclose(losses, [0, 10000])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [5, 6, 100])
def test_a_layer_truncated_beyond_its_window_is_back_propagated_in_full(cell: str, steps: int) -> None:
    rng = np.random.default_rng(0)
    layer = CELLS[cell](3, 4, True, rng, FLOAT64)
    layer.forward(rng.normal(size=(6, 2, 3)), rng.normal(size=(layer.num_states, 2, 4)))
    dy = rng.normal(size=(6, 2, 4))
    dx = layer.backward(dy).copy()
    full = {name: value.copy() for name, value in layer.gradients.items()}
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
    np.testing.assert_array_equal(
        gate_matrices("identity", np.random.default_rng(0), 3, 4, 4), np.vstack([np.eye(4)] * 3)
    )


def test_the_forget_gate_starts_open() -> None:
    layer = CELLS["lstm"](3, 50, True, np.random.default_rng(0), FLOAT64)
    bias = layer.parameters["bias_ih"].reshape(4, 50).mean(axis=1)
    np.testing.assert_allclose(bias, [0, 1, 0, 0], atol=0.1)
