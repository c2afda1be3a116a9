"""A trained network as an ONNX graph of standard operators."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from rnnlm.nn.arrays import Floats
from rnnlm.nn.embedding import OneHot
from rnnlm.nn.gru import GRULayer
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.nn.lstm import CoupledLSTMLayer, NoForgetLSTMLayer, PeepholeLSTMLayer
from rnnlm.nn.network import Network
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.vanilla import VanillaLayer

OPSET = 17
"""Version of ONNX's operators: old enough for the runtimes of browsers and phones."""

EMBEDDING = "embedding.weight"
"""The table of the input, which may be that of the output too."""

OPEN = 30.0
"""Bias of a forget gate that is always open: in single precision its sigmoid is 1."""


class _Graph:
    """The operators and weights of a graph in the making; a value is known by its name."""

    def __init__(self) -> None:
        self.operators: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: Floats | NDArray[np.int64]) -> str:
        """Add a constant, real numbers in single precision, and return its name."""
        if np.issubdtype(value.dtype, np.floating):
            value = value.astype(np.float32)
        self.weights.append(onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def apply(self, operator: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """Add an operator and return the name of its first output."""
        self.operators.append(onnx.helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def product(self, x: str, weight: str, output: str) -> str:
        """Add ``x Wᵀ`` and return its name; the rows of W are the outputs."""
        transposed = self.apply("Transpose", [weight], f"{weight}.transposed", perm=[1, 0])
        return self.apply("MatMul", [x, transposed], output)


def onnx_model(network: Network) -> onnx.ModelProto:
    """Return a network as an ONNX model that computes what `Network.log_probs` does, in single precision.

    ==============  ========================  ==========================================================
    ``ids``         (time, batch), int64      Token ids.
    ``state``       (L·S, batch, H), float32  The states of layer 0, 1, …; zeros before the first id.
    ``log_probs``   (time, batch, C)          Natural logarithms of the next token's probabilities.
    ``next_state``  (L·S, batch, H)           The state after the last id.
    ==============  ========================  ==========================================================
    """
    table, layers, head = network.source.table.value, network.stack.layers, network.head
    is_one_hot = isinstance(network.source, OneHot)  # then the table is U of the first layer
    L, S, H, C = len(layers), layers[0].num_states, layers[0].hidden_size, network.vocabulary_size
    graph = _Graph()
    names = [f"{state}_l{k}" for k in range(L) for state in "hc"[:S]]
    graph.apply("Split", ["state"], *names, axis=0)
    graph.weight("direction", np.array([1]))
    x = _add_one_hot(graph, C) if is_one_hot else _add_look_up(graph, table)
    for k, layer in enumerate(layers):
        U = table.T if is_one_hot and k == 0 else layer.parameters["weight_ih"]
        y = _add_layer(graph, layer, U, k, x)
        x = graph.apply("Add", [x, y], f"sum_l{k}") if network.stack.residual[k] else y
    graph.apply("Concat", [f"next_{name}" for name in names], "next_state", axis=0)
    weights = {
        name: EMBEDDING if value is table else graph.weight(f"output.{name}", value)
        for name, value in head.parameters.items()
    }
    if isinstance(head, AdaptiveSoftmax):
        _add_adaptive_softmax(graph, weights, head.cutoffs, x)
    else:
        _add_softmax(graph, x, weights["weight"], weights.get("bias"), "log_probs")

    def described(name: str, *shape: int | str, kind: int = onnx.TensorProto.FLOAT) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, kind, shape)

    model = onnx.helper.make_graph(
        graph.operators,
        "rnnlm",
        [described("ids", "time", "batch", kind=onnx.TensorProto.INT64), described("state", L * S, "batch", H)],
        [described("log_probs", "time", "batch", C), described("next_state", L * S, "batch", H)],
        graph.weights,
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    # The oldest version of the file format that has these operators; runtimes refuse those they do not know.
    version = onnx.helper.find_min_ir_version_for([opset])
    return onnx.helper.make_model(model, producer_name="rnnlm", opset_imports=[opset], ir_version=version)


def _add_look_up(graph: _Graph, table: Floats) -> str:
    """Add what turns ids into rows of a table (C, E)."""
    return graph.apply("Gather", [graph.weight(EMBEDDING, table), "ids"], "embedded", axis=0)


def _add_one_hot(graph: _Graph, vocabulary_size: int) -> str:
    """Add what turns ids into one-hot vectors."""
    size = graph.weight("vocabulary_size", np.array(vocabulary_size))
    return graph.apply("OneHot", ["ids", size, graph.weight("off_on", np.array([0.0, 1.0]))], "one_hot")


def _add_layer(graph: _Graph, layer: RecurrentLayer, U: Floats, k: int, x: str) -> str:
    """Add recurrent layer k, whose input weights are U, and return its output, (time, batch, H)."""
    parameters, H = layer.parameters, layer.hidden_size

    def ordered(rows: Floats) -> Floats:
        return _gates_in_onnx_order(layer, rows)

    W = ordered(parameters["weight_hh"])
    biases = np.zeros((2, len(W)), W.dtype)
    if "bias_ih" in parameters:
        biases[:] = ordered(parameters["bias_ih"]), ordered(parameters["bias_hh"])
    if isinstance(layer, NoForgetLSTMLayer):
        biases[0, 2 * H : 3 * H] = OPEN
    # ONNX's first axis is the direction in time, of which there is one here.
    tensors = {f"U_l{k}": ordered(U)[None], f"W_l{k}": W[None], f"b_l{k}": biases.reshape(1, -1)}
    inputs = [x, *(graph.weight(name, value) for name, value in tensors.items()), "", f"h_l{k}"]
    outputs = [f"directions_l{k}", f"next_h_l{k}"]
    attributes: dict[str, Any] = {"hidden_size": H}
    if isinstance(layer, VanillaLayer):
        operator = "RNN"
        attributes["activations"] = [layer.nonlinearity.capitalize()]
    elif isinstance(layer, GRULayer):
        operator = "GRU"
        attributes["linear_before_reset"] = 1
    else:
        operator = "LSTM"
        inputs.append(f"c_l{k}")
        outputs.append(f"next_c_l{k}")
    if isinstance(layer, PeepholeLSTMLayer):
        peepholes = np.concatenate([parameters[f"peephole_{gate}"] for gate in "iof"])
        inputs.append(graph.weight(f"p_l{k}", peepholes[None]))
    y = graph.apply(operator, inputs, *outputs, **attributes)
    return graph.apply("Squeeze", [y, "direction"], f"y_l{k}")


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


def _add_softmax(graph: _Graph, s: str, weight: str, bias: str | None, output: str) -> None:
    """Add ``log softmax(V s + b)``, or without b."""
    logits = graph.product(s, weight, f"{output}.product")
    if bias is not None:
        logits = graph.apply("Add", [logits, bias], f"{output}.logits")
    graph.apply("LogSoftmax", [logits], output, axis=-1)


def _add_adaptive_softmax(graph: _Graph, weights: dict[str, str], cutoffs: list[int], s: str) -> None:
    """Add what `AdaptiveSoftmax.log_probs` computes."""
    _add_softmax(graph, s, weights["head.weight"], weights.get("head.bias"), "head")
    clusters = range(len(cutoffs) - 1)
    sizes = graph.weight("head_sizes", np.array([cutoffs[0], *(1 for _ in clusters)]))
    graph.apply("Split", ["head", sizes], "frequent", *(f"cluster_{k}" for k in clusters), axis=-1)
    for k in clusters:
        features = graph.product(s, weights[f"tail.{k}.0.weight"], f"features_{k}")
        _add_softmax(graph, features, weights[f"tail.{k}.1.weight"], None, f"within_{k}")
        graph.apply("Add", [f"within_{k}", f"cluster_{k}"], f"rare_{k}")
    graph.apply("Concat", ["frequent", *(f"rare_{k}" for k in clusters)], "log_probs", axis=-1)
