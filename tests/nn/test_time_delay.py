"""The time-delay layer: its sums, their derivatives, its state, and what only its width lets it learn."""

import itertools
from typing import Any

import numpy as np
import pytest

from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.nn.layer import Layer, Rows
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt
from rnnlm.nn.time_delay import Activation, TimeDelayLayer
from rnnlm.optim import OPTIMIZERS
from tests.networks import initialization, make_network, window

T, B, D, H, WIDTH = 7, 4, 3, 5, 4
LENGTHS = {"full": None, "padded": np.array([7, 3, 1, 5]), "empty": np.array([0, 7, 2, 0])}
ACTIVATIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "linear": lambda a: a}


def make(nonlinearity: Activation = "tanh", width: int = WIDTH, seed: int = 0) -> TimeDelayLayer:
    return TimeDelayLayer(D, H, width, True, initialization(seed), np.dtype("float64"), nonlinearity)


def run(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Make an input and a state before it."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(T, B, D)), rng.normal(size=layer.initial_state(B).shape)


@pytest.mark.parametrize("width", [1, 2, WIDTH, T + 3])
@pytest.mark.parametrize("nonlinearity", ACTIVATIONS)
def test_each_output_is_of_the_last_inputs(nonlinearity: Activation, width: int) -> None:
    layer = make(nonlinearity, width)
    x, state = run(layer)
    y, final = layer.forward(x, state)
    seen = np.concatenate([state, x])
    W, b = layer.parameters["weight"], layer.parameters["bias"]
    assert W.shape == (H, D, width)
    for t, sequence in np.ndindex(T, B):
        a = b + sum(W[..., width - 1 - k] @ seen[width - 1 + t - k, sequence] for k in range(width))
        np.testing.assert_allclose(y[t, sequence], ACTIVATIONS[nonlinearity](a), rtol=1e-12)
    np.testing.assert_array_equal(final, seen[T:])


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("name", [*ACTIVATIONS, "wide", "both directions"])
def test_errors_go_into_and_out_of_inputs_and_state(name: Any, lengths: np.ndarray | None) -> None:
    """The derivative of a loss of all outputs and of the state after them, against central differences."""
    layer: Layer = make(name) if name in ACTIVATIONS else make(width=T + 3)
    if name == "both directions":
        layer = Bidirectional(make(), make(seed=1))
    x, state = run(layer)
    rng = np.random.default_rng(2)
    dy = rng.normal(size=layer.forward(x, state)[0].shape)
    dstate = rng.normal(size=state.shape)

    def loss() -> float:
        y, final = layer.forward(x, state, lengths=lengths)
        return float(np.sum(dy * y) + np.sum(dstate * final))

    loss()
    dx = layer.backward(dy, dstate).copy()
    of_parameters = [(layer.parameters[name], layer.gradients[name]) for name in layer.parameters]
    found = [(x, dx), (state, layer.state_error()), *of_parameters]
    for values, gradient in [(values, gradient.copy()) for values, gradient in found]:
        for place in rng.choice(values.size, min(values.size, 30), replace=False):
            index = np.unravel_index(place, values.shape)
            kept = values[index]
            values[index] = kept + 1e-5
            above = loss()
            values[index] = kept - 1e-5
            below = loss()
            values[index] = kept
            assert gradient[index] == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-7)


