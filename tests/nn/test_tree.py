"""Recursive networks: gradients, the recurrent networks that they contain, and what only a tree can tell."""

from collections.abc import Callable

import numpy as np
import pytest

from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.table import Table
from rnnlm.nn.tree import NONE, RecursiveLayer, Tree, TreeLayer, TreeLSTMLayer, TreeNetwork, Trees
from rnnlm.optim import OPTIMIZERS
from tests.networks import initialization, make_layer

FLOAT64 = np.dtype("float64")
V, H, C = 7, 4, 3
Nested = int | tuple["Nested", "Nested"]
"""A tree as it is easily written: a word, or a pair of trees."""

SHAPES: list[Nested] = [0, (1, 2), ((0, 3), (4, (5, 5))), ((((6, 1), 2), 3), 4), (1, (0, (2, 3)))]
NAMES = ("recursive", "lstm")


def layer_of(name: str, units: int = H) -> TreeLayer:
    if name == "recursive":
        return RecursiveLayer(units, initialization(), FLOAT64)
    return TreeLSTMLayer(units, units, initialization(), FLOAT64)


def make(name: str, units: int = H, words: int = V, classes: int = C, dropout: float = 0.0) -> TreeNetwork:
    rng = np.random.default_rng(1)
    head = Softmax(Table(rng.normal(size=(classes, units))), rng.normal(size=classes), np.zeros(classes))
    return TreeNetwork(Table(rng.normal(size=(words, units))), layer_of(name, units), head, dropout)


def tree(nested: Nested, classes: list[int] | None = None) -> Tree:
    """Make a tree of a word or a pair of trees; `classes` are in order of its nodes, children first."""
    words: list[int] = []
    children: list[tuple[int, int]] = []

    def add(each: Nested) -> int:
        of_node = (NONE, NONE) if isinstance(each, int) else (add(each[0]), add(each[1]))
        words.append(each if isinstance(each, int) else NONE)
        children.append(of_node)
        return len(words) - 1

    add(nested)
    classes = [0] * len(words) if classes is None else classes
    return Tree(np.array(words), np.array(children), np.array(classes))


def batch(seed: int = 0) -> list[Tree]:
    """Make trees of different shapes, with classes of which some are not known."""
    rng = np.random.default_rng(seed)
    trees = [tree(nested) for nested in SHAPES]
    return [Tree(each.words, each.children, rng.integers(NONE, C, len(each.words))) for each in trees]


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_central_differences(name: str, dropout: float) -> None:
    network, trees = make(name, dropout=dropout), Trees.of(batch())
    network.backpropagate(trees, np.random.default_rng(0))
    gradients = {key: value.copy() for key, value in network.gradients.items()}
    h = 1e-5
    for key, parameter in network.parameters.items():
        for index in np.ndindex(parameter.shape):
            value, around = parameter[index], []
            for parameter[index] in (value - h, value + h):
                around.append(network.objective(trees, np.random.default_rng(0)))
            parameter[index] = value
            assert gradients[key][index] == pytest.approx((around[1] - around[0]) / (2 * h), rel=1e-6, abs=1e-8), (
                key
            )


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_trees_one_by_one(name: str) -> None:
    network, trees = make(name), batch()
    together = network.backpropagate(Trees.of(trees))
    gradients = {key: value.copy() for key, value in network.gradients.items()}
    loss, sums = 0.0, {key: np.zeros_like(value) for key, value in gradients.items()}
    for each in trees:
        loss += network.backpropagate(Trees.of([each]))
        for key, value in network.gradients.items():
            sums[key] += value
    assert together == pytest.approx(loss / len(trees), rel=1e-12)
    for key, value in gradients.items():
        np.testing.assert_allclose(value, sums[key] / len(trees), rtol=1e-10, atol=1e-12, err_msg=key)


