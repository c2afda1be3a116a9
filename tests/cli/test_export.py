import re
from pathlib import Path

import pytest

from rnnlm.storage.finding import resolve_checkpoint
from rnnlm.text.vocabulary import Vocabulary

from .conftest import Command


def test_a_model_and_its_vocabulary_are_written(rnnlm: Command, char_run: Path) -> None:
    pytest.importorskip("onnx")
    arguments = ["export", "--model", char_run, "-o", "book.onnx"]
    outcome = rnnlm(*arguments)
    assert outcome == (0, "", "Model: book.onnx, vocabulary: book.vocabulary.json\n")
    assert Path("book.onnx").stat().st_size > 4 * 1000
    assert Vocabulary.load("book.vocabulary.json").tokens[:3] == [
        "UNKNOWN_TOKEN",
        "SENTENCE_START",
        "SENTENCE_END",
    ]
    assert rnnlm(*arguments, "--quiet") == (0, "", "")
    assert rnnlm(*arguments, "--json", "--quiet").json == {
        "model": "book.onnx",
        "vocabulary": "book.vocabulary.json",
    }


def test_a_taggers_other_files_are_named(rnnlm: Command, tag_run: Path, label_run: Path) -> None:
    pytest.importorskip("onnx")
    arguments = ["export", "--model", tag_run, "-o", "pos.onnx"]
    written = rnnlm(*arguments).stderr
    assert written == (
        "Model: pos.onnx, vocabulary: pos.vocabulary.json, tags: pos.tags.json, characters: pos.characters.json\n"
    )
    files = rnnlm(*arguments, "--json").json
    assert list(files) == ["model", "vocabulary", "tags", "characters"]
    checkpoint = resolve_checkpoint(tag_run)
    for name in ("vocabulary", "tags", "characters"):
        assert Path(files[name]).read_bytes() == (checkpoint / f"{name}.json").read_bytes()
    assert rnnlm("export", "--model", label_run, "-o", "topics.onnx", "--json").json == {
        "model": "topics.onnx",
        "vocabulary": "topics.vocabulary.json",
    }
    assert Vocabulary.load("topics.vocabulary.json").labels == ["animal", "plant", "stone"]


def test_a_translator_has_no_onnx_file(rnnlm: Command, translator_run: Path) -> None:
    outcome = rnnlm("export", "--model", translator_run, "-o", "translator.onnx")
    assert outcome == (1, "", "rnnlm: A translator has no ONNX file yet; export it with --format torch.\n")
    assert not Path("translator.onnx").exists()


def test_a_file_is_asked_for(rnnlm: Command, char_run: Path) -> None:
    outcome = rnnlm("export", "--model", char_run)
    assert outcome.exit_code == 2
    assert "Missing option '-o' / '--out'" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "book"], "-o book: give --format, or a name that ends with .onnx, .pt, .pth, .html."),
        (["-o", "book.pt", "--format", "onnx"], "-o book.pt: this ending is for --format torch; choose another."),
        (
            ["-o", "book.html", "--format", "onnx"],
            "-o book.html: this ending is for --format html; choose another.",
        ),
        (["-o", "book.pt", "--precision", "int8"], "--precision is for --format html; leave it out."),
        (["-o", "book.ONNX", "--format", "torch"], "-o book.ONNX: this ending is for --format onnx"),
    ],
)
def test_format_and_ending_agree(rnnlm: Command, char_run: Path, arguments: list[str], message: str) -> None:
    outcome = rnnlm("export", "--model", char_run, *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr


def test_an_unknown_format_is_wrong_usage(rnnlm: Command, char_run: Path) -> None:
    outcome = rnnlm("export", "--model", char_run, "-o", "book", "--format", "keras")
    assert outcome.exit_code == 2
    assert "'keras' is not one of 'onnx', 'torch'" in outcome.stderr


def test_a_model_that_is_not_there_is_named(rnnlm: Command) -> None:
    outcome = rnnlm("export", "--model", "none", "-o", "book.onnx")
    assert outcome == (1, "", "rnnlm: none: no such directory; name a run or a checkpoint.\n")


def test_a_page_is_written_and_each_precision_measured(rnnlm: Command, word_run: Path) -> None:
    arguments = ["export", "--model", word_run, "-o", "book.html", "--precision", "int8"]
    outcome = rnnlm(*arguments)
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    number = r"\d+\.\d\d"
    assert re.fullmatch(
        rf"Model: book\.html\nPerplexity on .+, valid split: float32 {number} \(\+0\.00%\), "
        rf"float16 {number} \([+-]{number}%\), int8 {number} \([+-]{number}%\)\n",
        outcome.stderr,
    )
    assert Path("book.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [path.name for path in Path().iterdir()] == ["book.html"]
    assert rnnlm(*arguments, "--quiet") == (0, "", "")
    values = rnnlm(*arguments, "--json", "--quiet").json
    assert list(values) == ["model", "perplexity"]
    assert list(values["perplexity"]) == ["float32", "float16", "int8"]
    assert values["perplexity"]["float32"] > 1


def test_without_the_dataset_nothing_is_measured(rnnlm: Command) -> None:
    outcome = rnnlm("export", "-o", "book.html")
    assert outcome == (
        0,
        "",
        "Model: the installed one, as there is no run under runs/\nModel: book.html\n"
        "The loss by precision was not measured, for want of the model's dataset. data/sample-comments: no such "
        "directory; name a dataset, or make one with 'rnnlm preprocess'.\n",
    )
    values = rnnlm("export", "-o", "book.html", "--json", "--quiet").json
    assert values == {"model": "book.html", "perplexity": None}


def test_only_language_models_have_a_page(rnnlm: Command, translator_run: Path) -> None:
    outcome = rnnlm("export", "--model", translator_run, "-o", "translator.html")
    expected = "rnnlm: A translator has no page yet: only language models write; choose another format.\n"
    assert outcome == (1, "", expected)
    assert not Path("translator.html").exists()