def test_rows_are_read_as_their_vectors_are() -> None:
    layer = make()
    _, state = run(layer)
    rng = np.random.default_rng(3)
    table, ids, lengths = rng.normal(size=(4, D)), rng.integers(0, 4, (T, B)), LENGTHS["padded"]
    dy, dstate = rng.normal(size=(T, B, H)), rng.normal(size=state.shape)
    y, final = (array.copy() for array in layer.forward(table[ids], state, lengths=lengths))
    expected = np.zeros_like(table)
    np.add.at(expected, ids, layer.backward(dy, dstate))
    gradients = {name: value.copy() for name, value in layer.gradients.items()}
    for found, value in zip(layer.forward(Rows(table, ids), state, lengths=lengths), (y, final), strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-12)
    np.testing.assert_allclose(layer.backward(dy, dstate), expected, rtol=1e-10, atol=1e-12)
    for name, value in gradients.items():
        np.testing.assert_allclose(layer.gradients[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def test_an_ended_sequence_keeps_its_state() -> None:
    layer, lengths = make(), LENGTHS["empty"]
    assert lengths is not None
    x, state = run(layer)
    y, final = (array.copy() for array in layer.forward(x, state, lengths=lengths))
    for b, length in enumerate(lengths):
        np.testing.assert_array_equal(final[:, b], np.concatenate([state, x[:length]])[length:][: WIDTH - 1, b])
        if length:
            alone, _ = layer.forward(x[:length, b : b + 1], state[:, b : b + 1])
            np.testing.assert_allclose(y[:length, b : b + 1], alone, rtol=1e-12)


def test_values_and_gradients_are_those_of_pytorchs_convolution() -> None:
    torch = pytest.importorskip("torch")
    layer = make()
    x, _ = run(layer)
    y, _ = layer.forward(x, layer.initial_state(B))
    dx = layer.backward(np.sin(y))
    convolution = torch.nn.Conv1d(D, H, WIDTH, dtype=torch.float64)
    convolution.load_state_dict(
        {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in layer.parameters.items()}
    )
    inputs = torch.from_numpy(x).requires_grad_()
    columns = torch.nn.functional.pad(inputs.permute(1, 2, 0), (WIDTH - 1, 0))
    outputs = torch.tanh(convolution(columns)).permute(2, 0, 1)
    np.testing.assert_allclose(y, outputs.detach().numpy(), rtol=1e-12)
    outputs.backward(torch.from_numpy(np.sin(y)))
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-10, atol=1e-12)
    for name, value in convolution.named_parameters():
        np.testing.assert_allclose(layer.gradients[name], value.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_a_linear_layer_continues_an_autoregressive_series() -> None:
    layer = TimeDelayLayer(1, 1, 3, True, initialization(), np.dtype("float64"), "linear")
    layer.parameters["weight"][0, 0] = 0.2, -0.5, 0.9  # of x_{t-2}, x_{t-1} and x_t
    layer.parameters["bias"][0] = 2.0
    series = [1.0, 3.0, -1.0]
    for _ in range(20):
        series.append(2 + 0.9 * series[-1] - 0.5 * series[-2] + 0.2 * series[-3])
    values = np.array(series)[:, None, None]
    y, _ = layer.forward(values[2:-1], values[:2])
    np.testing.assert_allclose(y, values[3:], rtol=1e-12)


def test_a_layer_serves_once_in_a_pass() -> None:
    layer = make()
    y, _ = layer.forward(*run(layer))
    with pytest.raises(RuntimeError, match="state_error needs a backward before it"):
        layer.state_error()
    layer.backward(y)
    with pytest.raises(RuntimeError, match="backward needs a forward before it"):
        layer.backward(y)


C = 9
NETWORKS: dict[str, dict[str, Any]] = {
    "one-hot": {"bias": True},
    "one-hot, stacked": {"num_layers": 2, "nonlinearity": "relu"},
    "embedding": {"embedding_size": 7},
    "stacked": {"embedding_size": 4, "num_layers": 3, "residual": True, "bias": True},
    "tied": {"embedding_size": 6, "tie_weights": True, "residual": True, "nonlinearity": "linear"},
    "wide": {"embedding_size": 4, "width": 11, "num_layers": 2},
}


def network_of(name: str, **options: Any) -> Network:
    values = {"cell": "time_delay", "width": 3, "hidden_size": 6, "dtype": "float64", **NETWORKS[name], **options}
    return make_network(C, **values)


@pytest.mark.parametrize("steps", [5, 13], ids=["by place", "by token"])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_networks_are_those_of_central_differences(name: str, steps: int) -> None:
    network = network_of(name, dropout=0.2)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, C, (steps + 1, 3))
    state = rng.normal(size=network.initial_state(3).shape)
    for drops in (False, True):
        errors = gradient_check(network, window(ids), state, drops=drops)
        assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_and_single_steps_are_the_whole_text(name: str) -> None:
    network = network_of(name)
    ids = np.random.default_rng(1).integers(0, C, (20, 2))
    whole, last = network.log_probs(ids, network.initial_state(2))
    state, parts = network.initial_state(2), []
    for first, end in itertools.pairwise((0, 1, 2, 9, 20)):
        log_probs, state = network.log_probs(ids[first:end], state)
        parts.append(log_probs)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-10)
    np.testing.assert_allclose(state, last, rtol=1e-10)
    stepper = Stepper(network, network.initial_state(2))
    for t in range(10):
        np.testing.assert_allclose(stepper.log_probs(ids[t]), whole[t], rtol=1e-10)
    stepper.begin(stepper.state[:, :, [1]])
    for t in range(10, 20):
        np.testing.assert_allclose(stepper.log_probs(ids[t, 1:]), whole[t, 1:], rtol=1e-10)
    prompt, state = read_prompt(network, ids[:, 0].tolist())
    np.testing.assert_allclose(prompt[0], whole[-1, 0], rtol=1e-10)
    np.testing.assert_allclose(state, last[:, :, :1], rtol=1e-10)


def test_states_of_different_sizes_are_one_array() -> None:
    stack = network_of("stacked").stack
    states = [np.random.default_rng(k).normal(size=(2, 3, size)) for k, size in enumerate((4, 6, 6))]
    joined = stack.joined(states)
    assert joined.shape == (3, 2, 3, 6)
    assert not joined[0, ..., 4:].any()
    for state, expected in zip(stack.split(joined), states, strict=True):
        np.testing.assert_array_equal(state, expected)


DELAY = 3


@pytest.mark.parametrize("options", [{"embedding_size": 8}, {}], ids=["embedding, adam", "one-hot, sgd"])
@pytest.mark.parametrize("width", [DELAY, DELAY + 1])
def test_a_token_is_told_by_one_some_steps_back_if_the_layer_sees_it(width: int, options: Any) -> None:
    """The token after t is the one at t - DELAY; of those in between it is independent."""
    rng = np.random.default_rng(0)
    network = make_network(
        4, cell="time_delay", width=width, hidden_size=24, bias=True, dtype="float64", **options
    )
    name, rate = ("adam", 0.01) if options else ("sgd", 0.02)
    optimizer = OPTIMIZERS[name](network.parameters, network.gradients)
    state, loss = network.initial_state(10), np.inf
    begin = rng.integers(0, 4, (DELAY + 1, 10))
    for _ in range(150):
        # A period of DELAY + 1 tokens that are drawn anew for every window.
        begin = rng.integers(0, 4, (DELAY + 1, 10))
        ids = np.tile(begin, (6, 1))
        mask = np.ones((len(ids) - 1, 10), bool)
        mask[:DELAY] = False
        batch = window(ids, mask)
        loss = network.backpropagate(batch, state)[0] / batch.num_predictions
        optimizer.step(rate)
    if width > DELAY:
        assert loss < 0.05
    else:
        assert loss > 1.2  # ln 4 is 1.39
