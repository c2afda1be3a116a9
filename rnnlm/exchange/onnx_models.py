"""Trained networks as ONNX graphs of standard operators."""

import numpy as np
import onnx

from rnnlm.exchange.onnx_graph import Axes, Graph
from rnnlm.exchange.onnx_layers import add_layer
from rnnlm.exchange.onnx_time_delay import add_time_delay, is_time_delay, turn
from rnnlm.nn.arrays import Floats
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.embedding import OneHot
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.nn.layer import Layer
from rnnlm.nn.network import Network
from rnnlm.nn.pooling import LastPooling, MeanPooling, Pooling
from rnnlm.nn.spelling import SpelledEmbedding

EMBEDDING = "embedding.weight"
"""The table of the input, which may be that of the output too."""


def step_model(network: Network) -> onnx.ModelProto:
    """Return a language model that computes what `Network.log_probs` does, in single precision.

    ==============  ========================  ==========================================================
    ``ids``         (time, batch), int64      Token ids.
    ``state``       (L·S, batch, H), float32  The states of layer 0, 1, …; zeros before the first id.
    ``log_probs``   (time, batch, C)          Natural logarithms of the next token's probabilities.
    ``next_state``  (L·S, batch, H)           The state after the last id.
    ==============  ========================  ==========================================================
    """
    L, S, _, H = network.initial_state(1).shape
    C = network.vocabulary_size
    graph = Graph()
    # The inputs that are the state of a time-delay layer go by one name.
    states = "h" if is_time_delay(network.stack.layers[0]) else "hc"[:S]
    names = [f"{state}_l{k}" for k in range(L) for state in states]
    graph.apply("Split", ["state"], *names, axis=0)
    hidden = _add_stack(graph, network, _add_source(graph, network), carries_state=True)
    graph.apply("Concat", [f"next_{name}" for name in names], "next_state", axis=0)
    _add_head(graph, network, hidden)
    return graph.model(
        {"ids": ("time", "batch")},
        {"state": (L * S, "batch", H)},
        {"log_probs": ("time", "batch", C), "next_state": (L * S, "batch", H)},
    )


def sequence_model(network: Network) -> onnx.ModelProto:
    """Return a classifier or tagger that computes what `Network.log_probs` does, in single precision.

    ======================  =========================  =========================================================
    ``ids``                 (time, batch), int64       Token ids; what stands after a sequence's end is not read.
    ``lengths``             (batch,), int64            How many tokens each sequence has, at least one.
    ``places``              (time, batch), int64       Which of the spellings stands where.
    ``characters``          (letters, words), int64    The characters of each spelling.
    ``character_lengths``   (words,), int64            How many characters each spelling has, at least one.
    ``log_probs``           (batch, K), or of a        Natural logarithms of the labels' or tags' probabilities.
                            tagger (time, batch, K)
    ======================  =========================  =========================================================

    The three of spellings are there only where the network reads characters.
    """
    graph, pooling = Graph(), network.pooling
    inputs: dict[str, Axes] = {"ids": ("time", "batch"), "lengths": ("batch",)}
    x = _add_source(graph, network)
    if isinstance(network.source, SpelledEmbedding):
        inputs |= {
            "places": ("time", "batch"),
            "characters": ("letters", "words"),
            "character_lengths": ("words",),
        }
        x = _add_characters(graph, network.source, x)
    hidden = _add_stack(graph, network, x, lengths=_add_int32(graph, "lengths"))
    if pooling is not None:
        is_bidirectional = isinstance(network.stack.layers[-1], Bidirectional)
        hidden = _add_pooling(graph, pooling, hidden, is_bidirectional=is_bidirectional)
    _add_head(graph, network, hidden)
    K = len(network.head.parameters["weight"])
    return graph.model(inputs, {}, {"log_probs": ("batch", K) if pooling is not None else ("time", "batch", K)})


def _add_source(graph: Graph, network: Network) -> str:
    """Add what turns ids into rows of a table (C, E), or into one-hot vectors."""
    if isinstance(network.source, OneHot):
        size = graph.weight("vocabulary_size", np.array(network.vocabulary_size))
        return graph.apply("OneHot", ["ids", size, graph.weight("off_on", np.array([0.0, 1.0]))], "one_hot")
    table = graph.weight(EMBEDDING, network.source.table.value)
    return graph.apply("Gather", [table, "ids"], "embedded", axis=0)


def _add_characters(graph: Graph, source: SpelledEmbedding, words: str) -> str:
    """Add what reads the characters, and return their features beside those of the words."""
    table = graph.weight("characters.embedding.weight", source.characters.table.value)
    x = graph.apply("Gather", [table, "characters"], "embedded_characters", axis=0)
    lengths = _add_int32(graph, "character_lengths")
    y = _add_layer(graph, source.layer, "characters", x, lengths=lengths)
    spelled = _add_last(graph, y, "character_lengths", "spelled", is_bidirectional=True)
    at_places = graph.apply("Gather", [spelled, "places"], "spelled_at_places", axis=0)
    return graph.apply("Concat", [words, at_places], "words_and_spellings", axis=2)


