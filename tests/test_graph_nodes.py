"""The program that tells what the nodes of a graph are."""

import io
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from rnnlm.nn.arrays import Ids
from rnnlm.nn.graph import Graphs
from scripts.graph_nodes import NodeNetwork, main, reached, train

DATA = Path(__file__).parents[1] / "scripts" / "data"
TWO_GROUPS = "a b\nb c\nc a\nc d\nd e\ne f\nf d\n"


class Result(NamedTuple):
    exit_code: object
    stdout: str
    stderr: str


def run(*arguments: str | Path) -> Result:
    """Run the program; click's own runner keeps the two outputs apart only in its newer versions."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        main([str(each) for each in arguments])
    return Result(end.value.code, out.getvalue(), err.getvalue())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return an edge list of two triangles that a tie joins, the labels of a node of each, and what all are."""
    edges, labels, truth = (tmp_path / name for name in ("edges", "labels", "truth"))
    edges.write_text(TWO_GROUPS)
    labels.write_text("a one\nf two\n")
    truth.write_text("a one\nb one\nc one\nd two\ne two\nf two\n")
    return edges, labels, truth


def test_two_labelled_people_are_enough_for_the_karate_club() -> None:
    club = [DATA / f"karate-club.{name}" for name in ("edges", "labels", "factions")]
    result = run(*club[:2], "--truth", club[2], "--seeds", "20")
    assert result.exit_code == 0
    *nodes, last = result.stdout.splitlines()
    assert len(nodes) == 32
    found = re.fullmatch(r"right: ([\d.]+) of 32, mean of 20 \(\d+ to \d+\)", last)
    assert found
    assert float(found[1]) >= 30


def test_the_club_is_the_published_one() -> None:
    ties = {frozenset(map(int, tie)) for tie in np.loadtxt(DATA / "karate-club.edges", int)}
    degrees = np.bincount([person for tie in ties for person in tie])[1:]
    assert (len(ties), len(degrees)) == (78, 34)
    assert degrees.tolist() == [
        *(16, 9, 10, 6, 3, 4, 4, 4, 5, 2, 3, 1, 2, 5, 2, 2, 2),
        *(2, 2, 3, 2, 2, 2, 5, 3, 3, 2, 4, 3, 4, 4, 6, 12, 17),
    ]
    factions = (DATA / "karate-club.factions").read_text(encoding="utf-8")
    assert (factions.count("\tMr. Hi\n"), factions.count("\tOfficer\n")) == (17, 17)


def communities(rng: np.random.Generator, size: int = 34, ties: int = 77) -> tuple[Graphs, Ids, Ids]:
    """Draw a graph of two communities, with few ties between them, in which some nodes have many ties.

    Returns it, the node of each community that has the most ties, and the community of each node.
    """
    side = np.arange(size) % 2
    while True:
        weight = rng.pareto(2.0, size) + 0.5
        chances = np.triu(np.outer(weight, weight) * np.where(side[:, None] == side, 7, 1), 1)
        sources, targets = np.nonzero(rng.random(chances.shape) < chances * ties / chances.sum())
        graph = Graphs(np.concatenate([sources, targets]), np.concatenate([targets, sources]), size)
        if reached(graph, np.array([0])).all():
            leaders = [max(range(k, size, 2), key=lambda node: graph.incoming.sizes[node]) for k in (0, 1)]
            return graph, np.array(leaders), side


def test_communities_of_random_graphs_are_told_from_their_leaders() -> None:
    right = []
    for seed in range(5):
        graph, leaders, side = communities(np.random.default_rng(seed))
        network = NodeNetwork(graph, num_labels=2, hidden_size=16, rounds=4, seed=seed)
        train(network, leaders, side[leaders], steps=100)
        others = np.setdiff1d(np.arange(len(side)), leaders)
        right.append(np.mean(network.probabilities().argmax(axis=1)[others] == side[others]))
    assert np.mean(right) > 0.85


def test_the_truth_changes_nothing_but_the_count(files: tuple[Path, Path, Path]) -> None:
    edges, labels, truth = files
    alone = run(edges, labels).stdout
    assert [line.split("\t")[:2] for line in alone.splitlines()] == [
        ["b", "one"],
        ["c", "one"],
        ["d", "two"],
        ["e", "two"],
    ]
    assert run(edges, labels, "--truth", truth).stdout == alone + "right: 4.0 of 4, mean of 1 (4 to 4)\n"
    truth.write_text("b two\nc one\n")
    assert run(edges, labels, "--truth", truth).stdout == alone + "right: 1.0 of 2, mean of 1 (1 to 1)\n"


@pytest.mark.parametrize("separator", ["\t", " , ", ","])
def test_names_may_have_spaces(files: tuple[Path, Path, Path], separator: str) -> None:
    edges, labels, _ = files
    edges.write_text("\ufeff# ties\n\n" + re.sub(r"(\w) (\w)", rf"St. \1{separator}St. \2", TWO_GROUPS))
    labels.write_text(f"# saints\nSt. a{separator}the first\nSt. f{separator}the second\n")
    first = run(edges, labels).stdout.splitlines()[0]
    assert first.startswith("St. b\tthe first\t")


def test_a_tie_named_twice_counts_once(files: tuple[Path, Path, Path]) -> None:
    edges, labels, _ = files
    before = run(edges, labels).stdout
    edges.write_text(TWO_GROUPS + "b a\nc d\n")
    assert run(edges, labels).stdout == before


def test_what_no_tie_joins_to_a_label_is_unknown(files: tuple[Path, Path, Path]) -> None:
    edges, labels, truth = files
    edges.write_text(TWO_GROUPS + "x y\n")
    truth.write_text("b one\nx one\n")
    result = run(edges, labels, "--truth", truth)
    assert result.stdout.endswith("x\t?\t\ny\t?\t\nright: 1.0 of 2, mean of 1 (1 to 1)\n")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("edges", b"", "edges: has no ties"),
        ("edges", b"# nothing\n", "edges: has no ties"),
        ("edges", b"a b\nc\n", "edges:2: a tie is two names, not 'c'; separate them"),
        ("edges", b"a b c d\n", "edges:1: a tie is two names, not 'a b c d'; separate them"),
        ("edges", b"a\tb\t0.5\n", "edges:1: a tie is two names"),
        ("edges", b"a,\n", "edges:1: a tie is two names"),
        ("edges", b"a \xff\n", "edges: is not UTF-8 text"),
        ("labels", b"", "labels: has 0 different labels"),
        ("labels", b"a one\nb one\n", "labels: has 1 different labels; label nodes of two kinds"),
        ("labels", b"a\n", "labels:1: 'a' has no label"),
        ("labels", b"a one\n\nx two\n", "labels:3: 'x' has no ties"),
        ("labels", b"a one\na two\n", "labels:2: 'a' is labelled a second time"),
        ("labels", b"a one\nb one\nc one\nd two\ne two\nf two\n", "labels: labels all nodes"),
        ("truth", b"b three\n", "truth: 'b' is 'three', which no labelled node is"),
        ("truth", b"a one\n", "truth: says nothing of the nodes without a label"),
    ],
)
def test_what_is_wrong_is_said(files: tuple[Path, Path, Path], name: str, content: bytes, complaint: str) -> None:
    edges, labels, truth = files
    edges.with_name(name).write_bytes(content)
    result = run(edges, labels, "--truth", truth)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_file_is_named(files: tuple[Path, Path, Path], missing: int) -> None:
    files[missing].unlink()
    result = run(*files[:2])
    assert result.exit_code == 1
    assert f"{files[missing]}: cannot be read (No such file or directory)" in result.stderr
