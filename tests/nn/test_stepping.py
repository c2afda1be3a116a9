import numpy as np
import pytest

from rnnlm.nn.cells import CELLS
from rnnlm.nn.stepping import Stepper, read_prompt
from tests.networks import make_network

pytestmark = pytest.mark.usefixtures("back_end")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("vocabulary_size", [7, 50])
@pytest.mark.parametrize("embedding_size", [None, 5, 6])
def test_steps_give_what_a_window_gives(cell: str, vocabulary_size: int, embedding_size: int | None):
    network = make_network(
        vocabulary_size,
        cell=cell,
        embedding_size=embedding_size,
        hidden_size=6,
        num_layers=2,
        bias=embedding_size != 6,
        residual=True,
        dtype="float64",
    )
    for value in network.parameters.values():
        value *= 2  # so that the gates are not all near the middle
    rng = np.random.default_rng(0)
    ids = rng.integers(vocabulary_size, size=(4, 3))
    state = rng.normal(size=network.initial_state(3).shape)
    expected, expected_state = network.log_probs(ids, state)

    stepper = Stepper(network, state)
    np.testing.assert_array_equal(stepper.state, state)
    for step, log_probs in zip(ids, expected, strict=True):
        np.testing.assert_allclose(stepper.log_probs(step), log_probs, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(stepper.state, expected_state, rtol=1e-12, atol=1e-13)


def test_sequences_that_have_ended_can_be_left_out():
    network = make_network(9, cell="lstm", embedding_size=4, hidden_size=5, dtype="float64")
    first, second = np.array([1, 2, 3]), np.array([4, 6])
    expected, _ = network.log_probs(np.stack([first[[0, 2]], second]), network.initial_state(2))
    stepper = Stepper(network, network.initial_state(3))
    stepper.log_probs(first)
    stepper.begin(stepper.state[:, :, [0, 2]])
    np.testing.assert_allclose(stepper.log_probs(second), expected[1], rtol=1e-12)


def test_the_weights_stay_as_they_are():
    network = make_network(9, cell="gru", hidden_size=4, bias=True)
    before = {name: value.copy() for name, value in network.parameters.items()}
    Stepper(network, network.initial_state(2)).log_probs(np.array([1, 2]))
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("window", [1, 2, 5, 9])
def test_a_prompt_reads_the_same_in_windows_of_any_size(window: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rnnlm.nn.stepping.PROMPT_WINDOW", window)
    network = make_network(7, cell="lstm", hidden_size=6, num_layers=2, dtype="float64")
    ids = [1, 5, 3, 6, 2]
    expected, expected_state = network.log_probs(np.array(ids)[:, None], network.initial_state(1))
    log_probs, state = read_prompt(network, ids)
    np.testing.assert_allclose(log_probs, expected[-1])
    np.testing.assert_allclose(state, expected_state)
