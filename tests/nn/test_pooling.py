import numpy as np
import pytest

from rnnlm.nn.pooling import POOLINGS, Pooling

FLOAT64 = np.dtype("float64")
Y = np.array([[[1.0, 5.0], [9.0, -2.0]], [[3.0, 4.0], [7.0, 7.0]], [[-8.0, 6.0], [7.0, 7.0]]])
LENGTHS = np.array([3, 1])


@pytest.mark.parametrize(
    ("name", "is_bidirectional", "expected"),
    [
        ("last", False, [[-8, 6], [9, -2]]),
        ("last", True, [[-8, 5], [9, -2]]),
        ("mean", False, [[-4 / 3, 5], [9, -2]]),
        ("max", False, [[3, 6], [9, -2]]),
    ],
)
def test_only_a_sequences_own_steps_are_pooled(
    name: str, is_bidirectional: bool, expected: list[list[float]]
) -> None:
    pooled = POOLINGS[name](FLOAT64, is_bidirectional).forward(Y, LENGTHS)
    np.testing.assert_allclose(pooled, [expected], rtol=1e-15)


@pytest.mark.parametrize("name", POOLINGS)
def test_without_lengths_all_steps_are_a_sequences_own(name: str) -> None:
    pooling = POOLINGS[name](FLOAT64)
    np.testing.assert_array_equal(pooling.forward(Y).copy(), pooling.forward(Y, np.array([3, 3])))


@pytest.mark.parametrize("is_bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS.values(), ids=POOLINGS)
def test_errors_are_those_of_central_differences(pooling: type[Pooling], is_bidirectional: bool) -> None:
    rng = np.random.default_rng(0)
    y, error, lengths = rng.normal(size=(5, 3, 4)), rng.normal(size=(1, 3, 4)), np.array([5, 1, 3])
    layer = pooling(FLOAT64, is_bidirectional)
    layer.forward(y, lengths)
    dy = layer.backward(error).copy()
    for index in np.ndindex(y.shape):
        around = np.stack([y, y])
        around[0][index] -= 1e-6
        around[1][index] += 1e-6
        below, above = (float(np.sum(error * layer.forward(each, lengths))) for each in around)
        assert dy[index] == pytest.approx((above - below) / 2e-6, abs=1e-8)


def test_steps_that_share_the_maximum_share_its_error() -> None:
    pooling = POOLINGS["max"](FLOAT64)
    pooling.forward(np.array([[[2.0]], [[1.0]], [[2.0]]]))
    np.testing.assert_array_equal(pooling.backward(np.array([[[3.0]]])), [[[1.5]], [[0.0]], [[1.5]]])
