import numpy as np
import pytest

from rnnlm.optim import OPTIMIZERS, SGD, Adam, clip_by_norm, global_norm


def test_sgd_goes_against_the_gradient() -> None:
    parameters, gradients = {"w": np.array([1.0, 2.0])}, {"w": np.array([10.0, -4.0])}
    SGD(parameters, gradients).step(0.1)
    np.testing.assert_allclose(parameters["w"], [0.0, 2.4])


def test_weight_decay_adds_the_l2_penaltys_gradient() -> None:
    parameters, gradients = {"w": np.array([1.0, 2.0])}, {"w": np.array([10.0, -4.0])}
    SGD(parameters, gradients, weight_decay=0.5).step(0.1)
    np.testing.assert_allclose(parameters["w"], [1 - 0.1 * (10 + 0.5), 2 - 0.1 * (-4 + 1)])


def textbook_adam(w: np.ndarray, steps: list[np.ndarray], rate: float, decay: float) -> np.ndarray:
    m = v = np.zeros_like(w)
    for t, g in enumerate(steps, start=1):
        g = g + decay * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("piece", [3, 1 << 14])
def test_adam_is_the_papers_algorithm(monkeypatch: pytest.MonkeyPatch, decay: float, piece: int) -> None:
    monkeypatch.setattr("rnnlm.optim.adam.PIECE", piece)
    rng = np.random.default_rng(0)
    # A transposed view, as the look-up table of a one-hot input is.
    w = np.ascontiguousarray(rng.normal(size=(4, 5))).T
    steps = [rng.normal(size=w.shape) * 10.0**-k for k in range(5)]
    expected = textbook_adam(w.copy(), steps, 0.01, decay)
    parameters, gradients = {"w": w}, {"w": np.zeros_like(w)}
    optimizer = Adam(parameters, gradients, weight_decay=decay)
    for step in steps:
        gradients["w"][...] = step
        optimizer.step(0.01)
    np.testing.assert_allclose(w, expected, rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_restored_optimizer_goes_on_as_if_never_stopped(name: str) -> None:
    rng = np.random.default_rng(0)
    steps = [rng.normal(size=3) for _ in range(6)]

    def run(parameters: dict[str, np.ndarray], steps: list[np.ndarray], state: dict | None) -> dict:  # type: ignore[type-arg]
        gradients = {"w": np.zeros(3)}
        optimizer = OPTIMIZERS[name](parameters, gradients)
        if state is not None:
            optimizer.load_state(state)
        for step in steps:
            gradients["w"][...] = step
            optimizer.step(0.1)
        return {key: value.copy() for key, value in optimizer.state().items()}

    whole, halves = {"w": np.ones(3)}, {"w": np.ones(3)}
    run(whole, steps, None)
    run(halves, steps[3:], run(halves, steps[:3], None))
    np.testing.assert_array_equal(whole["w"], halves["w"])


def test_clipping_scales_all_gradients_to_the_largest_norm() -> None:
    gradients = [np.array([[3.0, 0.0]]).T, np.array([4.0])]
    norm = global_norm(gradients)
    assert norm == pytest.approx(5)
    clip_by_norm(gradients, 1.0, norm)
    np.testing.assert_allclose(gradients[0], [[0.6], [0.0]])
    np.testing.assert_allclose(gradients[1], [0.8])


def test_a_short_gradient_is_not_clipped() -> None:
    gradients = [np.array([3.0, 4.0])]
    clip_by_norm(gradients, 5.0, global_norm(gradients))
    np.testing.assert_array_equal(gradients[0], [3.0, 4.0])
