"""What layers say that they computed, beside their equations taken one unit of arithmetic after another."""

from collections.abc import Callable

import numpy as np
import pytest

from rnnlm import backend
from rnnlm.nn.arrays import Floats
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.cells import CELLS
from rnnlm.nn.layer import Layer, Rows
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.time_delay import TimeDelayLayer
from tests.networks import initialization, make_layer

T, B, D, H = 7, 3, 4, 5
FLOAT64 = np.dtype("float64")
needs_compiled = pytest.mark.skipif(not backend.available(), reason="there are no compiled passes")


def sigmoid(a: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-a))
    return result


def steps(layer: RecurrentLayer, cell: str, x: Floats, state: Floats) -> dict[str, Floats]:
    """Take the steps of one sequence by the equations in the cells' docstrings."""
    U, W, b, b_h = (layer.parameters[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    h, c = state[0], state[-1]
    rows: dict[str, list[Floats]] = {}
    for x_t in x:
        of_input, of_state = np.split(U @ x_t + b, layer.num_gates), np.split(W @ h + b_h, layer.num_gates)
        a = [first + second for first, second in zip(of_input, of_state, strict=True)]
        if cell == "rnn":
            h = np.tanh(a[0])
            values = {"h": h}
        elif cell == "gru":
            r, z = sigmoid(a[0]), sigmoid(a[1])
            n = np.tanh(of_input[2] + r * of_state[2])
            h = (1 - z) * n + z * h
            values = {"h": h, "r": r, "z": z, "n": n}
        else:
            peephole = {gate: layer.parameters.get(f"peephole_{gate}", np.zeros(H)) for gate in "ifo"}
            i, g = sigmoid(a[0] + peephole["i"] * c), np.tanh(a[-2])
            if cell in ("lstm", "lstm_peephole"):
                f = sigmoid(a[1] + peephole["f"] * c)
                values = {"f": f}
            else:
                f = 1 - i if cell == "lstm_coupled" else np.ones(H)
                values = {}
            c = f * c + i * g
            o = sigmoid(a[-1] + peephole["o"] * c)
            h = o * np.tanh(c)
            values |= {"h": h, "c": c, "i": i, "g": g, "o": o}
        for name, value in values.items():
            rows.setdefault(name, []).append(value)
    return {name: np.array(of_name) for name, of_name in rows.items()}


def check(layer: Layer, expected: Callable[[Floats, Floats], dict[str, Floats]], x: Floats, state: Floats) -> None:
    y, _ = layer.forward(x, state)
    activations = layer.activations()
    np.testing.assert_array_equal(activations["h"], y)
    for sequence in range(B):
        by_name = expected(x[:, sequence], state[:, sequence])
        assert by_name.keys() == activations.keys()
        for name, values in by_name.items():
            np.testing.assert_allclose(activations[name][:, sequence], values, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_activations_of_every_cell_are_those_of_its_equations(cell: str) -> None:
    layer, rng = make_layer(cell, D, H), np.random.default_rng(1)
    x, state = rng.normal(size=(T, B, D)), rng.normal(size=(layer.num_states, B, H))
    check(layer, lambda x, state: steps(layer, cell, x, state), x, state)


@needs_compiled
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_compiled_layers_have_the_same_activations(cell: str) -> None:
    from rnnlm.nn.kernels.layers import COMPILED_CELLS

    layer = COMPILED_CELLS[cell](D, H, True, initialization(), FLOAT64)
    rng = np.random.default_rng(1)
    x, state = rng.normal(size=(T, B, D)), rng.normal(size=(layer.num_states, B, H))
    check(layer, lambda x, state: steps(layer, cell, x, state), x, state)
    # The rows of a table go through other arrays.
    ids = rng.integers(6, size=(T, B))
    layer.forward(Rows(x[0].repeat(2, axis=0), ids), state)
    by_rows = {name: values.copy() for name, values in layer.activations().items()}
    layer.forward(x[0].repeat(2, axis=0)[ids], state)
    for name, values in layer.activations().items():
        np.testing.assert_allclose(by_rows[name], values, atol=1e-12)


def test_a_relu_has_its_output_alone() -> None:
    layer = make_layer("rnn", D, H, nonlinearity="relu")
    y, _ = layer.forward(np.random.default_rng(0).normal(size=(T, B, D)), layer.initial_state(B))
    assert list(layer.activations()) == ["h"]
    np.testing.assert_array_equal(layer.activations()["h"], y)
    assert y.min() == 0


def test_what_reads_backwards_has_its_values_where_it_read() -> None:
    ahead, reverse = make_layer("lstm", D, H, seed=0), make_layer("lstm", D, H, seed=1)
    layer, x = Bidirectional(ahead, reverse), np.random.default_rng(0).normal(size=(T, B, D))
    lengths = np.array([T, 3, 5])
    y, _ = layer.forward(x, layer.initial_state(B), lengths=lengths)
    found = {name: values.copy() for name, values in layer.activations().items()}
    assert list(found) == [*"hcifgo", *(f"{name}_reverse" for name in "hcifgo")]
    for sequence, length in enumerate(lengths):
        own = x[:length, sequence]
        np.testing.assert_array_equal(found["h_reverse"][:length, sequence], y[:length, sequence, H:])
        for name, values in steps(reverse, "lstm", own[::-1], np.zeros((2, H))).items():
            of_reverse = found[f"{name}_reverse"][:length, sequence]
            np.testing.assert_allclose(of_reverse, values[::-1], atol=1e-12)


def test_a_time_delay_layer_has_its_output() -> None:
    layer = TimeDelayLayer(D, H, 3, True, initialization(), FLOAT64)
    y, _ = layer.forward(np.random.default_rng(0).normal(size=(T, B, D)), layer.initial_state(B))
    assert list(layer.activations()) == ["h"]
    np.testing.assert_array_equal(layer.activations()["h"], y)
