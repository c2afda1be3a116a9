import numpy as np
import pytest

from rnnlm.nn import threads
from rnnlm.optim import ASGD, OPTIMIZERS, SGD, Adam, RowGradient, clip_by_value, global_norm, norm_factor
from rnnlm.optim import adam as adam_module
from rnnlm.optim import optimizer as optimizer_module


def test_sgd_goes_against_the_gradient() -> None:
    parameters, gradients = {"w": np.array([1.0, 2.0])}, {"w": np.array([10.0, -4.0])}
    SGD(parameters, gradients).step(0.05)
    np.testing.assert_allclose(parameters["w"], [0.5, 2.2])


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
    monkeypatch.setattr("rnnlm.optim.optimizer.PIECE", piece)
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


def test_averaging_is_the_papers_algorithm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnlm.optim.optimizer.PIECE", 3)
    rng = np.random.default_rng(0)
    # Only the seventh and the ninth are above the best of all before the last five.
    losses = [5.0, 4.0, 4.5, 4.2, 4.1, 4.3, 5.1, 3.9, 4.2]
    w = np.asfortranarray(rng.normal(size=(3, 2)))
    raw, path, logs, trigger = w.copy(), [], [], None
    parameters, gradients = {"w": w}, {"w": np.zeros_like(w)}
    optimizer = ASGD(parameters, gradients, weight_decay=0.1)
    for loss in losses:
        for _ in range(2):
            g = rng.normal(size=w.shape)
            gradients["w"][...] = g
            optimizer.step(0.3)
            raw = raw - 0.3 * (g + 0.1 * raw)
            path.append(raw)
        optimizer.evaluated(loss)
        if trigger is None and len(logs) > 5 and loss > min(logs[:-5]):
            trigger = len(path)
        logs.append(loss)
        expected = raw if trigger is None else np.mean(path[trigger - 1 :], axis=0)
        np.testing.assert_allclose(optimizer.averages()["w"], expected, rtol=1e-12)
        before = w.copy()
        with optimizer.averages_in_place():
            np.testing.assert_allclose(w, expected, rtol=1e-12)
        np.testing.assert_array_equal(w, before)
        np.testing.assert_allclose(w, raw, rtol=1e-12)
    assert trigger == 14


def test_the_raw_parameters_come_back_when_an_evaluation_is_broken_off() -> None:
    parameters, gradients = {"w": np.ones(3)}, {"w": np.ones(3)}
    optimizer = ASGD(parameters, gradients)
    for loss in (1, 2, 2, 2, 2, 2, 2):
        optimizer.evaluated(loss)
    optimizer.step(0.5)

    def evaluate() -> None:
        with optimizer.averages_in_place():
            np.testing.assert_array_equal(parameters["w"], 0.75)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate()
    np.testing.assert_array_equal(parameters["w"], 0.5)


