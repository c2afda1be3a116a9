"""Texts with labels, from the file to the language model's answers."""

import csv
import json
from pathlib import Path

import pytest

from rnnlm.cli.label_table import MOST_ROWS, label_lines
from rnnlm.evaluation.perplexity import Evaluation, LabelSums
from tests.conftest import KINDS, labelled_rows, train_run

from .conftest import Command
from .test_json import documented


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, label_dataset: Path) -> Path:
    return train_run(
        tmp_path_factory.mktemp("labelled-lm"),
        {
            "data": {"path": str(label_dataset)},
            "model": {"cell": "gru", "embedding_size": 8, "hidden_size": 12},
            "training": {"batch_size": 4, "epochs": 3, "sample_tokens": 3},
            "optimizer": {"name": "adam", "learning_rate": 0.02},
        },
    )


def test_by_label_as_a_table_and_as_json(rnnlm: Command, run: Path) -> None:
    whole = rnnlm("evaluate", "--model", run, "--json", "--quiet").json
    assert set(whole) <= documented("evaluate --json")
    assert set(whole["labels"]) == set(KINDS)
    assert sum(each["tokens"] for each in whole["labels"].values()) == whole["tokens"]
    total = sum(each["tokens"] * each["cross_entropy"] for each in whole["labels"].values())
    assert total / whole["tokens"] == pytest.approx(whole["cross_entropy"])
    printed = rnnlm("evaluate", "--model", run, "--quiet").stdout.splitlines()
    assert printed[-4].split() == ["tokens", "perplexity", "nats", "label"]
    assert [line.split()[3] for line in printed[-3:]] == ["animal", "plant", "stone"]


def test_a_text_is_measured_with_its_labels(rnnlm: Command, run: Path, word_run: Path) -> None:
    with Path("text.csv").open("w", newline="") as file:
        rows = [*labelled_rows(20, 7), ("new", "there is")]
        csv.writer(file).writerows([("kind", "text"), *rows])
    measured = rnnlm("evaluate", "--model", run, "--text", "text.csv", "--label-column", "kind", "--json").json
    assert measured["unknown_labels"]["tokens"] == 3
    assert set(measured["labels"]) <= set(KINDS)
    assert set(measured) <= documented("evaluate --json")
    outcome = rnnlm("evaluate", "--model", run, "--text", "text.csv")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert (
        "text.csv: the model's texts have labels; name the column with these as --label-column." in outcome.stderr
    )
    outcome = rnnlm("evaluate", "--model", word_run, "--text", "text.csv", "--label-column", "kind")
    assert "--label-column kind: the model has no labels; leave it out." in outcome.stderr


def test_a_table_of_many_labels_is_short() -> None:
    sums = {f"l{k}": LabelSums(k * 2.0, k) for k in range(1, 31)}
    lines = label_lines(Evaluation(930.0, 465, 0.0, 0, 1, {**sums, None: LabelSums(3.0, 40)}))
    assert len(lines) == MOST_ROWS + 2
    assert lines[2].split(maxsplit=3) == ["40", "1.08", "0.0750", "(labels that the model does not know)"]
    assert lines[3].split() == ["30", "7.39", "2.0000", "l30"]
    assert lines[-1].split(maxsplit=3) == [str(sum(range(1, 13))), "7.39", "2.0000", "(12 other labels)"]
    assert label_lines(Evaluation(930.0, 465, 0.0, 0, 1)) == []


def test_texts_of_a_label_are_written(rnnlm: Command, run: Path, word_run: Path) -> None:
    given = rnnlm("generate", "--model", run, "--label", "plant", "--num-samples", 4, "--json").json["samples"]
    assert [sample["label"] for sample in given] == 4 * ["plant"]
    assert set(given[0]) <= documented("generate --json")
    drawn = rnnlm("generate", "--model", run, "--num-samples", 9, "--jsonl", "--seed", 1).stdout.splitlines()
    assert {json.loads(line)["label"] for line in drawn} > {"animal"}
    assert set(json.loads(drawn[0])) <= documented("generate --jsonl")
    assert "label" not in rnnlm("generate", "--model", word_run, "--num-samples", 1, "--json").json["samples"][0]


@pytest.mark.parametrize("number", [1, 3])
def test_the_labels_that_are_drawn_are_said(rnnlm: Command, run: Path, number: int) -> None:
    line = ["generate", "--model", run, "--num-samples", number, "--seed", 5]
    outcome = rnnlm(*line)
    labels = [sample["label"] for sample in rnnlm(*line, "--json").json["samples"]]
    assert outcome.stderr.splitlines() == [f"Label: {label}" for label in labels]
    quiet = rnnlm(*line, "--quiet")
    assert (quiet.stdout, quiet.stderr) == (outcome.stdout, "")
    given = rnnlm(*line, "--label", labels[0])
    assert (given.stdout.splitlines()[0], given.stderr) == (outcome.stdout.splitlines()[0], "")


def test_what_needs_a_label_says_so(rnnlm: Command, run: Path, word_run: Path) -> None:
    Path("text.txt").write_text("a a very old oak\n")
    for line in (["generate", "--beam-width", "3"], ["score", "text.txt"], ["rescore", "text.txt"]):
        outcome = rnnlm(*line, "--model", run, "--quiet")
        assert (outcome.exit_code, outcome.stdout) == (1, "")
        assert (
            "--label is missing, and the model's texts have labels; give one, such as 'animal'" in outcome.stderr
        )
        assert "the model has no such label" in rnnlm(*line, "--model", run, "--label", "plan").stderr
        assert "the model has no labels" in rnnlm(*line, "--model", word_run, "--label", "plan").stderr
        assert rnnlm(*line, "--model", run, "--label", "plant", "--quiet").exit_code == 0


def test_a_person_writes_with_a_label(rnnlm: Command, run: Path) -> None:
    for label, said in (([], "Label: "), (["--label", "plant"], "")):
        outcome = rnnlm(
            "generate", "--interactive", "--model", run, *label, "--seed", 1, stdin="a very\n\n/quit\n"
        )
        assert outcome.exit_code == 0
        assert said in outcome.stderr
        assert "SENTENCE_START" not in outcome.stdout
    refused = rnnlm("generate", "--interactive", "--model", run, "--label", "plan", stdin="a\n")
    assert (refused.exit_code, refused.stdout) == (1, "")


def test_labels_are_described(rnnlm: Command, run: Path, label_dataset: Path) -> None:
    of_dataset, of_run = (rnnlm("info", path, "--json").json for path in (label_dataset, run))
    assert of_dataset["labels"] == of_run["labels"]
    assert list(of_run["labels"]) == ["animal", "plant", "stone"]
    assert set(of_dataset) <= documented("info --json", " of a dataset")
    assert set(of_run) <= documented("info --json", " of a run")
    assert not any(word.startswith("SENTENCE_START") for word in of_dataset["most_frequent"])


def test_preprocess_counts_labels(rnnlm: Command) -> None:
    with Path("text.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("kind", "text"), *labelled_rows(60, 1)])
    printed = rnnlm("preprocess", "text.csv", "--label-column", "kind", "--out", "data", "--json").json
    assert set(printed) <= documented("preprocess --json")
    assert list(printed["labels"]) == list(rnnlm("info", "data", "--json").json["labels"])
    outcome = rnnlm("preprocess", "text.csv", "--label-column", "sort", "--out", "other")
    assert (
        "there is no column 'sort' with labels, only 'kind', 'text'; choose one with --label-column."
        in outcome.stderr
    )
