"""Message passing: its derivatives, PyTorch's numbers, graphs that are sequences, and a task that needs it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.graph import AGGREGATIONS, GatedGraphLayer, Graphs
from rnnlm.nn.gru import GRULayer
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.readout import GatedSumReadout, MeanReadout, Readout, SumReadout
from rnnlm.nn.table import Table
from rnnlm.optim.adam import Adam
from tests.networks import initialization, make_layer

FLOAT64 = np.dtype("float64")
H = 3


def graphs(edges: list[tuple[int, int]], num_nodes: int, graph_of: list[int] | None = None) -> Graphs:
    sources, targets = np.array(edges, int).reshape(-1, 2).T
    return Graphs(sources, targets, num_nodes, None if graph_of is None else np.array(graph_of))


def make(rounds: int, aggregation: str = "sum", size: int = H, seed: int = 0) -> GatedGraphLayer:
    layer = GatedGraphLayer(size, rounds, initialization(seed), FLOAT64, aggregation=aggregation)
    rng = np.random.default_rng(seed + 1)
    for name, value in layer.parameters.items():
        if "bias" in name:  # they start at zero, where a mistake would not show
            value[...] = rng.normal(size=value.shape)
    return layer


CYCLE = graphs([(0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2)], 3)
# An edge that is there three times, a loop, and a node without an edge.
ODD = graphs([(0, 1), (0, 1), (2, 2), (1, 3), (3, 2), (0, 1)], 5)
LONELY = graphs([], 1)
STAR = graphs([(0, v) for v in range(1, 40)] + [(v, 0) for v in range(1, 40)], 40)
BATCH = Graphs.side_by_side([CYCLE, ODD, LONELY])
# The nodes of each graph do not come one after another.
MIXED = graphs([(0, 2), (2, 0), (4, 2), (1, 3), (3, 3)], 6, [0, 1, 0, 1, 0, 2])


def states(g: Graphs, features: int = H) -> Floats:
    return np.random.default_rng(7).normal(size=(g.num_nodes, features))


def assert_derivative(loss: Callable[[], float], array: Floats, derivative: Floats) -> None:
    """Compare a derivative with central differences, element by element."""
    assert derivative.shape == array.shape
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + 1e-5
        above = loss()
        array[index] = value - 1e-5
        below = loss()
        array[index] = value
        assert derivative[index] == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("g", [BATCH, MIXED, LONELY], ids=["batch", "mixed", "lonely"])
def test_gradients_are_those_of_central_differences(g: Graphs, rounds: int, aggregation: str) -> None:
    layer, h = make(rounds, aggregation), states(g)
    error = np.random.default_rng(1).normal(size=h.shape)

    def loss() -> float:
        return float(np.sum(error * layer.forward(h, g)))

    loss()
    dh = layer.backward(error).copy()
    assert_derivative(loss, h, dh)
    for name, parameter in layer.parameters.items():
        assert_derivative(loss, parameter, layer.gradients[name])


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_a_round_is_what_the_equations_say(aggregation: str) -> None:
    layer, h = make(1, aggregation), states(BATCH)
    W, b, U, W_h, b_i, b_h = layer.parameters.values()
    for v, after in enumerate(layer.forward(h, BATCH)):
        heard = [W @ h[u] + b for u in BATCH.sources[BATCH.targets == v]]
        m = sum(heard, np.zeros(H)) / (max(len(heard), 1) if aggregation == "mean" else 1)
        (a_r, a_z, a_n), (q_r, q_z, q_n) = np.split(U @ m + b_i, 3), np.split(W_h @ h[v] + b_h, 3)
        r, z = 1 / (1 + np.exp(-a_r - q_r)), 1 / (1 + np.exp(-a_z - q_z))
        np.testing.assert_allclose(after, (1 - z) * np.tanh(a_n + r * q_n) + z * h[v], rtol=1e-12)


def test_a_second_pass_is_not_mixed_up_with_the_first() -> None:
    layer = make(2)
    for g in (BATCH, CYCLE, STAR, CYCLE):
        again = make(2)
        h = states(g)
        np.testing.assert_array_equal(layer.forward(h, g), again.forward(h, g))
        np.testing.assert_array_equal(layer.backward(h), again.backward(h))
        for name, gradient in layer.gradients.items():
            np.testing.assert_array_equal(gradient, again.gradients[name])


def test_no_rounds_leave_the_states_as_they_are() -> None:
    h = states(BATCH)
    np.testing.assert_array_equal(make(0).forward(h, BATCH), h)


def test_nothing_is_heard_of_what_lies_farther_than_the_rounds() -> None:
    path = graphs([(0, 1), (1, 2), (2, 3)], 4)
    h = states(path)
    before = make(2).forward(h, path).copy()
    h[0] += 1
    np.testing.assert_array_equal(make(2).forward(h, path)[3], before[3])
    assert (make(3).forward(h, path)[3] != make(3).forward(states(path), path)[3]).all()


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_values_and_gradients_are_pytorchs(aggregation: str) -> None:
    torch = pytest.importorskip("torch")
    g, layer = Graphs.side_by_side([ODD, STAR, MIXED]), make(3, aggregation)
    message, update = torch.nn.Linear(H, H).double(), torch.nn.GRUCell(H, H).double()
    weights = {name: torch.from_numpy(value) for name, value in layer.parameters.items()}
    for name, module in (("message.", message), ("update.", update)):
        module.load_state_dict({k.removeprefix(name): v for k, v in weights.items() if k.startswith(name)})
    h, error = states(g), np.random.default_rng(1).normal(size=(g.num_nodes, H))
    first = state = torch.tensor(h, requires_grad=True)
    for _ in range(3):
        messages = message(state[torch.from_numpy(g.sources)])
        m = torch.zeros_like(state).index_add(0, torch.from_numpy(g.targets), messages)
        if aggregation == "mean":
            m = m / torch.from_numpy(np.maximum(g.incoming.sizes, 1))[:, None]
        state = update(m, state)
    state.backward(torch.from_numpy(error))
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(layer.forward(h, g), state.detach().numpy(), **close)
    np.testing.assert_allclose(layer.backward(error), first.grad.numpy(), **close)
    for name, module in (("message", message), ("update", update)):
        for part, value in module.named_parameters():
            np.testing.assert_allclose(layer.gradients[f"{name}.{part}"], value.grad.numpy(), **close)


def path_of(length: int) -> Graphs:
    return graphs([(v, v + 1) for v in range(length - 1)], length)


def test_every_node_of_a_path_is_a_gru_that_reads_the_node_before_it() -> None:
    """In round t node v takes a GRU's step t, whose input is W h + b of the state of node v - 1 before it."""
    length, rounds = 5, 4
    path, layer = path_of(length), make(rounds)
    gru = make_layer("gru", H, H)
    assert isinstance(gru, GRULayer)
    for name, value in gru.parameters.items():
        value[...] = layer.parameters[f"update.{name}"]
    W, b = layer.parameters["message.weight"], layer.parameters["message.bias"]
    h = states(path)
    heard = np.zeros((rounds, H))  # nobody writes to node 0
    after = layer.forward(h, path)
    for v in range(length):
        told, last = gru.forward(heard[:, None], h[None, v : v + 1])
        np.testing.assert_allclose(after[v], last[0, 0], rtol=1e-13)
        heard = np.concatenate([h[v : v + 1], told[:-1, 0]]) @ W.T + b