def test_nodes_are_numbered_by_height() -> None:
    trees = Trees.of([tree((1, (2, 3)), [1, 2, 3, 4, 5]), tree(4, [6]), tree((5, 6), [7, 8, 9])])
    np.testing.assert_array_equal(trees.words, [1, 2, 3, 4, 5, 6])
    assert trees.levels == [slice(0, 6), slice(6, 8), slice(8, 9)]
    np.testing.assert_array_equal(trees.children, [[1, 2], [4, 5], [0, 6]])
    np.testing.assert_array_equal(trees.roots, [8, 3, 7])
    np.testing.assert_array_equal(trees.classes, [1, 2, 3, 6, 7, 8, 4, 9, 5])


@pytest.mark.parametrize(
    ("words", "children"),
    [
        ([1, 2, NONE], [[NONE, NONE], [NONE, NONE], [0, 0]]),
        ([1, 2, NONE], [[NONE, NONE], [NONE, NONE], [0, 2]]),
        ([NONE, 1, 2], [[1, 2], [NONE, NONE], [NONE, NONE]]),
        ([1, 2], [[NONE, NONE], [NONE, NONE]]),
        ([1, 2, 3], [[NONE, NONE], [NONE, NONE], [0, 1]]),
        ([], np.empty((0, 2), int)),
        ([1], [[NONE]]),
    ],
    ids=["child twice", "own child", "parent first", "two roots", "leaf with children", "nothing", "one child"],
)
def test_what_is_not_a_binary_tree_is_refused(words: list[int], children: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=r"a tree has|every node|a leaf has no"):
        Tree(np.array(words, int), np.array(children), np.zeros(len(words), int))


def branch(T: int) -> Tree:
    """Make ``(((0 1) 2) … T)``: each step has what came before at the left and one word at the right."""
    nested: Nested = 0
    for t in range(T):
        nested = (nested, t + 1)
    return tree(nested)


def inner_nodes(trees: Trees) -> slice:
    return slice(len(trees.words), None)


def test_a_tree_of_one_long_branch_is_a_vanilla_network() -> None:
    T, rng = 6, np.random.default_rng(2)
    trees, x, error = Trees.of([branch(T)]), rng.normal(size=(T + 1, H)), rng.normal(size=(T, H))
    recurrent, recursive = make_layer("rnn", H, H), layer_of("recursive")
    U, W = recurrent.parameters["weight_ih"], recurrent.parameters["weight_hh"]
    recursive.parameters["weight_hh"][...] = np.concatenate([W, U], axis=1)
    recursive.parameters["bias"][...] = recurrent.parameters["bias_ih"] + recurrent.parameters["bias_hh"]
    y, _ = recurrent.forward(x[1:, None], x[None, :1])
    h, inner = recursive.forward(x, trees), inner_nodes(trees)
    np.testing.assert_allclose(h[inner], y[:, 0], rtol=1e-12)
    dh = np.zeros_like(h)
    dh[inner] = error
    dx = recursive.backward(dh)
    np.testing.assert_allclose(dx[1:], recurrent.backward(error[:, None])[:, 0], rtol=1e-10)
    np.testing.assert_allclose(dx[0], recurrent.state_error()[0, 0], rtol=1e-10)
    both = np.concatenate([recurrent.gradients["weight_hh"], recurrent.gradients["weight_ih"]], axis=1)
    np.testing.assert_allclose(recursive.gradients["weight_hh"], both, rtol=1e-10)
    np.testing.assert_allclose(recursive.gradients["bias"], recurrent.gradients["bias_ih"], rtol=1e-10)


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def test_a_tree_lstm_on_one_long_branch_is_a_loop_over_its_equations() -> None:
    T, layer = 5, layer_of("lstm")
    trees, x = Trees.of([branch(T)]), np.random.default_rng(2).normal(size=(T + 1, H))
    U, W, b = (layer.parameters[name] for name in ("weight_ih", "weight_hh", "bias"))

    def leaf(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i, g, o = np.split(U @ vector + b[2 * H :], 3)
        c = sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    (h, c), states = leaf(x[0]), []
    for vector in x[1:]:
        h_right, c_right = leaf(vector)
        f_l, f_r, i, g, o = np.split(W @ np.concatenate([h, h_right]) + b, 5)
        c = sigmoid(f_l) * c + sigmoid(f_r) * c_right + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    np.testing.assert_allclose(layer.forward(x, trees)[inner_nodes(trees)], states, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_those_of_the_pytorch_installed(name: str) -> None:
    """The equations node by node, each with one child at a time, differentiated by PyTorch."""
    torch = pytest.importorskip("torch")
    network, trees = make(name), batch()
    loss = network.backpropagate(Trees.of(trees))
    weights = {key: torch.tensor(value, requires_grad=True) for key, value in network.parameters.items()}

    def leaf(x: "torch.Tensor") -> list["torch.Tensor"]:
        if name == "recursive":
            return [x]
        i, g, o = (weights["tree.weight_ih"] @ x + weights["tree.bias"][2 * H :]).split(H)
        c = torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(c), c]

    def node(left: list["torch.Tensor"], right: list["torch.Tensor"]) -> list["torch.Tensor"]:
        W_l, W_r = weights["tree.weight_hh"].split(H, dim=1)
        a = W_l @ left[0] + W_r @ right[0] + weights["tree.bias"]
        if name == "recursive":
            return [torch.tanh(a)]
        f_l, f_r, i, g, o = a.split(H)
        c = torch.sigmoid(f_l) * left[1] + torch.sigmoid(f_r) * right[1] + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(c), c]

    total = torch.zeros((), dtype=torch.float64)
    for each in trees:
        states: list[list[torch.Tensor]] = []
        for word, (left, right), label in zip(each.words, each.children, each.classes, strict=True):
            is_leaf = word != NONE
            states.append(
                leaf(weights["embedding.weight"][word]) if is_leaf else node(states[left], states[right])
            )
            if label != NONE:
                logits = weights["output.weight"] @ states[-1][0] + weights["output.bias"]
                total = total + torch.nn.functional.cross_entropy(logits[None], torch.tensor([label]))
    total = total / len(trees)
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for key, value in network.gradients.items():
        np.testing.assert_allclose(value, weights[key].grad.numpy(), rtol=1e-10, atol=1e-12, err_msg=key)


