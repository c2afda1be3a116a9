"""``rnnlm preprocess`` of text whose tokens have tags."""

from pathlib import Path

import pytest

from rnnlm.dataset.store import Dataset

from .conftest import Command
from .test_json import documented

POS = "The\tDET\ncat\tNOUN\nsat\tVERB\n\nIt\tPRON\nslept\tVERB\n\n" * 10


@pytest.fixture(autouse=True)
def files(working_directory: Path) -> None:
    Path("pos.txt").write_text(POS)
    Path("test.txt").write_text("Oh\tINTJ\n\nThe\tDET\n")
    Path("zh.txt").write_text("同样 的\n大多数 人\n" * 10, encoding="utf-8")


def test_tagged_words(rnnlm: Command):
    result = rnnlm("preprocess", "pos.txt", "--format", "tagged", "--test", "test.txt", "--out", "data")
    assert result.stdout == "data: 22 documents, 22 sentences, 74 tokens\n"
    for line in (
        "Text settings: --level word --tokenizer whitespace --lowercase --no-sentences --no-clean",
        "The training text has 4 tags.",
        "Tokens whose tag the training text does not have: test 1.",
    ):
        assert line in result.stderr.splitlines()


def test_segmented_characters(rnnlm: Command):
    result = rnnlm("preprocess", "zh.txt", "--format", "segmented", "--out", "data", "--write-text", "text")
    assert "Text settings: --level char --no-lowercase --no-sentences --no-clean" in result.stderr
    assert "Wrote text: train.txt, valid.txt, test.txt, without tags." in result.stderr
    assert Dataset.open("data").tags.segmented


def test_standard_input(rnnlm: Command):
    rnnlm("preprocess", "-", "--format", "tagged", "--out", "data", stdin=POS)
    assert len(Dataset.open("data").tags) == 4


def test_what_is_printed_is_documented(rnnlm: Command):
    printed = rnnlm("preprocess", "pos.txt", "--format", "tagged", "--out", "data", "--json", "--quiet").json
    assert printed["tags"] == 4
    names = documented("preprocess --json")
    assert set(printed) <= names
    assert set(printed["splits"]["test"]) <= names
    described = rnnlm("info", "data", "--json").json
    assert described["tags"].keys() == {"DET", "NOUN", "VERB", "PRON"}
    assert set(described) <= documented("info --json", " of a dataset")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("pos.txt --format tagged --level char", "--format tagged has tags for words"),
        ("pos.txt --format tagged --tokenizer bpe", "--tokenizer bpe makes tokens"),
        ("pos.txt --format tagged --sentences", "--sentences is for text"),
        ("pos.txt --format tagged --clean", "--clean is for text"),
        ("pos.txt --format tagged --keep-lines", "--keep-lines is for text"),
        ("pos.txt --format tagged --text-column 1", "--text-column is for csv and jsonl"),
        ("pos.txt --format tagged --where a=b", "--where is for csv and jsonl"),
        ("pos.txt --format tagged --documents line", "--documents is for txt"),
        ("pos.txt --tag-column 2", "--tag-column is for --format tagged"),
        ("pos.txt --format tagged --tag-column x", "--tag-column"),
        (
            "pos.txt --format tagged --tag-column 3",
            "there is no column 3, only 2; choose another with --tag-column",
        ),
        ("zh.txt --format segmented --level word", "--format segmented has tags for characters"),
        ("zh.txt --format segmented --tokenizer jieba", "--tokenizer is for words"),
        ("zh.txt --format segmented --lowercase", "--lowercase is for words"),
    ],
)
def test_options_that_exclude_one_another(rnnlm: Command, options: str, message: str):
    result = rnnlm("preprocess", *options.split(), "--out", "data")
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert not Path("data").exists()


def test_a_language_model_learns_from_tagged_text(rnnlm: Command):
    rnnlm("preprocess", "pos.txt", "--format", "tagged", "--out", "data", "--quiet")
    Path("c.yaml").write_text("data: {path: data}\nmodel: {hidden_size: 4}\ntraining: {max_steps: 3}\n")
    assert rnnlm("train", "--config", "c.yaml", "--out", "run", "--quiet").exit_code == 0
    evaluated = rnnlm("evaluate", "--model", "run", "--text", "pos.txt", "--format", "tagged", "--json", "--quiet")
    assert evaluated.json["tokens"] == 70
    refused = rnnlm("score", "pos.txt", "--model", "run", "--format", "tagged")
    assert "'tagged' is not one of 'auto', 'csv'" in refused.stderr