@pytest.mark.parametrize("gradient", [np.zeros((3, 2)).T, np.zeros((2, 6))[:, ::2]], ids=["layout", "gaps"])
def test_arrays_that_would_be_copied_are_refused(gradient: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^w: parameter and gradient must be whole arrays of one layout"):
        SGD({"w": np.zeros((2, 3))}, {"w": gradient})


OPTIONS: list[tuple[str, dict[str, object]]] = [(name, {}) for name in OPTIMIZERS] + [("sgd", {"momentum": 0.9})]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_parameters_keep_their_precision(name: str, options: dict[str, object]) -> None:
    parameters, gradients = {"w": np.ones(3, np.float32)}, {"w": np.ones(3, np.float32)}
    optimizer = OPTIMIZERS[name](parameters, gradients, weight_decay=0.1, **options)
    optimizer.step(0.1)
    kept = {key: value for key, value in optimizer.state().items() if key.endswith(".w")}
    assert all(value.dtype == np.float32 for value in (parameters | kept).values())


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_restored_optimizer_goes_on_as_if_never_stopped(name: str, options: dict[str, object]) -> None:
    rng = np.random.default_rng(0)
    steps = [rng.normal(size=3) for _ in range(12)]

    def run(parameters: dict[str, np.ndarray], steps: list[np.ndarray], state: dict | None) -> dict:  # type: ignore[type-arg]
        gradients = {"w": np.zeros(3)}
        optimizer = OPTIMIZERS[name](parameters, gradients, **options)
        if state is not None:
            optimizer.load_state(state)
        for step in steps:
            gradients["w"][...] = step
            optimizer.step(0.1)
            optimizer.evaluated(float(optimizer.steps))
        return {key: value.copy() for key, value in (optimizer.state() | optimizer.averages()).items()}

    whole = run({"w": np.ones(3)}, steps, None)
    for stop in (3, 6, 9):
        halves = {"w": np.ones(3)}
        state = run(halves, steps[:stop], None)
        np.testing.assert_equal(run(halves, steps[stop:], state), whole)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_second_core_changes_no_bit(
    name: str, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimizer_module, "PIECE", 5)
    monkeypatch.setattr(adam_module, "ROWS_PIECE", 12)
    results = []
    for number in (1, 2):
        monkeypatch.setattr(threads, "_number", number)
        rng = np.random.default_rng(0)
        parameters = {"w": rng.normal(size=(40, 3)), "table": rng.normal(size=(50, 4)).T}
        gradients = {key: np.zeros_like(value) for key, value in parameters.items()}
        optimizer = OPTIMIZERS[name](parameters, gradients, **options)
        for _ in range(3):
            for value in gradients.values():
                value[...] = 0
            gradients["w"][...] = rng.normal(size=(40, 3))
            ids, rows = np.sort(rng.choice(50, 20, replace=False)), rng.normal(size=(20, 4))
            gradients["table"].T[ids] = rows
            by_row = {"table": RowGradient(ids, 1, rows)} if optimizer.takes_rows else None
            optimizer.step(0.1, by_row, 0.5)
        results.append(optimizer.state() | optimizer.averages())
    np.testing.assert_equal(*results)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_state_of_other_shapes_is_refused(name: str, options: dict[str, object]) -> None:
    optimizer = OPTIMIZERS[name]({"w": np.ones((2, 3))}, {"w": np.ones((2, 3))}, **options)
    state = optimizer.state()
    optimizer.load_state(state)
    for key, value in state.items():
        # NumPy would spread or cut most of them to what the optimizer has.
        for wrong in (np.ones((2, *value.shape)), np.ones((1, 1)) if value.ndim == 2 else np.ones((1, 2))):
            with pytest.raises(ValueError, match=rf"^{key} has "):
                optimizer.load_state({**state, key: wrong})


def test_clipping_scales_all_gradients_to_the_largest_norm() -> None:
    parameters = {"a": np.zeros((2, 1)), "b": np.zeros(1)}
    gradients = {"a": np.array([[3.0, 0.0]]).T, "b": np.array([4.0])}
    norm = global_norm(gradients.values())
    assert norm == pytest.approx(5)
    SGD(parameters, gradients).step(1.0, scale=norm_factor(norm, 1.0))
    np.testing.assert_allclose(parameters["a"], [[-0.6], [0.0]])
    np.testing.assert_allclose(parameters["b"], [-0.8])


def test_a_gradient_whose_square_overflows_is_clipped() -> None:
    parameters = {"w": np.zeros((2, 1), np.float32)}
    gradients = {"w": np.array([[3e30, 4e30]], np.float32).T}
    with np.errstate(over="ignore"):
        norm = global_norm(gradients.values())
    assert norm == pytest.approx(5e30)
    SGD(parameters, gradients).step(1.0, scale=norm_factor(norm, 1.0))
    np.testing.assert_allclose(parameters["w"], [[-0.6], [-0.8]], rtol=1e-6)


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_overflowed_has_no_finite_norm(number: float) -> None:
    assert not np.isfinite(global_norm([np.ones(3, np.float32), np.array([1, number], np.float32)]))


@pytest.mark.parametrize("norm", [0.0, 4.9, 5.0])
def test_a_short_gradient_is_not_clipped(norm: float) -> None:
    assert norm_factor(norm, 5.0) == 1


def test_clipping_cuts_every_element_to_the_largest_value() -> None:
    gradients = [np.array([[3.0, 0.5]]).T, np.array([-4.0, -1.0])]
    clip_by_value(gradients, 1.0)
    np.testing.assert_array_equal(gradients[0], [[1.0], [0.5]])
    np.testing.assert_array_equal(gradients[1], [-1.0, -1.0])
