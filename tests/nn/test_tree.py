"""Recursive networks: gradients, the recurrent networks that they contain, and what only a tree can tell."""

import numpy as np
import pytest

from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.table import Table
from rnnlm.nn.tree import NONE, RecursiveLayer, Tree, TreeLayer, TreeLSTMLayer, TreeNetwork, Trees
from rnnlm.optim import OPTIMIZERS
from tests.networks import initialization, make_layer

FLOAT64 = np.dtype("float64")
V, H, C = 7, 4, 3
LAYERS = {
    "recursive": lambda: RecursiveLayer(H, initialization(), FLOAT64),
    "lstm": lambda: TreeLSTMLayer(H, H, initialization(), FLOAT64),
}
Nested = int | tuple["Nested", "Nested"]
SHAPES: list[Nested] = [0, (1, 2), ((0, 3), (4, (5, 5))), ((((6, 1), 2), 3), 4), (1, (0, (2, 3)))]


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


def make(
    layer: TreeLayer, words: int = V, classes: int = C, dropout: float = 0.0, *, scale: float = 1
) -> TreeNetwork:
    rng = np.random.default_rng(1)
    head = Softmax(Table(scale * rng.normal(size=(classes, H))), rng.normal(size=classes), np.zeros(classes))
    return TreeNetwork(Table(scale * rng.normal(size=(words, H))), layer, head, dropout)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_central_differences(name: str, dropout: float) -> None:
    network, trees = make(LAYERS[name](), dropout=dropout), Trees.of(batch())
    network.backpropagate(trees, np.random.default_rng(0))
    gradients = {key: value.copy() for key, value in network.gradients.items()}
    h = 1e-5
    for key, parameter in network.parameters.items():
        for index in np.ndindex(parameter.shape):
            value, around = parameter[index], []
            for parameter[index] in (value - h, value + h):
                around.append(network.objective(trees, np.random.default_rng(0)))
            parameter[index] = value
            assert gradients[key][index] == pytest.approx((around[1] - around[0]) / (2 * h), rel=1e-6, abs=1e-8), key
