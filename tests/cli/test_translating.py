import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from rnnlm.storage.finding import resolve_checkpoint
from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE

from .conftest import Command, write_config

WORDS = {"eins": "one", "zwei": "two", "drei": "three"}


@pytest.fixture
def pairs() -> Path:
    """A file of pairs."""
    sources = [[first, second] for first in WORDS for second in WORDS] * 4
    lines = [f"{' '.join(words)}\t{' '.join(WORDS[word] for word in words)}\n" for words in sources]
    Path("pairs.tsv").write_text("".join(lines))
    return Path("pairs.tsv")


def test_from_pairs_to_a_translation(rnnlm: Command, pairs: Path) -> None:
    assert rnnlm("preprocess", pairs, "--format", "pairs").exit_code == 0
    write_config(
        "c.yaml",
        task={"name": "translate"},
        data={"path": "data/pairs"},
        model={"cell": "gru", "embedding_size": 4, "hidden_size": 6},
        training={"epochs": 2, "batch_size": 4},
    )
    trained = rnnlm("train", "--config", "c.yaml")
    assert trained.stdout.startswith("best validation perplexity ")
    assert "Data: data/pairs, 6 tokens of the source, 6 of the target, " in trained.stderr
    assert ", perplexity " in trained.stderr
    assert " -> " in trained.stderr
    evaluated = rnnlm("evaluate", "--model", "runs/c", "--json").json
    assert set(evaluated) == {"perplexity", "bleu", "examples", "cross_entropy", "tokens"}
    assert rnnlm("evaluate", "--model", "runs/c").stdout.startswith("perplexity ")
    described = rnnlm("info", "runs/c", "--json").json
    assert (described["vocabulary_size"], described["source_vocabulary_size"]) == (6, 6)
    assert described["task"] == "translate"
    report = rnnlm("report", "runs/c", "-o", "report.html")
    assert report.exit_code == 0
    page = Path("report.html").read_text()
    for text in ("Vocabulary of the sources", "nats per token", "<figcaption>Perplexity", "Examples"):
        assert text in page


def test_text_is_measured_with_what_it_translates(rnnlm: Command, translator_run: Path, pairs: Path) -> None:
    arguments = ["evaluate", "--model", translator_run, "--quiet"]
    of_text = rnnlm(*arguments, "--text", pairs, "--format", "pairs", "--json").json
    assert of_text["examples"] == 36
    parts = ["--valid-fraction", 0, "--test-fraction", 1]
    made = rnnlm("preprocess", pairs, "--format", "pairs", "--vocab", translator_run, *parts, "--out", "same")
    assert made.exit_code == 0
    assert rnnlm(*arguments, "--data", "same", "--json").json == of_text
    lone = rnnlm(*arguments, "--text", pairs)
    assert lone.stderr == "rnnlm: pairs.tsv: the model translates; give a text of pairs, with --format pairs.\n"
    assert rnnlm("preprocess", pairs, "--format", "pairs", "--out", "other").exit_code == 0
    other = rnnlm(*arguments, "--data", "other")
    assert (
        other.exit_code,
        "other: its vocabulary is not the model's; preprocess with --vocab" in other.stderr,
    ) == (
        1,
        True,
    )


def test_other_sources_are_refused(rnnlm: Command, translator_run: Path, pair_dataset: Path) -> None:
    """A dataset whose targets are the model's, but not its sources."""
    text = (pair_dataset.parent / "text.tsv").read_text().replace("eins", "uno")
    Path("other.tsv").write_text(text)
    parts = ["--valid-fraction", 0.2, "--test-fraction", 0.2]
    assert rnnlm("preprocess", "other.tsv", "--format", "pairs", *parts, "--out", "other").exit_code == 0
    outcome = rnnlm("evaluate", "--model", translator_run, "--data", "other", "--quiet")
    assert outcome.exit_code == 1
    assert "other: the vocabulary of its sources is not the model's; preprocess with --vocab" in outcome.stderr


def test_without_sacrebleu_the_perplexity_is_left(
    rnnlm: Command, translator_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "sacrebleu" else found(name))
    outcome = rnnlm("evaluate", "--model", translator_run)
    assert "BLEU is left out, as it needs the package sacrebleu; run: pip install sacrebleu.\n" in outcome.stderr
    assert outcome.stdout.startswith("perplexity ")
    assert "BLEU" not in outcome.stdout
    assert rnnlm("evaluate", "--model", translator_run, "--json").json["bleu"] is None


def test_each_line_is_translated(rnnlm: Command, translator_run: Path) -> None:
    Path("in.txt").write_text("eins\n\nunbekannt zwei\n")
    lines = rnnlm("predict", "in.txt", "--model", translator_run).stdout.split("\n")
    assert len(lines) == 4
    assert lines[1] == lines[3] == ""
    assert lines[0]
    assert rnnlm("predict", "-", "--model", translator_run, stdin="eins\n").stdout == f"{lines[0]}\n"
    of_text = rnnlm("predict", "--text", "eins", "--model", translator_run, "--jsonl", "--beam-width", 2).json
    assert set(of_text) == {"text", "tokens", "log_prob"}
    empty = rnnlm("predict", "--text", "", "--model", translator_run, "--jsonl").json
    assert empty == {"text": "", "tokens": [], "log_prob": None}


