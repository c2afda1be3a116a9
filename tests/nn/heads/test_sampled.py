import numpy as np
import pytest

from rnnlm.nn.heads.sampled import SampledSoftmax
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.table import Table

C, H, N = 30, 4, 6


def make_output(bias: bool = True) -> Softmax:
    rng = np.random.default_rng(0)
    weight, b = rng.normal(size=(C, H)), rng.normal(size=C)
    # What the gradients hold from the step before must be replaced.
    if not bias:
        return Softmax(Table(weight, np.full_like(weight, 9)))
    return Softmax(Table(weight, np.full_like(weight, 9)), b, np.full_like(b, 9))


def make_batch() -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(1).normal(size=(N, H)), np.array([0, 29, 3, 17, 17, 12])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("samples", [C, 2 * C, 100 * C])
def test_with_all_words_it_is_the_softmax(samples: int, bias: bool) -> None:
    s, targets = make_batch()
    full, output = make_output(bias), make_output(bias)
    sampled = SampledSoftmax(output.table, output.bias, output.bias_gradient, samples)
    np.testing.assert_allclose(
        sampled.losses(s, targets, np.random.default_rng(0)), full.losses(s, targets), rtol=1e-12
    )
    full.begin()
    loss, ds = full.loss_and_gradient(s, targets, 0.5)
    sampled.begin()
    sampled_loss, sampled_ds = sampled.loss_and_gradient(s, targets, 0.5, np.random.default_rng(0))
    assert sampled_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(sampled_ds, ds, rtol=1e-10)
    np.testing.assert_allclose(output.table.gradient, full.table.gradient, rtol=1e-10, atol=1e-14)
    if bias:
        assert output.bias_gradient is not None
        assert full.bias_gradient is not None
        np.testing.assert_allclose(output.bias_gradient, full.bias_gradient, rtol=1e-10, atol=1e-14)


def test_the_sum_over_the_vocabulary_is_estimated_without_bias() -> None:
    output, (s, targets) = make_output(), make_batch()
    sampled, rng = SampledSoftmax(output.table, output.bias, output.bias_gradient, 10), np.random.default_rng(2)
    # exp(loss + logit of the target) is the estimate of Z.
    assert output.bias is not None
    target_logits = (s * output.table.value[targets]).sum(axis=1) + output.bias[targets]
    draws = 4000
    estimates = [np.exp(sampled.losses(s, targets, rng) + target_logits) for _ in range(draws)]
    exact = np.exp(output.losses(s, targets) + target_logits)
    error = np.mean(estimates, axis=0) - exact
    assert np.all(np.abs(error) < 4 * np.std(estimates, axis=0) / draws**0.5)
    assert np.all(np.std(estimates, axis=0) > 0.05 * exact)


def test_the_gradient_is_that_of_the_estimate() -> None:
    output, (s, targets) = make_output(), make_batch()
    sampled = SampledSoftmax(output.table, output.bias, output.bias_gradient, 10)
    sampled.begin()
    _, ds = sampled.loss_and_gradient(s, targets, 1.0, np.random.default_rng(0))
    assert output.bias is not None
    assert output.bias_gradient is not None
    checked = ((s, ds.copy()), (output.table.value, output.table.gradient), (output.bias, output.bias_gradient))

    def loss() -> float:
        return float(sampled.losses(s, targets, np.random.default_rng(0)).sum())

    h = 1e-6
    for values, gradient in checked:
        for index in np.ndindex(values.shape):
            value = values[index]
            values[index] = value + h
            above = loss()
            values[index] = value - h
            below = loss()
            values[index] = value
            assert gradient[index] == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-8)


def test_frequent_words_and_targets_are_always_among_the_words() -> None:
    output, (s, targets) = make_output(), make_batch()
    sampled = SampledSoftmax(output.table, output.bias, output.bias_gradient, 10)
    seen = np.zeros(C, bool)
    for seed in range(50):
        sampled.begin()
        sampled.loss_and_gradient(s, targets, 1.0, np.random.default_rng(seed))
        touched = output.table.gradient.any(axis=1)
        assert touched[[0, 1, 2, 3, 4, 12, 17, 29]].all()
        assert touched.sum() == 8 + 5
        seen |= touched
    assert seen.all()
