"""The tokenizers and text options on the command line, from text to what a model writes."""

from pathlib import Path

import pytest

import rnnlm as package
from rnnlm.dataset.store import Dataset

from .conftest import Command, write_config

ENGLISH = "The cat sat, said Tom.\nThe dog (a good one) ran.\n" * 20
CHINESE = "同样施力的大小不同，引起的加速度不同。\n他在London买了The Times。\n" * 20
POEM = "The sun was shining,\nshining on the sea.\n\nThe moon was sulky,\nshe thought the sun.\n\n" * 20


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def train(rnnlm: Command, data: str) -> None:
    config = write_config("a.yaml", model={"hidden_size": 8}, training={"max_steps": 30}, data={"path": data})
    assert rnnlm("train", "--config", config, "--out", "run", "--quiet").exit_code == 0


@pytest.mark.parametrize(
    ("package_needed", "text", "options", "settings"),
    [
        ("regex", ENGLISH, ["--tokenizer", "unicode"], "--tokenizer unicode"),
        ("tokenizers", ENGLISH, ["--tokenizer", "bpe", "--vocab-size", "60"], "--tokenizer bpe"),
        ("rjieba", CHINESE, ["--tokenizer", "jieba", "--no-lowercase"], "--tokenizer jieba"),
        ("nltk", POEM, ["--keep-lines"], "--keep-lines --documents paragraph"),
    ],
)
def test_from_text_to_what_a_model_writes(
    rnnlm: Command, package_needed: str, text: str, options: list[str], settings: str
):
    pytest.importorskip(package_needed)
    write("text.txt", text)
    made = rnnlm("preprocess", "text.txt", *options)
    assert made.exit_code == 0
    assert settings in made.stderr
    train(rnnlm, "data/text")

    lines = [line for line in text.split("\n") if line]
    seed = lines[0][:-1]
    written = rnnlm("generate", "--model", "run", "--seed-text", seed, "--seed", 1, "--json").json["samples"]
    assert all(sample["text"].startswith(seed) for sample in written)
    assert rnnlm("evaluate", "--model", "run", "--data", "data/text").exit_code == 0
    assert rnnlm("evaluate", "--model", "run", "--text", "text.txt").exit_code == 0
    write("line.txt", f"{lines[0]}\n")
    scored = rnnlm("score", "line.txt", "--model", "run", "--tokens", "--quiet").stdout
    assert "▁" not in scored
    assert rnnlm("preprocess", "text.txt", "--vocab", "run", "--out", "again").exit_code == 0
    assert Dataset.open("again").vocabulary == Dataset.open("data/text").vocabulary
    extended = rnnlm("preprocess", "text.txt", "--vocab", "run", "--extend-vocab", 3, "--out", "more")
    assert extended.exit_code == 0


def test_kept_lines_are_printed_as_lines(rnnlm: Command):
    write("text.txt", POEM)
    rnnlm("preprocess", "text.txt", "--keep-lines")
    train(rnnlm, "data/text")
    lm = package.load("run")
    tokens = ["the", "sun", ".", "\n", "she", "thought", ","]
    assert lm.vocabulary.processor.detokenize(tokens) == "the sun.\nshe thought,"
    assert lm.score("the sun\nthe sea").tokens[2][0] == "\n"


def test_neighbors_are_words_as_people_write_them(rnnlm: Command):
    write("text.txt", ENGLISH)
    made = rnnlm("preprocess", "text.txt", "--tokenizer", "unicode")
    assert "The least frequent word in it is 'ran', which appeared" in made.stderr
    train(rnnlm, "data/text")
    found = rnnlm("neighbors", "Cat", "--model", "run", "--num", 100).stdout.split()[1::2]
    assert {"dog", "(", "…a", ","} <= set(found)
    assert "cat" not in found
    missing = rnnlm("neighbors", "doge", "--model", "run")
    assert missing.exit_code == 1
    assert "did you mean 'dog'" in missing.stderr


@pytest.mark.parametrize("tokenizer", [[], ["--tokenizer", "tweet"], ["--tokenizer", "whitespace"]])
def test_words_that_touch_are_not_trained_on_in_silence(rnnlm: Command, tokenizer: list[str]):
    write("text.txt", CHINESE)
    refused = rnnlm("preprocess", "text.txt", *tokenizer)
    assert (refused.exit_code, refused.stdout) == (1, "")
    for advice in ("--level char", "--tokenizer unicode", "jieba"):
        assert advice in refused.stderr
    assert rnnlm("preprocess", "text.txt", "--level", "char").exit_code == 0


def test_segmented_text_is_joined_without_spaces(rnnlm: Command):
    write("text.txt", "他 在 London 买 了 The Times 。\n" * 9)
    made = rnnlm("preprocess", "text.txt", "--tokenizer", "whitespace", "--join", "none", "--no-lowercase")
    assert "--no-clean --join none --documents line" in made.stderr
    assert '"join":"none"' in Path("data/text/vocabulary.json").read_text(encoding="utf-8")
    train(rnnlm, "data/text")
    lm = package.load("run")
    assert lm.writer.seed_text("他 在 London").continued(["买"]).text == "他 在 London买"
    contradicted = rnnlm("preprocess", "text.txt", "--vocab", "run", "--join", "space", "--out", "x")
    assert "--join is fixed by the vocabulary of run; leave it out." in contradicted.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--keep-lines --level char", "--keep-lines is for words"),
        ("--keep-lines --sentences", "--keep-lines keeps a document in one piece"),
        ("--keep-lines --documents line", "--keep-lines keeps nothing of --documents line"),
        ("--join none", "--join is for --tokenizer whitespace"),
        ("--join none --tokenizer jieba", "--join is for --tokenizer whitespace"),
    ],
)
def test_options_that_exclude_one_another(rnnlm: Command, options: str, message: str):
    write("text.txt", POEM)
    refused = rnnlm("preprocess", "text.txt", *options.split())
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_turkish_is_told_what_lower_case_does(rnnlm: Command):
    write("tr.txt", "Kırmızı ışığın altında yağmur yağıyordu.\nIsparta'nın dağları karlıydı.\n" * 9)
    told = "reads like Turkish or Azerbaijani: in lower case I became i, not ı"
    assert told in rnnlm("preprocess", "tr.txt").stderr
    assert told not in rnnlm("preprocess", "tr.txt", "--no-lowercase", "--overwrite").stderr
    write("en.txt", ENGLISH)
    assert told not in rnnlm("preprocess", "en.txt").stderr


def test_text_is_written_for_other_programs(rnnlm: Command):
    write("text.txt", "The cat sat.\n" * 9)
    options = ["--vocab-size", 5, "--write-text", "plain", "--valid-fraction", 0, "--test-fraction", 0]
    made = rnnlm("preprocess", "text.txt", *options)
    assert "Wrote plain: train.txt, valid.txt, test.txt." in made.stderr
    assert Path("plain/train.txt").read_text() == "UNKNOWN_TOKEN cat UNKNOWN_TOKEN .\n" * 9
    again = rnnlm("preprocess", "text.txt", "--out", "other", *options)
    assert again.exit_code == 1
    assert "train.txt: this file exists" in again.stderr
    assert not Path("other").exists()
    assert rnnlm("preprocess", "text.txt", "--overwrite", *options).exit_code == 0
    inside = rnnlm("preprocess", "text.txt", "--out", "other", "--write-text", "other/text")
    assert "this is in the dataset" in inside.stderr
