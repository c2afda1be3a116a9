"""Recursive networks: layers whose steps go from the leaves of trees to their roots.

A batch of trees is run level by level: first all leaves, then all nodes of height 1, and so on. The nodes of a
level depend on lower ones only, so a level is one gather and one product, whatever trees its nodes belong to.
Arrays are (nodes, features), and made afresh.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.lstm import FORGET_BIAS
from rnnlm.nn.table import Table

NONE = -1
"""In place of a word, a child or a class: there is none."""


@dataclass(frozen=True)
class Tree:
    """A binary tree. Its nodes are numbered so that children come before their parent; the root is the last.

    Parameters
    ----------
    words : (N,)
        The word of each leaf; `NONE` at an inner node.
    children : (N, 2)
        The left and the right child of each inner node; `NONE` at a leaf.
    classes : (N,)
        What is to be told of each node; `NONE` where nothing is.

    Attributes
    ----------
    heights : (N,)
        Steps from each node down to its deepest leaf.

    Raises
    ------
    ValueError
        If the arrays do not make one binary tree.
    """

    words: Ids
    children: Ids
    classes: Ids
    heights: Ids = field(init=False)

    def __post_init__(self) -> None:
        N = len(self.words)
        if N == 0 or self.children.shape != (N, 2) or self.classes.shape != (N,):
            raise ValueError("a tree has at least one node, and a word, two children and a class for each")
        is_leaf = self.words != NONE
        if not np.array_equal(np.sort(self.children[~is_leaf], axis=None), np.arange(N - 1)):
            raise ValueError("every node of a tree but its root, the last, is the child of exactly one other")
        if (self.children[is_leaf] != NONE).any() or (self.children >= np.arange(N)[:, None]).any():
            raise ValueError("a leaf has no children, and those of an inner node come before it")
        heights = [0] * N
        for node, (left, right) in enumerate(self.children.tolist()):
            if left != NONE:
                heights[node] = 1 + max(heights[left], heights[right])
        object.__setattr__(self, "heights", np.array(heights))


@dataclass(frozen=True)
class Trees:
    """A batch of B trees with L leaves and N nodes in all, the nodes numbered by height: leaves are the first L.

    Attributes
    ----------
    words : (L,)
        The word of each leaf.
    children : (N - L, 2)
        The left and the right child of each inner node.
    levels
        The leaves, the nodes of height 1, those of height 2, and so on.
    roots : (B,)
        The root of each tree.
    classes : (N,)
        What is to be told of each node; `NONE` where nothing is.
    """

    words: Ids
    children: Ids
    levels: list[slice]
    roots: Ids
    classes: Ids

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> "Trees":
        """Make a batch of some trees: their nodes are numbered anew, by height."""
        heights = np.concatenate([tree.heights for tree in trees])
        ends = np.cumsum([len(tree.heights) for tree in trees])
        order = np.argsort(heights, kind="stable")
        numbers = np.empty_like(order)
        numbers[order] = np.arange(len(order))
        first = np.searchsorted(heights[order], np.arange(heights.max() + 2))
        leaves, inner = np.split(order, first[1:2])
        starts = ends - [len(tree.heights) for tree in trees]
        children = np.concatenate([tree.children + start for tree, start in zip(trees, starts, strict=True)])
        return cls(
            words=np.concatenate([tree.words for tree in trees])[leaves],
            children=numbers[children[inner]],
            levels=[slice(start, end) for start, end in pairwise(first)],
            roots=numbers[ends - 1],
            classes=np.concatenate([tree.classes for tree in trees])[order],
        )

    def children_of(self, level: slice) -> Ids:
        """Return the children of the nodes of a level above the leaves, (n, 2)."""
        L = len(self.words)
        return self.children[level.start - L : level.stop - L]


class TreeLayer(ABC):
    """Vectors of leaves in, hidden states of all nodes out, error back.

    A layer keeps what its `forward` computed for its `backward`, so it serves once in a pass.

    Attributes
    ----------
    parameters, gradients
        Arrays by name. ``weight_hh`` (G·H, 2H) is ``[W_l W_r]``, for the left and the right child.
    """

    parameters: dict[str, Floats]
    gradients: dict[str, Floats]

    def _set_parameters(self, parameters: dict[str, Floats], dtype: np.dtype[np.floating]) -> None:
        self.parameters = {name: value.astype(dtype) for name, value in parameters.items()}
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}

    @abstractmethod
    def forward(self, x: Floats, trees: Trees) -> Floats:
        """Return the hidden states of all nodes, (N, H), given the vectors of the leaves, (L, D)."""

    @abstractmethod
    def backward(self, dh: Floats) -> Floats:
        """Back-propagate through the trees of the last `forward`, from the roots down (Goller and Küchler 1996).

        Parameters
        ----------
        dh : (N, H)
            Derivative of the loss with respect to each hidden state, by what reads it outside of the layer. It is
            overwritten.

        Returns
        -------
        (L, D)
            Derivative with respect to the vectors of the leaves. The parameters' derivatives replace what
            `gradients` held.
        """


class RecursiveLayer(TreeLayer):
    """The recursive network of Socher et al. 2013: a leaf is its vector, so D = H.

    ::

        h = tanh(W_l h_left + W_r h_right + b)        h = x at a leaf

    Parameters
    ----------
    hidden_size
        H.
    start
        How the weights start.
    dtype
        Precision of everything in the layer.
    """

    def __init__(self, hidden_size: int, start: Initialization, dtype: np.dtype[np.floating]) -> None:
        H = hidden_size
        self._set_parameters({"weight_hh": start.matrix(H, 2 * H), "bias": start.vector(H, 2 * H)}, dtype)

    def forward(self, x: Floats, trees: Trees) -> Floats:
        """Run over the trees; see `TreeLayer.forward`."""
        W, b = self.parameters["weight_hh"], self.parameters["bias"]
        L, H = x.shape
        h = np.empty((len(trees.classes), H), x.dtype)
        h[:L] = x
        for level in trees.levels[1:]:
            below = h[trees.children_of(level)].reshape(-1, 2 * H)
            h[level] = np.tanh(below @ W.T + b)
        self._read = trees, h
        return h

    def backward(self, dh: Floats) -> Floats:
        """Back-propagate through the trees; see `TreeLayer.backward`."""
        trees, h = self._read
        L, H = len(trees.words), dh.shape[1]
        W = self.parameters["weight_hh"]
        for level in reversed(trees.levels[1:]):
            delta = dh[level]
            delta *= 1 - h[level] ** 2
            # A node is the child of one other at most, so no place is added to twice.
            dh[trees.children_of(level)] += (delta @ W).reshape(-1, 2, H)
        delta = dh[L:]
        np.matmul(delta.T, h[trees.children].reshape(-1, 2 * H), out=self.gradients["weight_hh"])
        np.sum(delta, axis=0, out=self.gradients["bias"])
        return dh[:L]


class TreeLSTMLayer(TreeLayer):
    """The binary tree-LSTM of Tai et al. 2015, with a forget gate for each child.

    ::

        f_l, f_r, i, o = σ(a)    g = tanh(a)    c = f_l ⊙ c_left + f_r ⊙ c_right + i ⊙ g    h = o ⊙ tanh(c)

    where ``a = W_l h_left + W_r h_right + b`` at an inner node, and ``a = U x + b`` at a leaf, which has neither
    children nor forget gates. Every gate has H rows of W and b, in the order f_l, f_r, i, g, o; U (3H, D) has the
    last three.

    Parameters
    ----------
    input_size
        D.
    hidden_size
        H.
    start
        How the weights start.
    dtype
        Precision of everything in the layer.
    """

    def __init__(
        self, input_size: int, hidden_size: int, start: Initialization, dtype: np.dtype[np.floating]
    ) -> None:
        D, H = input_size, hidden_size
        weights = {
            "weight_ih": start.input_gates(3, H, D),
            "weight_hh": start.input_gates(5, H, 2 * H),
            "bias": start.vector(5 * H, 2 * H),
        }
        weights["bias"][: 2 * H] += FORGET_BIAS
        self._set_parameters(weights, dtype)

    def forward(self, x: Floats, trees: Trees) -> Floats:
        """Run over the trees; see `TreeLayer.forward`."""
        U, W, b = (self.parameters[name] for name in ("weight_ih", "weight_hh", "bias"))
        N, L, H = len(trees.classes), len(x), W.shape[1] // 2
        h, c, tanh_c = (np.empty((N, H), x.dtype) for _ in range(3))
        gates = np.empty((N, 5, H), x.dtype)
        gates[:L, :2] = 0
        gates[:L, 2:] = (x @ U.T + b[2 * H :]).reshape(-1, 3, H)
        for level in trees.levels:
            a = gates[level]
            if level.start == 0:
                _activate(a[:, 2:])
                np.multiply(a[:, 2], a[:, 3], out=c[level])
            else:
                children = trees.children_of(level)
                np.matmul(h[children].reshape(-1, 2 * H), W.T, out=a.reshape(-1, 5 * H))
                a += b.reshape(5, H)
                _activate(a)
                np.multiply(a[:, 2], a[:, 3], out=c[level])
                c[level] += np.sum(a[:, :2] * c[children], axis=1)
            np.tanh(c[level], out=tanh_c[level])
            np.multiply(a[:, 4], tanh_c[level], out=h[level])
        self._read = trees, x, h, c, tanh_c, gates
        return h

    def backward(self, dh: Floats) -> Floats:
        """Back-propagate through the trees; see `TreeLayer.backward`."""
        trees, x, h, c, tanh_c, gates = self._read
        U, W = self.parameters["weight_ih"], self.parameters["weight_hh"]
        L, H = len(x), dh.shape[1]
        dc, delta = np.zeros_like(dh), np.empty_like(gates)
        for level in reversed(trees.levels):
            f, (i, g, o) = gates[level, :2], gates[level, 2:].swapaxes(0, 1)
            dc[level] += dh[level] * o * (1 - tanh_c[level] ** 2)
            of_c = dc[level]
            delta[level, 2] = of_c * g * i * (1 - i)
            delta[level, 3] = of_c * i * (1 - g**2)
            delta[level, 4] = dh[level] * tanh_c[level] * o * (1 - o)
            if level.start == 0:
                delta[level, :2] = 0
            else:
                children = trees.children_of(level)
                dc[children] = of_c[:, None] * f
                delta[level, :2] = dc[children] * c[children] * (1 - f)
                # A node is the child of one other at most, so no place is added to twice.
                dh[children] += (delta[level].reshape(-1, 5 * H) @ W).reshape(-1, 2, H)
        of_leaves, of_inner = delta[:L, 2:].reshape(-1, 3 * H), delta[L:].reshape(-1, 5 * H)
        np.matmul(of_leaves.T, x, out=self.gradients["weight_ih"])
        np.matmul(of_inner.T, h[trees.children].reshape(-1, 2 * H), out=self.gradients["weight_hh"])
        np.sum(delta.reshape(-1, 5 * H), axis=0, out=self.gradients["bias"])
        dx: Floats = of_leaves @ U
        return dx


def _activate(a: Floats) -> None:
    """Replace the pre-activations (n, G, H) by the gates; the last three are i, g, o."""
    slopes = np.full((a.shape[1], 1), 0.5, a.dtype)
    slopes[-2] = 1
    # σ(a) is ½ tanh(a/2) + ½, so one tanh serves all.
    a *= slopes
    np.tanh(a, out=a)
    a *= slopes
    a += 1 - slopes


class TreeNetwork:
    """The words of leaves to vectors, a layer over the trees, and a softmax over the state of every node.

    The loss that is differentiated is ``J = (1/B) Σ_n L_n``, the sum over all nodes that have a class.

    Parameters
    ----------
    words : (V, D)
        The vectors of the words.
    layer
        What runs over the trees.
    head : (C, H)
        Tells the classes.
    dropout
        Probability with which a feature of a leaf's vector, and one of a state that the head reads, is dropped;
        only while training.

    Attributes
    ----------
    parameters, gradients
        Arrays by name: ``embedding.weight``, those of the layer as ``tree.…``, those of the head as ``output.…``.
    """

    def __init__(self, words: Table, layer: TreeLayer, head: Softmax, dropout: float = 0.0) -> None:
        self.words, self.layer, self.head = words, layer, head
        self._leaf_dropout, self._state_dropout = (Dropout(dropout, words.value.dtype) for _ in range(2))
        self.parameters, self.gradients = {"embedding.weight": words.value}, {"embedding.weight": words.gradient}
        for prefix, part in (("tree", layer), ("output", head)):
            self.parameters |= {f"{prefix}.{name}": value for name, value in part.parameters.items()}
            self.gradients |= {f"{prefix}.{name}": value for name, value in part.gradients.items()}

    def forward(self, trees: Trees, rng: Generator | None = None) -> Floats:
        """Return the states that the head reads, (N, H); `rng` draws what is dropped, None drops nothing."""
        x = self._leaf_dropout.forward(self.words.value[trees.words], rng)
        return self._state_dropout.forward(self.layer.forward(x, trees), rng)

    def log_probs(self, trees: Trees) -> Floats:
        """Return the log-probabilities of all classes for every node, (N, C)."""
        return self.head.log_probs(self.forward(trees))

    def objective(self, trees: Trees, rng: Generator | None = None) -> float:
        """Return J."""
        h, has_class = self.forward(trees, rng), trees.classes != NONE
        return float(self.head.losses(h[has_class], trees.classes[has_class]).sum()) / len(trees.roots)

    def backpropagate(self, trees: Trees, rng: Generator | None = None) -> float:
        """Return J; its derivatives replace what `gradients` held."""
        B, has_class = len(trees.roots), trees.classes != NONE
        h = self.forward(trees, rng)
        self.words.begin()
        self.head.begin()
        dh = np.zeros_like(h)
        loss, dh[has_class] = self.head.loss_and_gradient(h[has_class], trees.classes[has_class], 1 / B)
        dx = self._leaf_dropout.backward(self.layer.backward(self._state_dropout.backward(dh)))
        self.words.add_rows(trees.words, dx)
        return loss / B
