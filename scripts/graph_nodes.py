"""Tell what the nodes of a graph are, when some are labelled, by a gated graph neural network (Li et al. 2016).

EDGES has a tie between two nodes in each line, LABELS a node and its label. A line is cut at its tabs, else at its
commas, else at white space; lines that begin with # are comments. A tie has no direction, and one that is named
twice counts once. Prints every other node, its label, and how probable that is; the label is ? where no ties lead
to a labelled node. With --truth, a file like LABELS, it says of how many of them the label is right.

\b
For example:
    cd scripts/data
    python ../graph_nodes.py karate-club.edges karate-club.labels --truth karate-club.factions --seeds 20
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from rnnlm.errors import RnnlmError, shown
from rnnlm.files import explaining
from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.graph import GatedGraphLayer, Graphs
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.table import Table
from rnnlm.optim.adam import Adam

LEARNING_RATE = 0.01
DTYPE = np.dtype("float32")
FILE = click.Path(path_type=Path)


def fields(path: Path, most: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line; what is left after `most` fields is part of the last."""
    try:
        with explaining(path, "cannot be read"), path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.lstrip().startswith("#"):
                    separator = next((each for each in "\t," if each in line), None)
                    yield number, [field.strip() for field in line.strip().split(separator, most - 1)]
    except UnicodeDecodeError as error:
        raise RnnlmError(f"{path}: is not UTF-8 text ({error.reason}); save it as UTF-8.") from error


def read_ties(path: Path) -> tuple[list[str], Graphs]:
    """Read the names of the nodes, and the graph of an edge in both directions for each tie."""
    numbers: dict[str, int] = {}
    pairs = []
    for line, names in fields(path, 3):
        if len(names) != 2 or not all(names):
            raise RnnlmError(
                f"{path}:{line}: a tie is two names, not {shown(' '.join(names))}; separate them by a space, or "
                "by a tab or comma where names have spaces."
            )
        pairs.append([numbers.setdefault(name, len(numbers)) for name in names])
    if not pairs:
        raise RnnlmError(f"{path}: has no ties; write two names into each line.")
    both_ways = np.concatenate([pairs, np.flip(pairs, axis=1)])
    sources, targets = np.unique(both_ways, axis=0).T
    return list(numbers), Graphs(sources, targets, len(numbers))


def read_labels(path: Path, names: list[str]) -> dict[int, str]:
    """Read the labels of some nodes, by their numbers."""
    numbers = {name: number for number, name in enumerate(names)}
    labels: dict[int, str] = {}
    for line, each in fields(path, 2):
        if len(each) != 2 or not all(each):
            raise RnnlmError(
                f"{path}:{line}: {shown(each[0])} has no label; write a name and a label into the line."
            )
        name, label = each
        if name not in numbers:
            raise RnnlmError(f"{path}:{line}: {shown(name)} has no ties; correct the name, or remove the line.")
        if numbers[name] in labels:
            raise RnnlmError(f"{path}:{line}: {shown(name)} is labelled a second time; remove one of the lines.")
        labels[numbers[name]] = label
    return labels


