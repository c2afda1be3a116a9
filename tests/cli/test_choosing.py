"""``rnnlm config --for`` and ``rnnlm train --config auto``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rnnlm import blas
from rnnlm.choosing import speed
from rnnlm.config import Config
from rnnlm.storage.run_directory import RunDirectory

from .conftest import Command


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every machine the same, without a measurement, and set the threads back afterwards."""
    threads = blas.threads()
    monkeypatch.setattr(speed, "fastest_step", lambda config, seconds: 0.01)
    yield
    blas.set_threads(threads)


@pytest.mark.parametrize("level", ["word", "char"])
def test_what_is_printed_trains_as_it_is(rnnlm: Command, level: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(f"{level}_dataset")
    outcome = rnnlm("config", "--for", data, "--minutes", "1")
    assert outcome.exit_code == 0
    assert "Timing networks of 64, 128, 256 units ...\n" in outcome.stderr
    assert f"Chosen for {data}: " in outcome.stderr
    Path("my.yaml").write_text(outcome.stdout)
    config = Config.load("my.yaml")
    assert (config.data.path, config.training.max_seconds) == (str(data), 60)
    trained = rnnlm("train", "--config", "my.yaml", "--out", "run", "--set", "training.max_steps=3", "--json")
    assert (trained.exit_code, trained.json["steps"]) == (0, 3)


def test_every_value_says_why(rnnlm: Command, word_dataset: Path) -> None:
    lines = rnnlm("config", "--for", word_dataset, "--minutes", "1", "--quiet").stdout.splitlines()
    assert lines[0].startswith(f"# Chosen for {word_dataset}: ")
    for key in ("hidden_size", "dropout", "batching", "epochs", "max_seconds", "learning_rate"):
        [place] = [number for number, line in enumerate(lines) if line.startswith(f"  {key}: ")]
        assert lines[place - 1].startswith("  # "), key


def test_the_same_comes_again(rnnlm: Command, word_dataset: Path) -> None:
    first, second = (rnnlm("config", "--for", word_dataset, "--minutes", "2", "--quiet") for _ in range(2))
    assert first == second


def test_a_budget_may_be_of_epochs_and_a_size_given(rnnlm: Command, word_dataset: Path) -> None:
    chosen = yaml.safe_load(rnnlm("config", "--for", word_dataset, "--epochs", "3", "--hidden-size", "20").stdout)
    assert chosen["training"]["epochs"] == 3
    assert "max_seconds" not in chosen["training"]
    assert (chosen["model"]["hidden_size"], chosen["model"]["embedding_size"]) == (20, 20)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            "tag_dataset",
            "a dataset of tagged tokens, and the rules are for language models; begin with configs/pos",
        ),
        (
            "pair_dataset",
            "a dataset of pairs of texts, and the rules are for language models; begin with configs/tr",
        ),
        (
            "series_dataset",
            "a dataset of a series, and the rules are for language models; begin with configs/airline",
        ),
    ],
)
def test_what_is_not_for_a_language_model_is_refused(
    rnnlm: Command, dataset: str, message: str, request: pytest.FixtureRequest
) -> None:
    data = request.getfixturevalue(dataset)
    outcome = rnnlm("config", "--for", data)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"rnnlm: {data}: {message}")


def test_texts_with_labels_get_a_language_model_that_reads_them(rnnlm: Command, label_dataset: Path) -> None:
    assert "task" not in yaml.safe_load(rnnlm("config", "--for", label_dataset).stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["config", "--minutes", "1"], "Give one of --for, --example and --schema."),
        (["config", "--example", "--minutes", "1"], "--minutes, --epochs and --hidden-size go with --for."),
        (["config", "--for", "data", "--minutes", "1", "--epochs", "1"], "Give --minutes or --epochs, not both."),
        (["train", "--config", "a.yaml", "--minutes", "1"], "--minutes and --epochs go with --config auto;"),
        (["train", "--config", "auto", "--minutes", "1"], "--config auto needs --data"),
    ],
)
def test_options_that_do_not_go_together_are_refused(rnnlm: Command, arguments: list[str], message: str) -> None:
    outcome = rnnlm(*arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert message in outcome.stderr


@pytest.fixture
def automatic(word_dataset: Path) -> list[object]:
    """A training that chooses its configuration and is stopped after three steps."""
    settings = ["--set", "training.max_steps=3", "--set", "model.dropout=0.11"]
    return ["train", "--config", "auto", "--data", word_dataset, "--minutes", "1", *settings]


def test_auto_chooses_and_the_run_keeps_the_reasons(rnnlm: Command, automatic: list[object], word_dataset: Path):
    outcome = rnnlm(*automatic)
    assert outcome.exit_code == 0
    run = Path("runs") / word_dataset.name
    assert f"Run directory: {run}\n" in outcome.stderr
    text = (run / "config.yaml").read_text()
    assert f"# Chosen for {word_dataset}: " in text
    assert "  # As asked for; whichever of the two ends first.\n  max_seconds: 60.0\n" in text
    config = Config.load(run / "config.yaml")
    assert config.model.dropout == 0.11
    place = text.index("  dropout: 0.11\n")
    assert not text[:place].splitlines()[-1].startswith("  # ")  # the reason was for another value
    chosen = yaml.safe_load(rnnlm("config", "--for", word_dataset, "--minutes", "1").stdout)
    assert config.model.hidden_size == chosen["model"]["hidden_size"]


def test_a_run_that_goes_on_does_not_choose_anew(
    rnnlm: Command, automatic: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rnnlm(*automatic, "--out", "run").exit_code == 0
    before = Path("run/config.yaml").read_text()
    monkeypatch.setattr(speed, "fastest_step", None)
    again = rnnlm(*automatic, "--out", "run", "--resume")
    assert again.exit_code == 0
    assert "Changed since then" not in again.stderr
    assert Path("run/config.yaml").read_text() == before
    longer = rnnlm("train", "--config", "auto", *automatic[3:5], "--minutes", "2", "--out", "run", "--resume")
    assert "Changed since then: training.max_seconds from 60.0 to 120.0.\n" in longer.stderr
    missing = rnnlm(*automatic, "--out", "other", "--resume")
    assert (missing.exit_code, missing.stderr.splitlines()[-1][:50]) == (
        1,
        "rnnlm: other: there is no run to resume in it; beg",
    )


def test_from_a_trained_model_comes_the_size(rnnlm: Command, automatic: list[object], word_run: Path) -> None:
    settings = ["--init-from", word_run, "--out", "run"]
    assert rnnlm(*automatic, *settings).exit_code == 0
    assert RunDirectory("run").exists
    assert Config.load("run/config.yaml").model.hidden_size == 12