def test_a_path_is_a_recurrent_network() -> None:
    """With gates held, nodes compute `h_v = tanh(U x_v + b + W h_{v-1})`; x_v is half of their first state."""
    length, size = 7, 4
    vanilla = make_layer("rnn", size, size)
    x = np.random.default_rng(2).normal(size=(length, size))
    expected, _ = vanilla.forward(x[:, None], vanilla.initial_state(1))
    layer = make(length, size=2 * size)
    for value in layer.parameters.values():
        value[...] = 0
    first, U, W = slice(size), layer.parameters["update.weight_ih"], layer.parameters["update.weight_hh"]
    z, n = (slice(k * 2 * size, k * 2 * size + size) for k in (1, 2))
    bias = layer.parameters["update.bias_ih"]
    bias[: 4 * size] = 100  # both gates are 1: n sees the state, and x is kept …
    bias[z] = -100  # … but the first half of the state is new in every round
    bias[n] = vanilla.parameters["bias_ih"] + vanilla.parameters["bias_hh"]
    layer.parameters["message.weight"][...] = np.eye(2 * size)
    U[n, first] = vanilla.parameters["weight_hh"]
    W[n, size:] = vanilla.parameters["weight_ih"]
    h = np.concatenate([np.zeros((length, size)), x], axis=1)
    after = layer.forward(h, path_of(length))
    np.testing.assert_allclose(after[:, first], expected[:, 0], rtol=1e-12)
    np.testing.assert_array_equal(after[:, size:], x)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_a_batch_is_its_graphs_one_by_one(aggregation: str) -> None:
    each = [CYCLE, ODD, LONELY, STAR]
    batch = Graphs.side_by_side(each)
    h, layer = states(batch), make(3, aggregation)
    together = layer.forward(h, batch).copy()
    dh = layer.backward(h).copy()
    gradients = {name: value.copy() for name, value in layer.gradients.items()}
    first = 0
    for g in each:
        own = slice(first, first + g.num_nodes)
        np.testing.assert_allclose(layer.forward(h[own], g), together[own], rtol=1e-12)
        np.testing.assert_allclose(layer.backward(h[own]), dh[own], rtol=1e-12)
        for name, value in layer.gradients.items():
            gradients[name] -= value
        first += g.num_nodes
    for name, rest in gradients.items():
        np.testing.assert_allclose(rest, 0, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("kind", ["sum", "mean", "gated"])
def test_node_numbers_do_not_matter(kind: str) -> None:
    g = Graphs.side_by_side([ODD, STAR, CYCLE])
    new = np.random.default_rng(3).permutation(g.num_nodes)
    graph_of = np.empty(g.num_nodes, int)
    graph_of[new] = g.graph_of_nodes
    order = np.random.default_rng(4).permutation(len(g.sources))
    renumbered = Graphs(new[g.sources][order], new[g.targets][order], g.num_nodes, graph_of)
    h = states(g)
    moved = np.empty_like(h)
    moved[new] = h
    layer = make(3)
    expected = layer.forward(h, g).copy()
    after = layer.forward(moved, renumbered).copy()
    np.testing.assert_allclose(after[new], expected, rtol=1e-11)
    readout = make_readout(kind)
    np.testing.assert_allclose(
        readout.forward(after, renumbered), make_readout(kind).forward(expected, g), rtol=1e-11
    )


def make_readout(kind: str) -> Readout:
    if kind == "gated":
        return GatedSumReadout(H, 2, initialization(), FLOAT64)
    return {"sum": SumReadout, "mean": MeanReadout}[kind](FLOAT64)


@pytest.mark.parametrize("g", [BATCH, MIXED], ids=["batch", "mixed"])
@pytest.mark.parametrize("kind", ["sum", "mean", "gated"])
def test_the_gradients_of_a_readout_are_those_of_central_differences(kind: str, g: Graphs) -> None:
    readout, h = make_readout(kind), states(g)
    error = np.random.default_rng(1).normal(size=readout.forward(h, g).shape)
    assert len(error) == 3

    def loss() -> float:
        return float(np.sum(error * readout.forward(h, g)))

    dh = readout.backward(error)
    assert_derivative(loss, h, dh)
    for name, parameter in readout.parameters.items():
        assert_derivative(loss, parameter, readout.gradients[name])


def test_what_the_readouts_of_two_graphs_are() -> None:
    g = graphs([], 3, [1, 0, 1])
    h = np.array([[1.0, 2.0], [10.0, 20.0], [3.0, 8.0]])
    np.testing.assert_array_equal(SumReadout(FLOAT64).forward(h, g), [[10, 20], [4, 10]])
    np.testing.assert_array_equal(MeanReadout(FLOAT64).forward(h, g), [[10, 20], [2, 5]])


def test_a_gated_sum_is_what_the_equation_says() -> None:
    readout, h = make_readout("gated"), states(MIXED)
    A, a, V, c = readout.parameters.values()
    of_nodes = 1 / (1 + np.exp(-(h @ A.T + a))) * np.tanh(h @ V.T + c)
    expected = [of_nodes[MIXED.graph_of_nodes == k].sum(axis=0) for k in range(3)]
    np.testing.assert_allclose(readout.forward(h, MIXED), expected, rtol=1e-12)


def whole(*numbers: float) -> Ids:
    return np.array(numbers, int)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((whole(), whole(), 0), "needs a node"),
        ((whole(0, 1), whole(1), 2), r"must be of one length, not of shapes \(2,\) and \(1,\)"),
        ((whole(0), whole(2), 2), "targets must be whole numbers from 0 to 1"),
        ((whole(-1), whole(0), 2), "sources must be whole numbers from 0 to 1"),
        ((np.array([0.5]), whole(0), 2), "sources must be whole numbers"),
        ((whole(0), np.array([True]), 2), "targets must be whole numbers"),
        ((whole(0), whole(1), 2, whole(0)), "graph_of must be 2 whole numbers"),
        ((whole(0), whole(0), 2, whole(0, 2)), "each with a node"),
        ((whole(0), whole(0), 2, whole(0, -1)), "numbered from 0 on"),
        ((whole(0), whole(1), 2, whole(0, 1)), "an edge must join nodes of one graph"),
    ],
)
def test_what_are_no_graphs_is_refused(arguments: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Graphs(*arguments)


def test_an_unknown_aggregation_is_refused() -> None:
    with pytest.raises(ValueError, match="aggregation must be one of sum, mean, not max"):
        make(1, "max")


FARTHEST = 4
"""Distances that are told apart: 0, 1, 2, 3, and 4 or more."""


def distance_graphs(rng: np.random.Generator, number: int) -> tuple[Graphs, Floats, Ids]:
    """Draw sparse undirected graphs with a marked node each; return them, the marks, and the distances from it."""
    each, marks, distances = [], [], []
    for _ in range(number):
        N = int(rng.integers(6, 14))
        tree = np.array([(v, rng.integers(max(0, v - 3), v)) for v in range(1, N)])
        edges = np.concatenate([tree, rng.integers(0, N, (2, 2))])
        sources, targets = np.concatenate([edges, edges[:, ::-1]]).T
        marked = int(rng.integers(N))
        distance = np.where(np.arange(N) == marked, 0, FARTHEST)
        for _ in range(FARTHEST):
            np.minimum.at(distance, targets, distance[sources] + 1)
        each.append(Graphs(sources, targets, N))
        marks.append(np.arange(N) == marked)
        distances.append(distance)
    return Graphs.side_by_side(each), np.concatenate(marks), np.concatenate(distances)


def test_it_learns_the_shortest_distance_from_a_marked_node() -> None:
    rng = np.random.default_rng(0)
    size, dtype = 16, np.dtype("float32")
    layer = GatedGraphLayer(size, FARTHEST, initialization(), dtype)
    table = Table(np.zeros((FARTHEST + 1, size), dtype))
    head = Softmax(table, np.zeros(FARTHEST + 1, dtype), np.zeros(FARTHEST + 1, dtype))
    optimizer = Adam(layer.parameters | head.parameters, layer.gradients | head.gradients)

    def beginning(marks: Floats) -> Floats:
        h = np.zeros((len(marks), size), dtype)
        h[:, 0], h[:, 1] = marks, 1
        return h

    def training(steps: int) -> Iterator[tuple[Graphs, Floats, Ids]]:
        sets = [distance_graphs(rng, 32) for _ in range(20)]
        for step in range(steps):
            yield sets[step % len(sets)]

    for g, marks, distances in training(500):
        head.begin()
        _, dh = head.loss_and_gradient(layer.forward(beginning(marks), g), distances, 1 / len(distances))
        layer.backward(dh)
        optimizer.step(0.01)
    g, marks, distances = distance_graphs(rng, 100)
    found = head.log_probs(layer.forward(beginning(marks), g)).argmax(axis=1)
    share_of_largest = np.bincount(distances).max() / len(distances)
    assert share_of_largest < 0.5
    assert np.mean(found == distances) > 0.97
