import math
import shutil
from pathlib import Path

import pytest

import rnnlm as package
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.evaluation.interpolation import Interpolation
from rnnlm.evaluation.ngram import NgramModel
from rnnlm.text.vocabulary import Vocabulary

from ..evaluation.test_interpolation import write_bigrams
from .conftest import Command

KEYS = {
    "vocabulary_size",
    "cross_entropy",
    "perplexity",
    "bits_per_token",
    "bits_per_character",
    "tokens",
    "unknown_tokens",
    "perplexity_without_unknown",
}
LINES = ["The cat sees the owl by the river.", "A zebra!", "The hen likes Bob at night."]


@pytest.fixture
def text() -> str:
    Path("text.txt").write_text("\n".join(LINES) + "\n")
    return "text.txt"


def test_json_has_every_measure_and_they_agree(rnnlm: Command, word_run: Path, text: str):
    outcome = rnnlm("evaluate", "--model", word_run, "--text", text, "--json", "--quiet")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    result = outcome.json
    assert set(result) == KEYS
    lm = package.load(word_run)
    scored = [pair for line in LINES for pair in lm.score(line).tokens]
    mean = sum(log_prob for _, log_prob in scored) / len(scored)
    assert result["vocabulary_size"] == len(lm.vocabulary)
    assert result["tokens"] == len(scored) == 10 + 4 + 8
    assert result["cross_entropy"] == pytest.approx(-mean, rel=1e-5)
    assert result["perplexity"] == pytest.approx(math.exp(result["cross_entropy"]))
    assert result["bits_per_token"] == pytest.approx(result["cross_entropy"] / math.log(2))
    bits = result["bits_per_token"] * result["tokens"]
    assert result["bits_per_character"] == pytest.approx(bits / sum(len(line) + 1 for line in LINES))
    known = [log_prob for token, log_prob in scored if token in lm.vocabulary]
    assert result["unknown_tokens"] == len(scored) - len(known) == 4
    without = math.exp(-sum(known) / len(known))
    assert result["perplexity_without_unknown"] == pytest.approx(without, rel=1e-5)


@pytest.mark.parametrize("level", ["word", "char"])
def test_a_dataset_and_the_text_it_was_made_of_agree(
    rnnlm: Command, level: str, text: str, request: pytest.FixtureRequest
):
    run = request.getfixturevalue(f"{level}_run")
    by_document = ["--documents", "line" if level == "word" else "file"]
    made = rnnlm(
        *["preprocess", text, "--out", "data", "--vocab", run, *by_document],
        *["--valid-fraction", 0, "--test-fraction", 1],
    )
    assert made.exit_code == 0
    of_data = rnnlm("evaluate", "--model", run, "--data", "data", "--json").json
    of_text = rnnlm("evaluate", "--model", run, "--text", text, "--json").json
    assert of_data == of_text


def test_the_split_is_the_one_asked_for(rnnlm: Command, word_run: Path, word_dataset: Path):
    data = Dataset.open(word_dataset)
    lm = package.load(word_run)
    seen = set()
    for name in ("train", "valid", "test"):
        outcome = rnnlm("evaluate", "--model", word_run, "--data", word_dataset, "--split", name, "--json")
        assert f"Dataset: {word_dataset}, {name} split\n" in outcome.stderr
        assert outcome.json["tokens"] == data.split(name).num_tokens
        assert outcome.json["cross_entropy"] == lm.evaluate(data.split(name)).cross_entropy
        seen.add(outcome.json["cross_entropy"])
    assert len(seen) == 3
    # Without --data it is the dataset of the training, without --split the test.
    assert rnnlm("evaluate", "--model", word_run, "--json").json == outcome.json


def test_the_table_shows_the_same_numbers(rnnlm: Command, word_run: Path, text: str):
    result = rnnlm("evaluate", "--model", word_run, "--text", text, "--json").json
    outcome = rnnlm("evaluate", "--model", word_run, "--text", text)
    assert outcome.stdout == (
        f"perplexity          {result['perplexity']:.2f}"
        f" (without unknown tokens {result['perplexity_without_unknown']:.2f})\n"
        f"cross-entropy       {result['cross_entropy']:.4f} nats, {result['bits_per_token']:.4f} bits a token\n"
        f"bits per character  {result['bits_per_character']:.4f}\n"
        "tokens              22, of which 4 (18.2%) unknown\n"
    )


def test_a_table_is_quiet_when_asked(rnnlm: Command, word_run: Path):
    shutil.copytree(word_run, "runs/a")
    assert "Model: runs/a (the newest run)\n" in rnnlm("evaluate").stderr
    quiet = rnnlm("evaluate", "--quiet")
    assert quiet.stderr == ""
    assert quiet.stdout.startswith("perplexity ")


