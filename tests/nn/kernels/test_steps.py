import numpy as np
import pytest

from rnnlm.generation.sampling import SamplingSettings
from rnnlm.nn import threads
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper
from tests.networks import make_network

passes = pytest.importorskip("rnnlm.nn.kernels._passes", reason="the compiled passes are not built here")
steps = pytest.importorskip("rnnlm.nn.kernels.steps")

CELLS = [{"cell": "rnn"}, {"cell": "rnn", "nonlinearity": "relu"}, {"cell": "gru"}, {"cell": "lstm"}]
SHAPES = [
    # one-hot tokens; one block of units and a part of one
    {"vocabulary_size": 9, "hidden_size": 21, "num_layers": 2},
    # vectors of few tokens: what the first layer makes of them is looked up, and they go past it too
    {"vocabulary_size": 11, "hidden_size": 8, "embedding_size": 8, "num_layers": 3, "residual": True},
    # vectors of many tokens
    {"vocabulary_size": 200, "hidden_size": 5, "embedding_size": 5, "num_layers": 2, "residual": True},
    {"vocabulary_size": 300, "hidden_size": 70, "embedding_size": 3, "num_layers": 1, "bias": False},
    # another output than one softmax
    {"vocabulary_size": 40, "hidden_size": 6, "embedding_size": 4, "num_layers": 1, "softmax_cutoffs": [8]},
]
CLOSE = {"float32": {"rtol": 0, "atol": 1e-5}, "float64": {"rtol": 1e-12, "atol": 1e-12}}


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNLM_BACKEND", "compiled")


@pytest.fixture(params=passes.instruction_sets())
def _instruction_set(request: pytest.FixtureRequest) -> None:
    passes.use(request.param)


def make(dtype: str, **model: object) -> Network:
    network = make_network(**{"bias": True} | model, dtype=dtype)
    if model.get("nonlinearity") != "relu":  # whose logits would be too large for an absolute bound
        for value in network.parameters.values():
            value *= 2  # so that the gates are not all near the middle
    return network


def window(network: Network, batch_size: int, steps: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return ids (T, B) and a state to begin with."""
    rng = np.random.default_rng(batch_size)
    ids = rng.integers(network.vocabulary_size, size=(steps, batch_size))
    return ids, rng.normal(size=network.initial_state(batch_size).shape).astype(network.dtype)


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_steps_give_what_numpys_windows_give(
    cell: dict[str, str], shape: dict[str, object], dtype: str, monkeypatch: pytest.MonkeyPatch
):
    network = make(dtype, **cell, **shape)
    monkeypatch.setenv("RNNLM_BACKEND", "numpy")
    reference = make(dtype, **cell, **shape)
    for batch_size in [*range(1, 10), 64]:
        ids, state = window(network, batch_size)
        expected, expected_state = reference.log_probs(ids, state)
        stepper = Stepper(network, state)
        assert isinstance(stepper._steps, steps.CompiledSteps)
        np.testing.assert_array_equal(stepper.state, state)
        for step, log_probs in zip(ids, expected, strict=True):
            np.testing.assert_allclose(stepper.log_probs(step), log_probs, **CLOSE[dtype])
        np.testing.assert_allclose(stepper.state, expected_state, **CLOSE[dtype])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stepper_goes_on_with_other_columns(shape: dict[str, object]):
    network = make("float64", cell="lstm", **shape)
    ids, state = window(network, 5)
    stepper = Stepper(network, state)
    stepper.log_probs(ids[0])
    for columns in ([4, 0, 0, 2, 1], [3, 3], [1, 0, 1, 0, 1, 0, 0]):
        before = stepper.state[:, :, columns]
        following = ids[1, : len(columns)] if len(columns) <= 5 else np.arange(7)
        expected, _ = network.log_probs(following[None], before)
        stepper.begin(before)
        np.testing.assert_allclose(stepper.log_probs(following), expected[0], rtol=1e-12)


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("batch_size", [1, 2, 5, 7, 13, 64])
@pytest.mark.parametrize("cell", CELLS)
def test_the_bits_are_the_same_on_any_number_of_threads(
    cell: dict[str, str], batch_size: int, monkeypatch: pytest.MonkeyPatch
):
    network = make("float32", vocabulary_size=90, hidden_size=30, embedding_size=11, num_layers=2, **cell)
    ids, state = window(network, batch_size)
    monkeypatch.setattr(steps, "WORTH_SHARING", 0)
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads, "_number", number)
        stepper = Stepper(network, state)
        found.append([*(stepper.log_probs(step).copy() for step in ids), stepper.state])
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_sequence_does_not_depend_on_its_neighbours():
    network = make("float32", vocabulary_size=90, cell="gru", hidden_size=30, num_layers=2)
    ids, state = window(network, 9)
    stepper = Stepper(network, state)
    of_all = np.array([stepper.log_probs(step) for step in ids])
    for column in range(9):
        stepper.begin(state[:, :, [column]])
        alone = np.array([stepper.log_probs(step[[column]]) for step in ids])
        np.testing.assert_array_equal(alone[:, 0], of_all[:, column])


def test_what_is_not_finite_stays_so():
    network = make("float32", vocabulary_size=90, cell="rnn", nonlinearity="relu", hidden_size=30)
    network.parameters["output.weight"][3] = np.inf
    assert np.isnan(Stepper(network, window(network, 2)[1]).log_probs(np.array([1, 2]))).any(axis=1).all()


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0, 1e-30, 1e30])
@pytest.mark.parametrize("dtype", CLOSE)
def test_tokens_are_drawn_as_numpy_draws_them(dtype: str, temperature: float):
    network = make(dtype, vocabulary_size=9, cell="rnn", hidden_size=3)
    draw = Stepper(network, network.initial_state(1)).draw
    rng = np.random.default_rng(0)
    settings = SamplingSettings(temperature=temperature)
    for tokens in (1, 2, 16, 17, 65, 400):
        log_probs = np.log(rng.dirichlet(np.ones(tokens), 50)).astype(dtype)
        log_probs[rng.random(log_probs.shape) < 0.3] = -np.inf
        log_probs[:, -1] = -2
        draws = rng.random((2, 50)).T[:, 0]
        draws[:2] = 0, np.nextafter(1, 0)
        found = settings.choose(log_probs, draws, draw)
        np.testing.assert_array_equal(found, settings.choose(log_probs, draws))
        assert np.isfinite(log_probs[np.arange(50), found]).all()


def test_a_row_that_is_ruled_out_gives_a_token_that_is_too():
    network = make("float32", vocabulary_size=9, cell="rnn", hidden_size=3)
    draw = Stepper(network, network.initial_state(1)).draw
    assert draw is not None
    log_probs = np.array([[-np.inf, -np.inf], [np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(draw(log_probs, np.array([0.5, 0.5]), 1.0), [0, 0])
