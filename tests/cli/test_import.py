from pathlib import Path

import numpy as np
import pytest

from rnnlm.storage.checkpoint import CONFIG, MODEL
from rnnlm.storage.finding import resolve_checkpoint
from rnnlm.text.vocabulary import VOCABULARY_FILE

from .conftest import Command, write_config


@pytest.fixture
def checkpoint(char_run: Path) -> Path:
    return resolve_checkpoint(char_run)


def test_all_commands_take_what_was_imported(rnnlm: Command, checkpoint: Path, char_dataset: Path) -> None:
    source = ["--config", checkpoint / CONFIG, "--data", char_dataset, "--out", "runs/imported"]
    assert rnnlm("import", checkpoint / MODEL, *source) == (0, "", "Saved in runs/imported\n")
    for arguments in (["generate", "--seed", 1], ["evaluate"]):
        there, here = (rnnlm(*arguments, "--model", model, "--quiet") for model in (checkpoint, "runs/imported"))
        assert here == there
        assert here.exit_code == 0
    assert rnnlm("info", "runs/imported", "--json").json["step"] == 0
    limits = ["--set", "training.epochs=1", "--set", "training.max_steps=3"]
    assert rnnlm("train", *source, *limits, "--resume", "--json", "--quiet").json["steps"] == 3


@pytest.mark.parametrize("source", ["a file", "a checkpoint", "a run"])
def test_a_vocabulary_is_enough_to_write(rnnlm: Command, char_run: Path, checkpoint: Path, source: str) -> None:
    path = {"a file": checkpoint / VOCABULARY_FILE, "a checkpoint": checkpoint, "a run": char_run}[source]
    outcome = rnnlm("import", checkpoint / MODEL, "--config", checkpoint / CONFIG, "--vocab", path, "--json")
    assert outcome.json == {"run": "runs/config"}
    assert outcome.stderr == "Run directory: runs/config\n"
    there, here = (
        rnnlm("generate", "--seed", 1, "--quiet", "--model", model) for model in (checkpoint, "runs/config")
    )
    assert here == there


def test_weights_that_do_not_fit_are_refused_in_a_sentence(rnnlm: Command, checkpoint: Path) -> None:
    source = ["--config", checkpoint / CONFIG, "--vocab", checkpoint, "--set", "model.num_layers=1"]
    outcome = rnnlm("import", checkpoint / MODEL, *source, "--out", "run")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"rnnlm: {checkpoint / MODEL}: does not fit the configuration's network: ")
    assert "rnn.weight_hh_l1 (16, 16) has no place" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert not Path("run").exists()


def test_dataset_and_vocabulary_are_not_both_given(rnnlm: Command, checkpoint: Path) -> None:
    outcome = rnnlm("import", "m.pt", "--config", checkpoint / CONFIG, "--data", "d", "--vocab", "v")
    assert outcome.exit_code == 2
    assert "Give --data or --vocab, not both." in outcome.stderr


@pytest.fixture
def published() -> tuple[str, str]:
    """The files of a network as the tutorial saves it, and of its words."""
    words = ["the", "cat", "SENTENCE_END", "SENTENCE_START", "UNKNOWN_TOKEN"]
    Path("words.txt").write_text("\n".join(words) + "\n")
    rng = np.random.default_rng(0)
    np.savez("published.npz", U=rng.normal(size=(4, 5)), V=rng.normal(size=(5, 4)), W=rng.normal(size=(4, 4)))
    return "published.npz", "words.txt"


def test_a_published_network_needs_no_configuration(rnnlm: Command, published: tuple[str, str]) -> None:
    weights, words = published
    outcome = rnnlm("import", weights, "--vocab", words)
    assert outcome == (
        0,
        "",
        "published.npz: the published tutorial's network: 4 tanh units, 5 words\nSaved in runs/published\n",
    )
    assert rnnlm("generate", "--model", "runs/published", "--num-samples", 1, "--seed", 1).exit_code == 0
    assert rnnlm("import", weights, "--vocab", words, "--out", "b", "--json").json == {"run": "b"}
    other = rnnlm("import", weights, "--vocab", words, "--out", "c", "--set", "model.hidden_size=7")
    assert other.exit_code == 1
    assert "model.hidden_size is 4 in these weights, not 7" in other.stderr
    assert not Path("c").exists()


def test_without_a_list_of_words_their_order_is_not_taken_in_silence(
    rnnlm: Command, published: tuple[str, str]
) -> None:
    weights, _ = published
    Path("few.txt").write_text("The cat\n" * 200)
    Path("more.txt").write_text("The cat sat\n" * 200)
    for text in ("few", "more"):
        rnnlm("preprocess", f"{text}.txt", "--out", text)
    outcome = rnnlm("import", weights, "--data", "few")
    kind = "published.npz: the published tutorial's network: 4 tanh units, 5 words"
    said = f"{kind}, taken for those of the vocabulary, in the order of its ids\n"
    assert outcome == (0, "", f"{said}Saved in runs/published\n")
    for source in (["--data", "more"], ["--vocab", "more"]):
        outcome = rnnlm("import", weights, *source, "--out", "run")
        assert outcome.exit_code == 1
        assert "5 words, not the 6 of the vocabulary given; give --vocab WORDS" in outcome.stderr
        assert not Path("run").exists()


def test_a_list_of_words_that_is_not_there_is_named(rnnlm: Command, published: tuple[str, str]) -> None:
    outcome = rnnlm("import", published[0], "--vocab", "wrds.txt")
    message = "rnnlm: wrds.txt: there is no such vocabulary; name its file, a dataset, a run or a checkpoint.\n"
    assert outcome == (1, "", message)


def test_a_dataset_with_its_vocabulary_lets_it_be_trained(rnnlm: Command, published: tuple[str, str]) -> None:
    weights, words = published
    assert rnnlm("import", weights, "--vocab", words).exit_code == 0
    Path("text.txt").write_text("The cat\nthe the cat\n" * 200)
    rnnlm("preprocess", "text.txt", "--vocab", "runs/published", "--out", "data")
    config = write_config("c.yaml", data={"path": "data"}, training={"max_steps": 3})
    outcome = rnnlm("train", "--config", config, "--init-from", "runs/published", "--out", "run", "--json")
    assert outcome.json["steps"] == 3