def test_a_page_shows_where_it_looks(
    rnnlm: Command, translator_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnlm.cli.predict.MOST_ALIGNED", 2)
    Path("in.txt").write_text("eins <b>zwei</b>\n\ndrei\nvier\n")
    arguments = ["predict", "in.txt", "--model", translator_run, "--jsonl"]
    outcome = rnnlm(*arguments, "--attention", "page.html")
    assert (outcome.exit_code, len(outcome.stdout.splitlines())) == (0, 4)
    assert "Wrote page.html.\n" in outcome.stderr
    page = Path("page.html").read_text()
    assert page.count("<svg") == 1  # of the first two lines, one is empty
    assert "<b>" not in page
    # Lines are translated one by one up to the limit, and then side by side, as without a page.
    plain = [json.loads(line) for line in rnnlm(*arguments).stdout.splitlines()]
    aligned = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [each["tokens"] for each in aligned] == [each["tokens"] for each in plain]
    assert aligned[3]["log_prob"] == pytest.approx(plain[3]["log_prob"], rel=1e-4)


def test_only_attention_is_shown(rnnlm: Command, pair_dataset: Path) -> None:
    write_config("c.yaml", task={"name": "translate"}, model={"hidden_size": 3}, training={"max_steps": 1})
    assert rnnlm("train", "--config", "c.yaml", "--data", pair_dataset, "--quiet").exit_code == 0
    outcome = rnnlm("predict", "--text", "eins", "--model", "runs/c", "--attention", "page.html")
    assert outcome == (1, "", "rnnlm: The model has no attention; train one with task.attention=additive.\n")
    assert not Path("page.html").exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["predict", "--text", "eins", "--beam-width", "0"], 2, "0 is not in the range x>=1"),
        (
            ["predict", "--text", "eins", "--beam-width", "1001"],
            1,
            "--beam-width 1001: give a whole number from 1 to",
        ),
        (
            ["predict", "--text", "eins", "--steps", "3"],
            2,
            "--steps is for a forecaster, and this is a translator",
        ),
        (["predict"], 2, "Give either a file or --text TEXT."),
        (["evaluate", "--dynamic", "0.1"], 2, "--dynamic is for language models, and this is a translator"),
        (["generate"], 1, "its task is translate, so it is not a language model"),
        (["score", "in.txt"], 1, "its task is translate, so it is not a language model"),
        (["diagnose"], 1, "its task is translate, so it is not a language model"),
        (["neighbors", "eins"], 1, "'eins' is not in the vocabulary"),
    ],
)
def test_what_a_translator_does_not_do_is_said_in_a_sentence(
    rnnlm: Command, translator_run: Path, arguments: list[str], exit_code: int, message: str
) -> None:
    Path("in.txt").write_text("eins\n")
    outcome = rnnlm(*arguments, "--model", translator_run)
    assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_words_that_it_writes_have_neighbors(rnnlm: Command, translator_run: Path) -> None:
    outcome = rnnlm("neighbors", "one", "--model", translator_run, "--json")
    assert {each["word"] for each in outcome.json["neighbors"]} == {"two", "three", "four", "six"}


def test_a_dataset_without_pairs_is_refused(rnnlm: Command, word_dataset: Path) -> None:
    write_config("c.yaml", task={"name": "translate"})
    outcome = rnnlm("train", "--config", "c.yaml", "--data", word_dataset, "--out", "run")
    assert outcome.exit_code == 1
    assert "its texts have no sources to translate; preprocess pairs with --format pairs.\n" in outcome.stderr
    assert not Path("run").exists()


def test_an_empty_part_is_not_measured(rnnlm: Command, translator_run: Path, pairs: Path) -> None:
    parts = ["--valid-fraction", 0, "--test-fraction", 0]
    made = rnnlm("preprocess", pairs, "--format", "pairs", "--vocab", translator_run, *parts, "--out", "all")
    assert made.exit_code == 0
    outcome = rnnlm("evaluate", "--model", translator_run, "--data", "all", "--quiet")
    message = "rnnlm: The test split of the dataset is empty; choose another with --split.\n"
    assert outcome == (1, "", message)


def test_a_damaged_vocabulary_of_sources_is_named(rnnlm: Command, translator_run: Path, tmp_path: Path) -> None:
    checkpoint = shutil.copytree(resolve_checkpoint(translator_run), tmp_path / "checkpoint")
    (checkpoint / SOURCE_VOCABULARY_FILE).write_text("[]")
    outcome = rnnlm("predict", "--text", "eins", "--model", checkpoint)
    assert outcome.exit_code == 1
    assert f"{SOURCE_VOCABULARY_FILE}: damaged, not what manifest.json says was saved" in outcome.stderr
