"""Time-delay layers as convolutions of ONNX."""

import numpy as np
import onnx

from rnnlm.exchange.onnx_graph import Graph
from rnnlm.nn.arrays import Floats
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.layer import Layer
from rnnlm.nn.time_delay import TimeDelayLayer

END = np.iinfo(np.int64).max
"""Where a slice ends that goes to the last element."""


def is_time_delay(layer: Layer) -> bool:
    """Whether a layer of one or both directions is of the time-delay cell."""
    return isinstance(layer.ahead if isinstance(layer, Bidirectional) else layer, TimeDelayLayer)


def add_time_delay(
    graph: Graph, layer: Layer, name: str, x: str, *, lengths: str = "", state_size: int | None = None
) -> str:
    """Add a time-delay layer of one or both directions.

    Parameters
    ----------
    graph, layer, name, x
        As for a recurrent layer.
    lengths
        The sequences' lengths, (batch,) of int32; a layer of both directions needs them.
    state_size
        Features of the inputs in ``h_{name}``, (width - 1, batch, state_size), with which the layer begins. It
        reads the first D of them, and leaves its last inputs in ``next_h_{name}``. None begins with zeros.

    Returns
    -------
    str
        Its output, (time, batch, features).
    """
    if not isinstance(layer, Bidirectional):
        assert isinstance(layer, TimeDelayLayer)
        return _add_direction(graph, layer, name, x, state_size)
    assert isinstance(layer.ahead, TimeDelayLayer)
    assert isinstance(layer.reverse, TimeDelayLayer)
    ends = graph.apply("Cast", [lengths], f"ends_{name}", to=onnx.TensorProto.INT64)
    turned = turn(graph, x, ends, f"turned_{name}")
    reverse = _add_direction(graph, layer.reverse, f"{name}_reverse", turned, None)
    ahead = _add_direction(graph, layer.ahead, name, x, None)
    return graph.apply("Concat", [ahead, turn(graph, reverse, ends, f"ahead_{name}")], f"both_{name}", axis=2)


def turn(graph: Graph, x: str, lengths: str, output: str) -> str:
    """Add what has each sequence of `x` (time, batch, features) from its last step to its first; padding stays."""
    return graph.apply("ReverseSequence", [x, lengths], output, time_axis=0, batch_axis=1)


def _add_direction(graph: Graph, layer: TimeDelayLayer, name: str, x: str, state_size: int | None) -> str:
    """Add a layer that reads forwards, and return its output."""
    D, S = layer.initial_state(1).shape[2], layer.width - 1
    pads = [S, 0]
    if state_size is not None:
        before = _slice(graph, f"h_{name}", 0, D, 2, f"before_{name}")
        x, pads = graph.apply("Concat", [before, x], f"seen_{name}", axis=0), [0, 0]
        last = _slice(graph, x, -S if S else END, END, 0, f"last_{name}")
        graph.apply("Pad", [last, graph.weight(f"rest_{name}", [0] * 5 + [state_size - D])], f"next_h_{name}")
    columns = graph.apply("Transpose", [x], f"columns_{name}", perm=[1, 2, 0])
    weights = [graph.weight(f"W_{name}", _kernel(layer))]
    if "bias" in layer.parameters:
        weights.append(graph.weight(f"b_{name}", layer.parameters["bias"]))
    sums = graph.apply("Conv", [columns, *weights], f"sums_{name}", pads=pads)
    if layer.nonlinearity != "linear":
        sums = graph.apply(layer.nonlinearity.capitalize(), [sums], f"f_{name}")
    return graph.apply("Transpose", [sums], f"y_{name}", perm=[2, 0, 1])


def _kernel(layer: TimeDelayLayer) -> Floats:
    """Return the kernel (H, D, width) of the convolution."""
    if "weight" in layer.parameters:
        return layer.parameters["weight"]
    # The input is all products; each step takes those of its own W_k.
    products = np.eye(layer.width * layer.hidden_size)
    blocks: Floats = products.reshape(layer.width, layer.hidden_size, -1).transpose(1, 2, 0)
    return blocks


def _slice(graph: Graph, x: str, start: int, end: int, axis: int, output: str) -> str:
    """Add what has the elements of an axis from `start` to before `end`."""
    bounds = {"start": start, "end": end, "axis": axis}
    inputs = [graph.weight(f"{output}_{name}", [place]) for name, place in bounds.items()]
    return graph.apply("Slice", [x, *inputs], output)
