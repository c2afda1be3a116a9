"""Train a recursive network to tell the class of every node of a tree, such as the sentiment of every phrase.

Usage: python scripts/tree_sentiment.py --train sst.train.txt --valid sst.dev.txt --test sst.test.txt

A file has one binary tree a line, in brackets as in the Penn Treebank: ``(3 (2 It) (4 (2 's) (4 good)))``. After
each opening bracket comes the class of the node; all classes occur in the file of --train. Words are read in lower
case; those that this file has only once, or not at all, count as one word. The network learns the classes of all
nodes. It keeps the weights of the epoch with the best accuracy at the roots of --valid, and stops when --patience
epochs have not been better.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from rnnlm.errors import RnnlmError, shown
from rnnlm.files import explaining
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.table import Table
from rnnlm.nn.tree import NONE, RecursiveLayer, Tree, TreeLayer, TreeLSTMLayer, TreeNetwork, Trees
from rnnlm.optim import Adagrad, Optimizer, RowGradient

EXAMPLE = "(3 (2 It) (4 (2 's) (4 good)))"

UNKNOWN = 0
"""The number of a word that is seldom or never learned from."""

WORD_DROPOUT = 0.1
"""Probability with which a word is read as unknown in training: so the network learns to do without it."""

BATCH_SIZE, EVALUATED = 25, 200
"""Trees of a step, and trees that are evaluated side by side."""

FLOAT32 = np.dtype("float32")

PATH = click.Path(path_type=Path)
AT_LEAST_1 = click.IntRange(min=1)


class WrittenTree(NamedTuple):
    """A tree as it was written, its nodes in an order in which children come before their parent.

    Attributes
    ----------
    place
        The file and the line.
    labels
        The class of each node.
    words
        The word of each leaf; None for an inner node.
    children
        The numbers of the two children of each inner node; `NONE` for a leaf.
    """

    place: str
    labels: list[str]
    words: list[str | None]
    children: list[tuple[int, int]]


def read_trees(file: Path) -> list[WrittenTree]:
    """Read the trees of a file; raises an `RnnlmError` where it has none, or what is not one."""
    with explaining(file, "cannot be read"):
        content = file.read_bytes()
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RnnlmError(f"{file}, line {line}: not in UTF-8; save the file in this encoding.") from error
    trees = [parse(line, f"{file}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not trees:
        raise RnnlmError(f"{file}: has no trees; write one a line, such as {EXAMPLE}.")
    return trees


def parse(line: str, place: str) -> WrittenTree:
    """Read the tree of a line."""
    tree = WrittenTree(place, [], [], [])
    # Where each open bracket began, and the texts and numbers of nodes in it so far. The first never closes, and
    # gets the root.
    open_brackets: list[tuple[int, list[str | int]]] = [(0, [])]
    for token in re.finditer(r"[()]|[^() \t\r\n]+", line):
        if token.group() == "(":
            open_brackets.append((token.start(), []))
        elif token.group() == ")" and len(open_brackets) > 1:
            start, content = open_brackets.pop()
            match content:
                case [str(label), str(word)]:
                    children = (NONE, NONE)
                case [str(label), int(left), int(right)]:
                    word, children = None, (left, right)
                case _:
                    node = shown(line[start : token.end()])
                    raise RnnlmError(
                        f"{place}: a node is a class and a word, or a class and two nodes, but not {node}."
                    )
            open_brackets[-1][1].append(len(tree.labels))
            tree.labels.append(label)
            tree.words.append(word)
            tree.children.append(children)
        else:
            open_brackets[-1][1].append(token.group())
    match open_brackets:
        case [(_, [int()])]:
            return tree
    raise RnnlmError(f"{place}: the brackets of one tree must open and close, as in {EXAMPLE}.")


class Coder:
    """Numbers words and classes, those of the trees to learn from.

    Attributes
    ----------
    words, classes
        The number of each word and of each class.
    """

    def __init__(self, trees: list[WrittenTree]) -> None:
        counts = Counter(word.lower() for tree in trees for word in tree.words if word is not None)
        frequent = sorted(word for word, count in counts.items() if count > 1)
        self.words = {word: number for number, word in enumerate(frequent, UNKNOWN + 1)}
        labels = sorted({label for tree in trees for label in tree.labels})
        self.classes = {label: number for number, label in enumerate(labels)}

    def encode(self, tree: WrittenTree) -> Tree:
        """Return the tree with numbers in place of words and classes."""
        for label in tree.labels:
            if label not in self.classes:
                known = ", ".join(self.classes)
                raise RnnlmError(
                    f"{tree.place}: the class {shown(label)} is none of those to learn from: {known}."
                )
        words = [NONE if word is None else self.words.get(word.lower(), UNKNOWN) for word in tree.words]
        classes = [self.classes[label] for label in tree.labels]
        return Tree(np.array(words), np.array(tree.children), np.array(classes))


def make_network(kind: str, coder: Coder, size: int, dropout: float, rng: np.random.Generator) -> TreeNetwork:
    """Make an untrained network; its word vectors have as many features as its hidden states."""
    start = Initialization(rng, "uniform", "uniform", recurrent_scale=1.0)
    layers: dict[str, Callable[[], TreeLayer]] = {
        "lstm": lambda: TreeLSTMLayer(size, size, start, FLOAT32),
        "recursive": lambda: RecursiveLayer(size, start, FLOAT32),
    }
    words = Table(start.matrix(len(coder.words) + 1, size).astype(FLOAT32))
    words.tracks_rows = True
    classes = len(coder.classes)
    head = Softmax(Table(start.matrix(classes, size).astype(FLOAT32)), *np.zeros((2, classes), FLOAT32))
    return TreeNetwork(words, layers[kind](), head, dropout)


class Accuracy(NamedTuple):
    """Shares of the nodes whose class is told rightly, in percent."""

    roots: float
    nodes: float

    def __str__(self) -> str:
        return f"{self.roots:.2f} % of roots, {self.nodes:.2f} % of all nodes"


def accuracy(network: TreeNetwork, trees: list[Tree]) -> Accuracy:
    """Measure how many classes of `trees` a network tells rightly."""
    is_right, is_right_at_root = [], []
    for first in range(0, len(trees), EVALUATED):
        batch = Trees.of(trees[first : first + EVALUATED])
        answers = network.log_probs(batch).argmax(axis=1) == batch.classes
        is_right.append(answers)
        is_right_at_root.append(answers[batch.roots])
    return Accuracy(*(100 * float(np.concatenate(each).mean()) for each in (is_right_at_root, is_right)))


def learn(
    network: TreeNetwork, optimizer: Optimizer, trees: list[Tree], learning_rate: float, rng: np.random.Generator
) -> float:
    """Learn from all trees once, in an order that is drawn; return the mean loss of a tree, in nats."""
    order, total = rng.permutation(len(trees)), 0.0
    for first in range(0, len(order), BATCH_SIZE):
        batch = Trees.of([trees[number] for number in order[first : first + BATCH_SIZE]])
        is_dropped = rng.random(len(batch.words)) < WORD_DROPOUT
        batch = replace(batch, words=np.where(is_dropped, UNKNOWN, batch.words))
        total += network.backpropagate(batch, rng) * len(batch.roots)
        words = network.words
        optimizer.step(learning_rate, {"embedding.weight": RowGradient.of(words.gradient, words.rows, 0)})
    if not np.isfinite(total):
        raise RnnlmError("--learning-rate: the loss is no longer a finite number; choose a smaller rate.")
    return total / len(trees)


def train(
    network: TreeNetwork,
    trees: list[Tree],
    valid: list[Tree],
    rng: np.random.Generator,
    *,
    learning_rate: float,
    epochs: int,
    patience: int,
) -> None:
    """Train until the accuracy at the roots of `valid` has stopped rising, and go back to the best epoch."""
    optimizer = Adagrad(network.parameters, network.gradients)
    best, best_epoch, seconds = -1.0, 0, 0.0
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        loss = learn(network, optimizer, trees, learning_rate, rng)
        seconds += time.perf_counter() - started
        measured = accuracy(network, valid)
        click.echo(f"epoch {epoch}: loss {loss:.3f}, valid {measured}", err=True)
        if measured.roots > best:
            best, best_epoch = measured.roots, epoch
            weights = {name: value.copy() for name, value in network.parameters.items()}
        elif epoch - best_epoch == patience:
            break
    for name, value in weights.items():
        network.parameters[name][...] = value
    click.echo(f"{epoch} epochs in {seconds:.0f} s, the best was epoch {best_epoch}")


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--train", "train_file", type=PATH, required=True, help="Trees to learn from.")
@click.option("--valid", "valid_file", type=PATH, required=True, help="Trees that tell when to stop.")
@click.option("--test", "test_file", type=PATH, help="Trees to measure in the end.")
@click.option("--network", "kind", type=click.Choice(["lstm", "recursive"]), default="lstm", help="Its units.")
@click.option("--size", type=AT_LEAST_1, default=100, help="Features of word vectors and of hidden states.")
@click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.5, help="Of both, in training.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=0.05, help="Of Adagrad.")
@click.option("--epochs", type=AT_LEAST_1, default=30, help="Passes over the trees, at most.")
@click.option("--patience", type=AT_LEAST_1, default=5, help="Epochs that need not be better before it stops.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of weights, order and dropout.")
def main(
    train_file: Path,
    valid_file: Path,
    test_file: Path | None,
    kind: str,
    size: int,
    dropout: float,
    seed: int,
    **settings: Any,
) -> None:
    try:
        written = read_trees(train_file)
        coder = Coder(written)
        trees = [coder.encode(tree) for tree in written]
        measured = {"valid": valid_file} | ({"test": test_file} if test_file else {})
        parts = {name: [coder.encode(tree) for tree in read_trees(file)] for name, file in measured.items()}
        rng = np.random.default_rng(seed)
        network = make_network(kind, coder, size, dropout, rng)
        with np.errstate(over="ignore", invalid="ignore"):
            train(network, trees, parts["valid"], rng, **settings)
    except RnnlmError as error:
        raise click.ClickException(str(error)) from error
    for name, part in parts.items():
        click.echo(f"{name}: {accuracy(network, part)}")


if __name__ == "__main__":
    main()