def depth(nested: Nested) -> int:
    return 0 if isinstance(nested, int) else 1 + max(map(depth, nested))


def value(nested: Nested) -> int:
    """Read a pair of trees as "not the left one, but the right one": no order of words tells what is true."""
    return nested if isinstance(nested, int) else int(value(nested[1]) and not value(nested[0]))


def different_trees(number: int, most_leaves: int, rng: np.random.Generator) -> list[Nested]:
    """Draw different trees over two words; how many leaves stand at the left of a node is drawn at each."""

    def draw(leaves: int) -> Nested:
        if leaves == 1:
            return int(rng.integers(2))
        at_left = int(rng.integers(1, leaves))
        return draw(at_left), draw(leaves - at_left)

    trees: dict[Nested, None] = {}
    while len(trees) < number:
        trees[draw(int(rng.integers(1, most_leaves + 1)))] = None
    return list(trees)


@pytest.mark.parametrize("what", [depth, value])
@pytest.mark.parametrize("name", NAMES)
def test_what_the_brackets_say_is_told_of_trees_never_seen(name: str, what: Callable[[Nested], int]) -> None:
    """The depth of the brackets, and what a formula says; only the class of the root is learned."""
    units, steps = 16, 300
    rng = np.random.default_rng(3)
    trees = []
    for nested in different_trees(600, 8, rng):
        shape = tree(nested)
        classes = np.full(len(shape.words), NONE)
        classes[-1] = what(nested)
        trees.append(Tree(shape.words, shape.children, classes))
    held_out = Trees.of(trees[400:])
    network = make(name, units, words=2, classes=8)
    optimizer = OPTIMIZERS["adam"](network.parameters, network.gradients)
    for _ in range(steps):
        network.backpropagate(Trees.of([trees[k] for k in rng.integers(400, size=50)]))
        optimizer.step(0.01)
    answers = network.log_probs(held_out)[held_out.roots].argmax(axis=1)
    np.testing.assert_array_equal(answers, held_out.classes[held_out.roots])
