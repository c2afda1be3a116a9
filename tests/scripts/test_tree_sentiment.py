"""The program that learns classes of trees: what it learns, prints and refuses."""

import itertools
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scripts.tree_sentiment import main, parse, read_trees

QUICK = ("--size", "12", "--epochs", "40", "--learning-rate", "0.2", "--dropout", "0.1")
GOOD = "(1 (0 not) (0 (1 good) (1 film)))\n"


def phrases(*numbers: int) -> list[str]:
    """Make phrases with so many "not" each, which turn the class of what follows them."""
    trees = []
    for word, noun, nots in itertools.product(("good", "fine", "bad", "poor"), ("film", "play", "plot"), numbers):
        label = int(word in ("good", "fine"))
        tree = f"({label} ({label} {word}) (1 {noun}))"
        for _ in range(nots):
            label = 1 - label
            tree = f"({label} (1 Not) {tree})"
        trees.append(tree)
    return trees


def run(*arguments: object) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    parts = {"train": phrases(0, 1, 2), "valid": phrases(3)[::2], "test": phrases(3)[1::2]}
    paths = {f"--{name}": tmp_path / f"{name}.txt" for name in parts}
    for path, part in zip(paths.values(), parts.values(), strict=True):
        path.write_text("\n".join(part) + "\n\n", encoding="utf-8")
    return paths


@pytest.mark.parametrize("network", ["recursive", "lstm"])
def test_it_learns_what_not_means(files: dict[str, Path], network: str) -> None:
    """Three in a row are more than it has ever seen."""
    arguments = [*itertools.chain(*files.items()), *QUICK, "--network", network]
    status, said = run(*arguments)
    assert status == 0, said
    assert said[0].startswith("epoch 1: loss ")
    assert "epochs in" in said[-3]
    for name, line in zip(("valid", "test"), said[-2:], strict=True):
        assert line.startswith(f"{name}: 100.00 % of roots, ")
    assert [line for line in run(*arguments)[1] if " in " not in line] == [
        line for line in said if " in " not in line
    ]


def test_it_stops_and_goes_back_to_the_best_epoch(files: dict[str, Path]) -> None:
    _, said = run("--train", files["--train"], "--valid", files["--train"], *QUICK, "--patience", "2")
    epochs, summary, result = said[:-2], said[-2], said[-1]
    accuracies = [float(line.partition("valid ")[2].partition(" %")[0]) for line in epochs]
    best = accuracies.index(max(accuracies))
    assert len(epochs) == best + 3
    assert summary.startswith(f"{best + 3} epochs in ")
    assert summary.endswith(f"best was epoch {best + 1}")
    assert result.removeprefix("valid: ") == epochs[best].partition("valid ")[2]


def test_nodes_come_after_their_children(tmp_path: Path) -> None:
    file = tmp_path / "trees.txt"
    file.write_text("\n(a (b (c It) (d 's)) (e 1\xa01\\/2))\r\n", encoding="utf-8")
    [tree] = read_trees(file)
    assert tree.place == f"{file}, line 2"
    assert tree.labels == ["c", "d", "b", "e", "a"]
    assert tree.words == ["It", "'s", None, "1\xa01\\/2", None]
    assert tree.children[2] == (0, 1)
    assert tree.children[4] == (2, 3)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="() \t\r\n"), min_size=1)
Node = tuple[str, str] | tuple[str, "Node", "Node"]
NODES = st.recursive(st.tuples(TEXT, TEXT), lambda nodes: st.tuples(TEXT, nodes, nodes))


def written(node: Node) -> str:
    return f"({' '.join(part if isinstance(part, str) else written(part) for part in node)})"


@given(NODES)
def test_what_is_written_is_read(root: Node) -> None:
    tree = parse(written(root), "here")

    def node(number: int) -> Node:
        label, word, (left, right) = tree.labels[number], tree.words[number], tree.children[number]
        return (label, node(left), node(right)) if word is None else (label, word)

    assert node(len(tree.labels) - 1) == root


def test_a_tree_may_be_deep(tmp_path: Path) -> None:
    file = tmp_path / "trees.txt"
    file.write_text("(1 (1 a) " * 5000 + "(1 b)" + ")" * 5000, encoding="utf-8")
    [tree] = read_trees(file)
    assert len(tree.labels) == 10001


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ": has no trees; write one a line"),
        (b"\n \n", ": has no trees; write one a line"),
        (GOOD.encode() + b"(1 \xff)", ", line 2: not in UTF-8"),
        (GOOD.encode() + b"(1 (0 not) (0 bad)", ", line 2: the brackets of one tree must open and close, as in"),
        (b"(1 good))", ", line 1: the brackets of one tree must open and close, as in"),
        (b"(1 good) (0 bad)", ", line 1: the brackets of one tree must open and close, as in"),
        (b"good", ", line 1: the brackets of one tree must open and close, as in"),
        (b"(1)", ", line 1: a node is a class and a word, or a class and two nodes, but not '(1)'."),
        (b"(1 (0 a) (0 b) (0 c))", ", line 1: a node is a class and a word, or a class and two nodes"),
        (b"(1 (0 a))", ", line 1: a node is a class and a word, or a class and two nodes"),
        (b"(1 (0 a) b)", ", line 1: a node is a class and a word, or a class and two nodes"),
        (b"((0 a) (1 b))", ", line 1: a node is a class and a word, or a class and two nodes"),
        (b"(1 new york)", ", line 1: a node is a class and a word, or a class and two nodes"),
        (b"(" * 5000, ", line 1: the brackets of one tree must open and close, as in"),
    ],
)
@pytest.mark.parametrize("role", ["--train", "--valid", "--test"])
def test_a_file_that_is_not_of_trees(files: dict[str, Path], role: str, content: bytes, problem: str) -> None:
    files[role].write_bytes(content)
    status, said = run(*itertools.chain(*files.items()), *QUICK)
    assert status == 1
    assert len(said) == 1, said
    assert said[0].startswith(f"Error: {files[role]}{problem}")


def test_a_class_that_was_not_learned(files: dict[str, Path]) -> None:
    files["--valid"].write_text(f"{GOOD}(2 (1 good) (1 film))\n", encoding="utf-8")
    problem = "line 2: the class '2' is none of those to learn from: 0, 1."
    assert run(*itertools.chain(*files.items())) == (1, [f"Error: {files['--valid']}, {problem}"])


def test_a_file_that_is_not_there(files: dict[str, Path]) -> None:
    files["--test"].unlink()
    status, said = run(*itertools.chain(*files.items()))
    assert status == 1
    assert said == [f"Error: {files['--test']}: cannot be read (No such file or directory)."]


def test_a_learning_rate_that_is_too_large(files: dict[str, Path]) -> None:
    status, said = run(*itertools.chain(*files.items()), *QUICK, "--learning-rate", "1e38")
    assert status == 1
    assert said[-1] == "Error: --learning-rate: the loss is no longer a finite number; choose a smaller rate."
