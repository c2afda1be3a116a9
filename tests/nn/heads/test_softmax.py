import numpy as np
import pytest

import rnnlm.nn.heads.softmax
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.table import Table


@pytest.mark.parametrize("rows_in_block", [1, 2, 3, 7, 100])
def test_the_blocks_of_the_softmax_make_no_difference(monkeypatch: pytest.MonkeyPatch, rows_in_block: int) -> None:
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(size=(6, 4)), rng.normal(size=6)
    # What the gradients hold from the step before must be replaced.
    output = Softmax(Table(weight, np.full_like(weight, 9)), bias, np.full_like(bias, 9))
    monkeypatch.setattr(rnnlm.nn.heads.softmax, "BLOCK_BYTES", rows_in_block * 6 * 8)
    s, targets = rng.normal(size=(7, 4)), rng.integers(0, 6, 7)
    output.begin()
    loss, ds = output.loss_and_gradient(s, targets, scale=0.5)

    logits = s @ weight.T + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected_losses = -np.log(probabilities[np.arange(7), targets])
    error = 0.5 * (probabilities - np.eye(6)[targets])
    assert loss == pytest.approx(expected_losses.sum(), rel=1e-12)
    np.testing.assert_allclose(output.losses(s, targets), expected_losses, rtol=1e-12)
    np.testing.assert_allclose(ds, error @ weight, rtol=1e-10)
    np.testing.assert_allclose(output.table.gradient, error.T @ s, rtol=1e-10)
    assert output.bias_gradient is not None
    np.testing.assert_allclose(output.bias_gradient, error.sum(axis=0), rtol=1e-10)


def test_large_logits_do_not_overflow() -> None:
    weight = np.array([[1000.0], [-1000.0]], np.float32)
    output = Softmax(Table(weight))
    losses = output.losses(np.array([[5.0], [5.0]], np.float32), np.array([0, 1]))
    np.testing.assert_allclose(losses, [0, 10000])
