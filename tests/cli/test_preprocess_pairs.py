"""``rnnlm preprocess`` of pairs of texts."""

from pathlib import Path

import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.text.vocabulary import Vocabulary

from .conftest import Command
from .test_json import documented

SOURCES, TARGETS = "Ein Hund.\nEine Katze.\n\nZwei Hunde.\n" * 10, "A dog.\nA cat.\nNothing.\nTwo dogs.\n" * 10


@pytest.fixture(autouse=True)
def files(working_directory: Path) -> None:
    Path("train.de").write_text(SOURCES)
    Path("train.en").write_text(TARGETS)
    lines = zip(SOURCES.split("\n"), TARGETS.split("\n"), strict=True)
    Path("train.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in lines if source))
    Path("test.de").write_text("Kein Hund.\n")
    Path("test.en").write_text("No dog.\n")


def test_parallel_files(rnnlm: Command):
    result = rnnlm(
        "preprocess", "train.de", "train.en", "--format", "pairs", "--test", "test.de,test.en", "--out", "data"
    )
    assert result.stdout == "data: 31 documents, 31 sentences, 124 tokens\n"
    for line in (
        "Text settings: --level word --tokenizer nltk --lowercase --no-sentences --no-clean",
        'Reading sources, and the line of each number in train.en as the target: "Ein Hund." "A dog." (train.de)',
        'Reading sources, and the line of each number in test.en as the target: "Kein Hund." "No dog." (test.de)',
        "Left out 10 pairs of which a side has no token.",
        "Found 7 unique tokens in the training text of the sources.",
        "The vocabulary of the sources has 10 tokens, the special ones included.",
        "Found 6 unique tokens in the training text of the targets.",
        "The vocabulary of the targets has 9 tokens, the special ones included.",
        "Unknown tokens of the sources: train 0.00%, valid 0.00%, test 25.00%.",
        "Unknown tokens of the targets: train 0.00%, valid 0.00%, test 25.00%.",
    ):
        assert line in result.stderr.splitlines()


def test_standard_input(rnnlm: Command):
    rnnlm("preprocess", "-", "--format", "pairs", "--out", "data", stdin=Path("train.tsv").read_text())
    assert "hunde" in Dataset.open("data").source_vocabulary.tokens


def test_what_is_printed_is_documented(rnnlm: Command):
    printed = rnnlm("preprocess", "train.tsv", "--format", "pairs", "--out", "data", "--json", "--quiet").json
    names = documented("preprocess --json")
    assert set(printed) <= names
    assert set(printed["source"]) <= names
    assert printed["source"]["vocabulary_size"] == 10
    described = rnnlm("info", "data", "--json").json
    names = documented("info --json", " of a dataset")
    assert set(described) <= names
    assert set(described["source"]) <= names
    assert described["source"]["most_frequent"][0] == "."
    assert described["source"]["splits"]["train"].keys() == described["splits"]["train"].keys()


def test_the_vocabularies_of_a_dataset_are_reused_and_extended(rnnlm: Command):
    rnnlm("preprocess", "train.tsv", "--format", "pairs", "--out", "data", "--vocab-size", "5", "--quiet")
    old = Dataset.open("data")
    options = ("--format", "pairs", "--valid-fraction", "0", "--test-fraction", "0", "--quiet", "--vocab", "data")
    rnnlm("preprocess", "test.de", "test.en", *options, "--out", "again")
    again = Dataset.open("again")
    assert (again.vocabulary, again.source_vocabulary) == (old.vocabulary, old.source_vocabulary)
    rnnlm("preprocess", "test.de", "test.en", *options, "--extend-vocab", "2", "--out", "more")
    more = Dataset.open("more")
    assert more.vocabulary.tokens == [*old.vocabulary.tokens, "dog", "no"]
    assert more.source_vocabulary.tokens == [*old.source_vocabulary.tokens, "hund", "kein"]
    rnnlm("preprocess", "train.en", "--out", "text", "--vocab-size", "6", "--quiet")
    rnnlm("preprocess", "train.tsv", "--format", "pairs", "--out", "mixed", "--vocab", "text", "--quiet")
    mixed = Dataset.open("mixed")  # a vocabulary of one side alone is that of the targets
    assert mixed.vocabulary == Vocabulary.load("text")
    assert len(mixed.source_vocabulary) == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("train.tsv --format pairs --sentences", "--sentences is for text, but --format pairs has whole lines"),
        ("train.tsv --format pairs --keep-lines", "--keep-lines is for text, but --format pairs has whole lines"),
        ("train.tsv --format pairs --text-column 1", "--text-column is for csv and jsonl"),
        ("train.tsv --format pairs --label-column a", "--label-column is for records"),
        ("train.tsv --format pairs --where a=b", "--where is for csv and jsonl"),
        ("train.tsv --format pairs --documents line", "--documents is for txt"),
        ("train.tsv --format pairs --delimiter ;", "--delimiter is for csv"),
        ("train.de --format pairs", "train.de: line 1 has no tab ('Ein Hund.')"),
        ("train.de test.en --format pairs", "test.en: it has 1 line, but train.de has more"),
        ("train.tsv --format pairs --test test.de,none", "none: there is no such file"),
        ("train.tsv --format pairs --test test.de", "test.de: line 1 has no tab"),
        ("test.de test.en --format pairs", "The corpus has 1 pair, too few to divide in 3"),
    ],
)
def test_what_cannot_be_pairs_is_refused(rnnlm: Command, options: str, message: str):
    result = rnnlm("preprocess", *options.split(), "--out", "data")
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert not Path("data").exists()


def test_a_language_model_learns_from_the_targets(rnnlm: Command):
    made = rnnlm("preprocess", "train.tsv", "--format", "pairs", "--out", "data", "--write-text", "text")
    assert "Wrote text: train.txt, valid.txt, test.txt, without sources." in made.stderr
    assert "dog" in Path("text/train.txt").read_text()
    Path("c.yaml").write_text("data: {path: data}\nmodel: {hidden_size: 4}\ntraining: {max_steps: 3}\n")
    assert rnnlm("train", "--config", "c.yaml", "--out", "run", "--quiet").exit_code == 0
    options = ("--model", "run", "--format", "pairs", "--json", "--quiet")
    assert rnnlm("evaluate", "--text", "train.tsv", *options).json["tokens"] == 120
    assert rnnlm("evaluate", "--text", "train.de,train.en", *options).json["tokens"] == 120
    refused = rnnlm("score", "train.tsv", "--model", "run", "--format", "pairs")
    assert "'pairs' is not one of" in refused.stderr