def _add_int32(graph: Graph, lengths: str) -> str:
    """Add lengths as the numbers that recurrent operators take."""
    return graph.apply("Cast", [lengths], f"{lengths}_int32", to=onnx.TensorProto.INT32)


def _add_stack(graph: Graph, network: Network, x: str, *, lengths: str = "", carries_state: bool = False) -> str:
    """Add the recurrent layers and return the output of the last."""
    # With one-hot input the table is U of the first layer.
    table = network.source.table.value.T if isinstance(network.source, OneHot) else None
    state_size = network.initial_state(1).shape[3] if carries_state else None
    for k, (layer, is_residual) in enumerate(zip(network.stack.layers, network.stack.residual, strict=True)):
        U = table if k == 0 else None
        y = _add_layer(graph, layer, f"l{k}", x, input_weights=U, lengths=lengths, state_size=state_size)
        x = graph.apply("Add", [x, y], f"sum_l{k}") if is_residual else y
    return x


def _add_layer(
    graph: Graph,
    layer: Layer,
    name: str,
    x: str,
    *,
    input_weights: Floats | None = None,
    lengths: str,
    state_size: int | None = None,
) -> str:
    """Add a layer of any cell and return its output; with a `state_size` it begins with its part of the state."""
    if is_time_delay(layer):
        return add_time_delay(graph, layer, name, x, lengths=lengths, state_size=state_size)
    carries_state = state_size is not None
    return add_layer(
        graph, layer, name, x, input_weights=input_weights, lengths=lengths, carries_state=carries_state
    )


def _add_last(graph: Graph, y: str, lengths: str, output: str, *, is_bidirectional: bool) -> str:
    """Add the last output of each sequence, (batch, F); that of a layer which reads backwards is its first."""
    first, reverse = graph.weight("first", np.array(0)), []
    if is_bidirectional:
        y = graph.apply("Split", [y], f"{output}_ahead", f"{output}_reverse", axis=2)
        reverse = [graph.apply("Gather", [f"{output}_reverse", first], f"{output}_reverse_last", axis=0)]
    last = graph.apply("Gather", [turn(graph, y, lengths, f"{output}_turned"), first], f"{output}_last", axis=0)
    return graph.apply("Concat", [last, *reverse], output, axis=1)


def _add_pooling(graph: Graph, pooling: Pooling, y: str, *, is_bidirectional: bool) -> str:
    """Add what makes one vector (batch, F) of each sequence's own steps of `y` (time, batch, F)."""
    if isinstance(pooling, LastPooling):
        return _add_last(graph, y, "lengths", "pooled", is_bidirectional=is_bidirectional)
    zero, one, first = graph.weight("zero", [0]), graph.weight("one", [1]), graph.weight("first", np.array(0))
    time = graph.apply("Squeeze", [graph.apply("Shape", ["ids"], "time", end=1)], "number_of_steps")
    numbers = graph.apply("Range", [first, time, graph.weight("each", np.array(1))], "step_numbers")
    steps = graph.apply("Unsqueeze", [numbers, graph.weight("batch_and_features", [1, 2])], "steps")
    ends = graph.apply("Unsqueeze", ["lengths", one], "ends")  # (batch, 1), beside (time, 1, 1)
    is_mean = isinstance(pooling, MeanPooling)
    is_own = graph.apply("Less", [steps, ends], "is_own")
    beside = graph.weight("beside", np.array(0.0 if is_mean else -np.inf))
    own = graph.apply("Where", [is_own, y, beside], "y_own")
    if not is_mean:
        return graph.apply("ReduceMax", [own], "pooled", axes=[0], keepdims=0)
    total = graph.apply("ReduceSum", [own, zero], "total", keepdims=0)
    return graph.apply("Div", [total, graph.apply("Cast", [ends], "counts", to=onnx.TensorProto.FLOAT)], "pooled")


def _add_head(graph: Graph, network: Network, s: str) -> None:
    """Add what turns hidden states into ``log_probs``."""
    head, table = network.head, network.source.table.value
    weights = {
        name: EMBEDDING if value is table else graph.weight(f"output.{name}", value)
        for name, value in head.parameters.items()
    }
    if isinstance(head, AdaptiveSoftmax):
        _add_adaptive_softmax(graph, weights, head.cutoffs, s)
    else:
        _add_softmax(graph, s, weights["weight"], weights.get("bias"), "log_probs")


def _add_softmax(graph: Graph, s: str, weight: str, bias: str | None, output: str) -> None:
    """Add ``log softmax(V s + b)``, or without b."""
    logits = graph.product(s, weight, f"{output}.product")
    if bias is not None:
        logits = graph.apply("Add", [logits, bias], f"{output}.logits")
    graph.apply("LogSoftmax", [logits], output, axis=-1)


def _add_adaptive_softmax(graph: Graph, weights: dict[str, str], cutoffs: list[int], s: str) -> None:
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