class NodeNetwork:
    """A first state of each node, rounds of messages, and a softmax over the labels.

    At first nothing tells nodes apart: all states are zero. The square weights are the identity, so that what is
    learned of a node spreads to its neighbours: a few labels are not enough to learn that from.
    """

    def __init__(self, graph: Graphs, num_labels: int, hidden_size: int, rounds: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        start = Initialization(rng, "identity", "identity", 1.0)
        self.graph = graph
        self.layer = GatedGraphLayer(hidden_size, rounds, start, DTYPE, aggregation="mean")
        self.first = np.zeros((graph.num_nodes, hidden_size), DTYPE)
        weight = Initialization(rng, "glorot", "glorot", 1.0).matrix(num_labels, hidden_size).astype(DTYPE)
        self.head = Softmax(Table(weight), np.zeros(num_labels, DTYPE), np.zeros(num_labels, DTYPE))
        self.parameters = self.layer.parameters | self.head.parameters | {"first": self.first}
        self.gradients = self.layer.gradients | self.head.gradients | {"first": np.zeros_like(self.first)}

    def backpropagate(self, nodes: Ids, labels: Ids) -> None:
        """Set the gradients of the mean cross-entropy of some nodes' labels."""
        h = self.layer.forward(self.first, self.graph)
        self.head.begin()
        dh = np.zeros_like(h)
        _, dh[nodes] = self.head.loss_and_gradient(h[nodes], labels, 1 / len(nodes))
        self.gradients["first"][...] = self.layer.backward(dh)

    def probabilities(self) -> Floats:
        """Return the probability of each label of each node, (N, C)."""
        return np.exp(self.head.log_probs(self.layer.forward(self.first, self.graph)))


def train(network: NodeNetwork, nodes: Ids, labels: Ids, steps: int) -> None:
    """Take so many steps of Adam."""
    optimizer = Adam(network.parameters, network.gradients)
    for _ in range(steps):
        network.backpropagate(nodes, labels)
        optimizer.step(LEARNING_RATE)


def reached(graph: Graphs, nodes: Ids) -> Mask:
    """Return to which nodes ties lead from some nodes, (N,)."""
    found = np.zeros(graph.num_nodes, bool)
    found[nodes] = True
    while not found[next_ones := graph.targets[found[graph.sources]]].all():
        found[next_ones] = True
    return found


def check(labels: dict[int, str], names: list[str], path: Path) -> None:
    """Raise an error unless there is something to learn, and something to tell."""
    if len(set(labels.values())) < 2:
        raise RnnlmError(
            f"{path}: has {len(set(labels.values()))} different labels; label nodes of two kinds at least."
        )
    if len(labels) == len(names):
        raise RnnlmError(f"{path}: labels all nodes; leave out those of which you want to know the label.")


def read_truth(path: Path, names: list[str], labels: dict[int, str]) -> dict[int, str]:
    """Read the true labels of nodes that are not labelled."""
    kinds = set(labels.values())
    truth = {node: label for node, label in read_labels(path, names).items() if node not in labels}
    for node, label in truth.items():
        if label not in kinds:
            raise RnnlmError(
                f"{path}: {shown(names[node])} is {shown(label)}, which no labelled node is; correct the label, "
                "or label a node so."
            )
    if not truth:
        raise RnnlmError(f"{path}: says nothing of the nodes without a label; add them, or leave out --truth.")
    return truth


@click.command(help=__doc__)
@click.argument("edges", type=FILE)
@click.argument("labels", type=FILE)
@click.option("--truth", type=FILE, help="Labels to compare with; the network never sees them.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Networks to train and take the mean of."
)
@click.option("--rounds", type=click.IntRange(1), default=4, show_default=True, help="Rounds of messages.")
@click.option("--hidden-size", type=click.IntRange(1), default=16, show_default=True, help="Features of a node.")
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True, help="Steps of training.")
def main(
    edges: Path, labels: Path, truth: Path | None, seeds: int, rounds: int, hidden_size: int, steps: int
) -> None:
    try:
        names, graph = read_ties(edges)
        labelled = read_labels(labels, names)
        check(labelled, names, labels)
        true = read_truth(truth, names, labelled) if truth else {}
    except RnnlmError as error:
        raise click.ClickException(str(error)) from None
    kinds = sorted(set(labelled.values()))
    nodes, targets = np.array(list(labelled)), np.array([kinds.index(label) for label in labelled.values()])
    is_reached = reached(graph, nodes)
    each_seed = []
    for seed in range(seeds):
        network = NodeNetwork(graph, len(kinds), hidden_size, rounds, seed)
        train(network, nodes, targets, steps)
        each_seed.append(network.probabilities())

    mean = np.mean(each_seed, axis=0)
    for node, name in enumerate(names):
        if node not in labelled:
            told = (kinds[mean[node].argmax()], f"{mean[node].max():.2f}") if is_reached[node] else ("?", "")
            click.echo("\t".join((name, *told)))
    if true:
        right = [
            sum(is_reached[node] and kinds[each[node].argmax()] == label for node, label in true.items())
            for each in each_seed
        ]
        click.echo(f"right: {np.mean(right):.1f} of {len(true)}, mean of {seeds} ({min(right)} to {max(right)})")


if __name__ == "__main__":
    main()
