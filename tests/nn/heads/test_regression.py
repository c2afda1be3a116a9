import numpy as np
import pytest

from rnnlm.nn.heads.regression import Regression
from tests.networks import initialization


def head(bias: bool = True) -> Regression:
    made = Regression(3, bias, initialization(), np.dtype("float64"))
    for value in made.parameters.values():
        value[...] = np.random.default_rng(1).normal(size=value.shape)
    return made


def test_the_loss_is_the_squared_error():
    made, s = head(), np.random.default_rng(0).normal(size=(4, 3))
    weight, bias = made.parameters["weight"], made.parameters["bias"]
    expected = (s @ weight.T + bias)[:, 0]
    assert made.numbers(s) == pytest.approx(expected)
    assert made.losses(s, np.arange(4.0)) == pytest.approx((expected - np.arange(4)) ** 2)
    loss, _ = made.loss_and_gradient(s, np.arange(4.0), 0.5)
    assert loss == pytest.approx(np.sum((expected - np.arange(4)) ** 2))


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_are_those_of_the_loss(bias: bool):
    made, s = head(bias), np.random.default_rng(0).normal(size=(4, 3))
    targets, scale, h = np.arange(4.0), 0.25, 1e-6
    made.begin()
    _, ds = made.loss_and_gradient(s[:2], targets[:2], scale)
    first = ds.copy()
    _, ds = made.loss_and_gradient(s[2:], targets[2:], scale)  # gradients are added up
    arrays = {"s": (s, np.vstack([first, ds])), **{k: (v, made.gradients[k]) for k, v in made.parameters.items()}}
    for array, gradient in arrays.values():
        for index in np.ndindex(array.shape):
            value = array[index]
            sums = []
            for step in (h, -h):
                array[index] = value + step
                sums.append(made.losses(s, targets).sum())
            array[index] = value
            assert gradient[index] == pytest.approx(scale * (sums[0] - sums[1]) / (2 * h), abs=1e-6)


def test_the_same_numbers_as_pytorch():
    torch = pytest.importorskip("torch")
    made, s = head(), np.random.default_rng(0).normal(size=(4, 3))
    linear = torch.nn.Linear(3, 1).double()
    linear.load_state_dict({name: torch.tensor(value) for name, value in made.parameters.items()})
    x = torch.tensor(s, requires_grad=True)
    loss = torch.nn.functional.mse_loss(linear(x)[:, 0], torch.arange(4.0).double(), reduction="sum")
    loss.backward()
    made.begin()
    found, ds = made.loss_and_gradient(s, np.arange(4.0), 1.0)
    assert found == pytest.approx(loss.item())
    assert ds == pytest.approx(x.grad.numpy())
    assert made.gradients["weight"] == pytest.approx(linear.weight.grad.numpy())
    assert made.gradients["bias"] == pytest.approx(linear.bias.grad.numpy())


def test_it_chooses_from_nothing():
    with pytest.raises(TypeError, match="a number is predicted"):
        head().log_probs(np.zeros((1, 3)))
