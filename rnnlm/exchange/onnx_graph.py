"""A trained network as an ONNX graph of standard operators."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from rnnlm.config import ModelConfig
from rnnlm.nn.arrays import Floats
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.nn.network import Network

OPSET = 17
"""Version of ONNX's operators: old enough for the runtimes of browsers and phones."""

OPERATORS = {"rnn": "RNN", "gru": "GRU"}
"""ONNX's operator for a cell; LSTM for the others."""

OPEN = 30.0
"""Bias of a forget gate that is always open: in single precision its sigmoid is 1."""


class _Graph:
    """The operators and weights of a graph in the making; a value is known by its name."""

    def __init__(self) -> None:
        self.operators: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: Floats | NDArray[np.int64]) -> str:
        """Add a constant and return its name."""
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


def onnx_model(network: Network, settings: ModelConfig) -> onnx.ModelProto:
    """Return the network as an ONNX model that computes what `Network.log_probs` does, in single precision.

    ==============  ========================  ==========================================================
    ``ids``         (time, batch), int64      Token ids.
    ``state``       (L·S, batch, H), float32  The states of layer 0, 1, …; zeros before the first id.
    ``log_probs``   (time, batch, C)          Natural logarithms of the next token's probabilities.
    ``next_state``  (L·S, batch, H)           The state after the last id.
    ==============  ========================  ==========================================================

    Parameters
    ----------
    network
        The network.
    settings
        Its section of the configuration.
    """
    weights = {name: value.astype(np.float32) for name, value in network.parameters.items()}
    layers, C = network.stack.layers, network.vocabulary_size
    L, S, H = len(layers), layers[0].num_states, layers[0].hidden_size
    graph = _Graph()
    names = [f"{state}_l{k}" for k in range(L) for state in "hc"[:S]]
    graph.apply("Split", ["state"], *names, axis=0)
    graph.weight("direction", np.array([1]))
    x = _add_input(graph, weights, C)
    for k in range(L):
        y = _add_layer(graph, weights, settings, k, x)
        x = graph.apply("Add", [x, y], f"sum_l{k}") if network.stack.residual[k] else y
    graph.apply("Concat", [f"next_{name}" for name in names], "next_state", axis=0)
    if isinstance(network.head, AdaptiveSoftmax):
        _add_adaptive_softmax(graph, weights, network.head.cutoffs, x)
    else:
        weight = "embedding.weight"
        if not settings.tie_weights:
            weight = graph.weight("output.weight", weights["output.weight"])
        _add_softmax(graph, weights, x, weight, "output.bias", "log_probs")

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


def _add_input(graph: _Graph, weights: dict[str, Floats], vocabulary_size: int) -> str:
    """Add what turns ids into the first layer's input."""
    if "embedding.weight" in weights:
        graph.weight("embedding.weight", weights["embedding.weight"])
        return graph.apply("Gather", ["embedding.weight", "ids"], "embedded", axis=0)
    size = graph.weight("vocabulary_size", np.array(vocabulary_size))
    return graph.apply("OneHot", ["ids", size, graph.weight("off_on", np.array([0, 1], np.float32))], "one_hot")


def _add_layer(graph: _Graph, weights: dict[str, Floats], settings: ModelConfig, k: int, x: str) -> str:
    """Add recurrent layer k and return its output, (time, batch, H)."""
    cell, H = settings.cell, settings.hidden_size

    def ordered(name: str) -> Floats:
        return _gates_in_onnx_order(cell, weights[f"rnn.{name}_l{k}"])

    U, W = ordered("weight_ih"), ordered("weight_hh")
    biases = np.zeros((2, len(W)), np.float32)
    if settings.bias:
        biases[:] = ordered("bias_ih"), ordered("bias_hh")
    if cell == "lstm_no_forget":
        biases[0, 2 * H : 3 * H] = OPEN
    # ONNX's first axis is the direction in time, of which there is one here.
    tensors = {f"U_l{k}": U[None], f"W_l{k}": W[None], f"b_l{k}": biases.reshape(1, -1)}
    inputs = [x, *(graph.weight(name, value) for name, value in tensors.items()), "", f"h_l{k}"]
    outputs = [f"directions_l{k}", f"next_h_l{k}"]
    attributes: dict[str, Any] = {"hidden_size": H}
    if cell == "rnn":
        attributes["activations"] = [settings.nonlinearity.capitalize()]
    elif cell == "gru":
        attributes["linear_before_reset"] = 1
    else:
        inputs.append(f"c_l{k}")
        outputs.append(f"next_c_l{k}")
    if cell == "lstm_peephole":
        peepholes = np.concatenate([weights[f"rnn.peephole_{gate}_l{k}"] for gate in "iof"])
        inputs.append(graph.weight(f"p_l{k}", peepholes[None]))
    y = graph.apply(OPERATORS.get(cell, "LSTM"), inputs, *outputs, **attributes)
    return graph.apply("Squeeze", [y, "direction"], f"y_l{k}")


def _gates_in_onnx_order(cell: str, rows: Floats) -> Floats:
    """Put the gates' rows (G·H, …) of a weight in the order that ONNX wants: z, r, n and i, o, f, g."""
    if cell == "rnn":
        return rows
    if cell == "gru":
        r, z, n = np.split(rows, 3)
        return np.concatenate([z, r, n])
    if cell == "lstm_coupled":
        i, g, o = np.split(rows, 3)
        f = -i  # 1 - σ(a) = σ(-a)
    elif cell == "lstm_no_forget":
        i, g, o = np.split(rows, 3)
        f = np.zeros_like(i)
    else:
        i, f, g, o = np.split(rows, 4)
    return np.concatenate([i, o, f, g])


def _add_softmax(graph: _Graph, weights: dict[str, Floats], s: str, weight: str, bias: str, output: str) -> None:
    """Add ``log softmax(V s + b)``; V is in the graph already, b is added where there is one."""
    logits = graph.product(s, weight, f"{output}.product")
    if bias in weights:
        logits = graph.apply("Add", [logits, graph.weight(bias, weights[bias])], f"{output}.logits")
    graph.apply("LogSoftmax", [logits], output, axis=-1)


def _add_adaptive_softmax(graph: _Graph, weights: dict[str, Floats], cutoffs: list[int], s: str) -> None:
    """Add what `AdaptiveSoftmax.log_probs` computes."""
    for name, value in weights.items():
        if name.startswith("output.") and name.endswith(".weight"):
            graph.weight(name, value)
    _add_softmax(graph, weights, s, "output.head.weight", "output.head.bias", "head")
    clusters = range(len(cutoffs) - 1)
    sizes = graph.weight("head_sizes", np.array([cutoffs[0], *(1 for _ in clusters)]))
    graph.apply("Split", ["head", sizes], "frequent", *(f"cluster_{k}" for k in clusters), axis=-1)
    for k in clusters:
        features = graph.product(s, f"output.tail.{k}.0.weight", f"features_{k}")
        _add_softmax(graph, weights, features, f"output.tail.{k}.1.weight", "", f"within_{k}")
        graph.apply("Add", [f"within_{k}", f"cluster_{k}"], f"rare_{k}")
    graph.apply("Concat", ["frequent", *(f"rare_{k}" for k in clusters)], "log_probs", axis=-1)
