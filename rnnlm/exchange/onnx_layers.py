"""Recurrent layers as operators of ONNX."""

from typing import Any

import numpy as np

from rnnlm.exchange.onnx_graph import Graph
from rnnlm.nn.arrays import Floats
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.gru import GRULayer
from rnnlm.nn.layer import Layer
from rnnlm.nn.lstm import CoupledLSTMLayer, NoForgetLSTMLayer, PeepholeLSTMLayer
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.vanilla import VanillaLayer

OPEN = 30.0
"""Bias of a forget gate that is always open: in single precision its sigmoid is 1."""


def add_layer(
    graph: Graph,
    layer: Layer,
    name: str,
    x: str,
    *,
    input_weights: Floats | None = None,
    lengths: str = "",
    carries_state: bool = False,
) -> str:
    """Add a recurrent layer of one or both directions.

    After it the graph has the last state of each direction under the name ``next_h_{name}``, (directions, batch,
    H), and of an LSTM ``next_c_{name}`` too. A time-delay layer is added by `add_time_delay`.

    Parameters
    ----------
    graph, layer
        Where to, and what.
    name
        The end of the names of its weights and outputs.
    x
        The layer's input, (time, batch, features).
    input_weights
        U of the only direction; None for the layer's own.
    lengths
        The sequences' lengths, (batch,) of int32; without them all are as long as the input.
    carries_state
        Whether it begins with the state in ``h_{name}`` and ``c_{name}``, not with zeros.

    Returns
    -------
    str
        Its output, (time, batch, features).
    """
    directions = _directions(layer)
    operator, attributes = _operator(directions)
    states = [f"{state}_{name}" for state in ("hc" if operator == "LSTM" else "h")]
    before = states if carries_state else [""] * len(states)
    inputs = [x, *_add_weights(graph, directions, name, input_weights), lengths, *before]
    outputs = [f"directions_{name}", *(f"next_{state}" for state in states)]
    if isinstance(directions[0], PeepholeLSTMLayer):
        inputs.append(graph.weight(f"p_{name}", _peepholes(directions)))
    y = graph.apply(operator, inputs, *outputs, **attributes)
    # ONNX has the directions before the batch.
    together = graph.apply("Transpose", [y], f"directions_last_{name}", perm=[0, 2, 1, 3])
    shape = graph.weight(f"shape_{name}", [0, 0, len(directions) * directions[0].hidden_size])
    return graph.apply("Reshape", [together, shape], f"y_{name}")


def _operator(directions: list[RecurrentLayer]) -> tuple[str, dict[str, Any]]:
    """Return the operator that computes a layer, and its attributes."""
    first = directions[0]
    direction = "bidirectional" if len(directions) == 2 else "forward"
    attributes: dict[str, Any] = {"hidden_size": first.hidden_size, "direction": direction}
    if isinstance(first, VanillaLayer):
        return "RNN", attributes | {"activations": [first.nonlinearity.capitalize()] * len(directions)}
    if isinstance(first, GRULayer):
        return "GRU", attributes | {"linear_before_reset": 1}
    return "LSTM", attributes


def _directions(layer: Layer) -> list[RecurrentLayer]:
    """Return the layer of each direction."""
    layers = [layer.ahead, layer.reverse] if isinstance(layer, Bidirectional) else [layer]
    return [each for each in layers if isinstance(each, RecurrentLayer)]


def _peepholes(directions: list[RecurrentLayer]) -> Floats:
    """Return the weights of the peepholes of all directions, (directions, 3H), in ONNX's order of gates."""
    return np.stack(
        [np.concatenate([each.parameters[f"peephole_{gate}"] for gate in "iof"]) for each in directions]
    )


def _add_weights(
    graph: Graph, directions: list[RecurrentLayer], name: str, input_weights: Floats | None
) -> list[str]:
    """Add U, W and the biases of the directions, each with an axis of them first, and return their names."""
    U, W, b = [], [], []
    for layer in directions:
        parameters, H = layer.parameters, layer.hidden_size
        of_input = parameters["weight_ih"] if input_weights is None else input_weights
        U.append(_gates_in_onnx_order(layer, of_input))
        W.append(_gates_in_onnx_order(layer, parameters["weight_hh"]))
        biases = np.zeros((2, len(W[-1])), W[-1].dtype)
        if "bias_ih" in parameters:
            biases[:] = [_gates_in_onnx_order(layer, parameters[f"bias_{of}"]) for of in ("ih", "hh")]
        if isinstance(layer, NoForgetLSTMLayer):
            biases[0, 2 * H : 3 * H] = OPEN
        b.append(biases.ravel())
    tensors = {f"U_{name}": U, f"W_{name}": W, f"b_{name}": b}
    return [graph.weight(each, np.stack(values)) for each, values in tensors.items()]


def _gates_in_onnx_order(layer: RecurrentLayer, rows: Floats) -> Floats:
    """Put the gates' rows (G·H, …) of a weight in the order that ONNX wants: z, r, n and i, o, f, g."""
    if isinstance(layer, VanillaLayer):
        return rows
    if isinstance(layer, GRULayer):
        r, z, n = np.split(rows, 3)
        return np.concatenate([z, r, n])
    if isinstance(layer, CoupledLSTMLayer):
        i, g, o = np.split(rows, 3)
        f = -i  # 1 - σ(a) = σ(-a)
    elif isinstance(layer, NoForgetLSTMLayer):
        i, g, o = np.split(rows, 3)
        f = np.zeros_like(i)
    else:
        i, f, g, o = np.split(rows, 4)
    return np.concatenate([i, o, f, g])