def test_another_vocabulary_is_refused(rnnlm: Command, word_run: Path, word_dataset: Path, char_dataset: Path):
    outcome = rnnlm("evaluate", "--model", word_run, "--data", char_dataset, "--quiet")
    message = (
        f"rnnlm: {char_dataset}: its vocabulary is not the model's; preprocess with --vocab, or use --text.\n"
    )
    assert outcome == (1, "", message)
    # The same words in another order are another vocabulary.
    known = Vocabulary.load(word_dataset)
    known.tokens[3:5] = reversed(known.tokens[3:5])
    text = str(word_dataset.parent / "text.txt")
    build_dataset([text], "swapped", vocabulary=Vocabulary(known.tokens, known.counts, known.settings))
    assert rnnlm("evaluate", "--model", word_run, "--data", "swapped").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--data", "none"], 1, "rnnlm: none: no such directory"),
        (["--text", "none.txt"], 1, "rnnlm: none.txt: "),
        (["--text", "empty.txt"], 1, "rnnlm: empty.txt: there is no text in it"),
        (["--data", "a", "--text", "b"], 2, "Error: Give --data or --text, not both."),
        (
            ["--split", "valid", "--text", "empty.txt"],
            2,
            "Error: --split is for a dataset; leave it out with --text.",
        ),
    ],
)
def test_what_is_wrong_is_said(rnnlm: Command, word_run: Path, arguments: list[str], exit_code: int, message: str):
    Path("empty.txt").touch()
    outcome = rnnlm("evaluate", "--model", word_run, "--quiet", *arguments)
    assert outcome.exit_code == exit_code
    assert outcome.stdout == ""
    assert outcome.stderr.splitlines()[-1].startswith(message)


def test_an_empty_split_is_named(rnnlm: Command, word_run: Path, text: str):
    division = DivisionSettings(valid_fraction=0, test_fraction=0)
    build_dataset([text], "data", vocabulary=package.load(word_run).vocabulary, division=division)
    outcome = rnnlm("evaluate", "--model", word_run, "--data", "data", "--quiet")
    assert outcome.exit_code == 1
    assert "The test split of the dataset is empty; choose another with --split." in outcome.stderr


def test_a_mixture_is_fitted_on_the_validation_split(rnnlm: Command, word_run: Path, word_dataset: Path):
    lm = package.load(word_run)
    path = write_bigrams(Path("a.arpa"), lm)
    ngrams = NgramModel.load(path, lm.vocabulary)
    data = Dataset.open(word_dataset)
    weight = lm.scorer.fit_weight(ngrams, data.valid)
    outcome = rnnlm("evaluate", "--model", word_run, "--interpolate", path, "--json")
    assert f"Weight of the network: {weight:.4f}, fitted on {word_dataset}, valid split\n" in outcome.stderr
    assert outcome.json["weight"] == weight
    mixed = lm.evaluate(data.test, interpolation=Interpolation(ngrams, weight))
    assert outcome.json["cross_entropy"] == pytest.approx(mixed.cross_entropy)
    given = rnnlm("evaluate", "--model", word_run, "--interpolate", path, "--weight", weight, "--json", "--quiet")
    assert given == (0, outcome.stdout, "")


def test_dynamic_evaluation_leaves_the_saved_model(rnnlm: Command, word_run: Path, word_dataset: Path):
    files = {file: file.read_bytes() for file in word_run.rglob("*") if file.is_file()}
    outcome = rnnlm("evaluate", "--model", word_run, "--dynamic", 0.05, "--json")
    assert {file: file.read_bytes() for file in word_run.rglob("*") if file.is_file()} == files
    learned = package.load(word_run).evaluate(Dataset.open(word_dataset).test, dynamic=0.05)
    assert outcome.json["cross_entropy"] == learned.cross_entropy
    assert learned.cross_entropy != rnnlm("evaluate", "--model", word_run, "--json").json["cross_entropy"]


def test_a_text_is_read_with_the_options_of_preprocess(rnnlm: Command, word_run: Path):
    Path("a.csv").write_text(
        "id;Words\n" + "".join(f"{k};{line.replace(';', ',')}\n" for k, line in enumerate(LINES))
    )
    Path("a.txt").write_text("\n".join(LINES) + "\n")
    evaluated = ["evaluate", "--model", word_run, "--json"]
    of_lines = rnnlm(*evaluated, "--text", "a.txt")
    outcome = rnnlm(*evaluated, "--text", "a.csv", "--text-column", "words")
    assert outcome.json == of_lines.json
    said = "Reading rows separated by ';', text from 'Words': "
    assert said in outcome.stderr
    assert rnnlm(*evaluated, "--text", "a.csv", "--text-column", "words", "--quiet").stderr == ""
    chosen = rnnlm(*evaluated, "--text", "a.csv", "--text-column", "words", "--where", "id=1")
    assert chosen.json["tokens"] < outcome.json["tokens"]
    assert "a.csv: 2 records left out by --where, the first in line 2." in chosen.stderr


def test_what_is_wrong_with_a_text_is_said(rnnlm: Command, word_run: Path):
    Path("a.txt").write_bytes("Le café est fermé, à bientôt.\n".encode("latin-1") * 20)
    outcome = rnnlm("evaluate", "--model", word_run, "--text", "a.txt")
    assert outcome.exit_code == 0
    assert "a.txt: read as Windows-1252 (recognized; --encoding NAME decides)." in outcome.stderr
    with_choice = rnnlm("evaluate", "--model", word_run, "--text", "a.txt", "--encoding", "latin-1")
    assert with_choice.stdout == outcome.stdout
    assert "recognized" not in with_choice.stderr


def test_a_text_in_another_language_is_said_to_be(rnnlm: Command, word_run: Path):
    Path("other.txt").write_text("Ein Hund bellt laut im alten Haus.\n" * 5, encoding="utf-8")
    outcome = rnnlm("evaluate", "--model", word_run, "--text", "other.txt")
    assert "% of the tokens are not in the vocabulary" in outcome.stderr
    assert outcome.exit_code == 0


@pytest.mark.parametrize("command", ["evaluate", "diagnose"])
def test_options_of_reading_need_a_text(rnnlm: Command, word_run: Path, command: str):
    outcome = rnnlm(command, "--model", word_run, "--text-column", "x")
    assert outcome.exit_code == 2
    assert "--text-column says how the text of --text FILE is read; give that too." in outcome.stderr
