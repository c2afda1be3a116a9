"""Numbers at the edge: finite results, or one sentence."""

import json
import math
import os
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.storage.checkpoint import load_checkpoint, save_checkpoint
from rnnlm.storage.run_directory import RunDirectory

from .conftest import Command, Outcome, write_config


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


SMALL = {"hidden_size": 6}
BRIEF = {"max_steps": 6, "log_every": 1, "sample_tokens": 3}


def preprocess(rnnlm: Command, text: str, *options: object) -> None:
    Path("text.txt").write_text(text)
    outcome = rnnlm("preprocess", "text.txt", "--out", "data", "--tokenizer", "whitespace", "--quiet", *options)
    assert outcome.exit_code == 0, outcome.stderr


def train(rnnlm: Command, *settings: str, **sections: dict[str, object]) -> Outcome:
    sections = {"model": SMALL, "training": BRIEF, **sections}
    config = write_config("small.yaml", data={"path": "data"}, **sections)
    return rnnlm("train", "--config", config, "--out", "run", "--quiet", *(f"--set={s}" for s in settings))


def check_finite(rnnlm: Command) -> None:
    """See that all that the run wrote, and all that its model says, are finite numbers."""

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    texts = [*Path("run/metrics.jsonl").read_text().splitlines()]
    texts += [
        rnnlm(*command, "--json").stdout for command in (("evaluate", "--model", "run", "--text", "text.txt"),)
    ]
    texts += [
        rnnlm("generate", "--model", "run", "--seed", 1, "--json").stdout,
        rnnlm("info", "run", "--json").stdout,
    ]
    for text in texts:
        assert json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    ("cell", "optimizer"),
    [("rnn", "sgd"), ("gru", "sgd"), ("lstm", "sgd"), ("rnn", "adagrad"), ("gru", "rmsprop"), ("lstm", "adam")],
)
def test_a_learning_rate_of_1000(rnnlm: Command, cell: str, optimizer: str):
    preprocess(rnnlm, "a b c d\nb c d\nc d e f\n" * 10)
    outcome = train(rnnlm, model={**SMALL, "cell": cell}, optimizer={"name": optimizer, "learning_rate": 1000.0})
    if outcome.exit_code == 0:
        check_finite(rnnlm)
    else:
        assert outcome.exit_code == 1
        assert "is not a finite number after step" in outcome.stderr
        assert "try a smaller optimizer.learning_rate" in outcome.stderr
        assert len(outcome.stderr.splitlines()) == 1
        assert rnnlm("info", RunDirectory("run").checkpoints.find("last")).exit_code == 0


@pytest.mark.parametrize("setting", ["model.recurrent_scale=1e39", "optimizer.learning_rate=1e39"])
def test_more_than_a_float32_holds(rnnlm: Command, setting: str):
    preprocess(rnnlm, "a b c d\nb c d\nc d e f\n" * 10)
    outcome = train(rnnlm, setting, model={**SMALL, "nonlinearity": "relu"})
    assert outcome.exit_code == 1
    assert "is not a finite number after step" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_model_that_overflows_says_so(rnnlm: Command):
    preprocess(rnnlm, "a b c d\nb c d\nc d e f\n" * 10)
    train(rnnlm, model={**SMALL, "nonlinearity": "relu"})
    checkpoint = load_checkpoint(RunDirectory("run").checkpoints.find("best"))
    for weights in checkpoint.tensors.values():
        weights *= 1e15
    save_checkpoint(Path("large"), checkpoint)
    for command in (["generate"], ["evaluate"], ["evaluate", "--text", "text.txt", "--json"]):
        outcome = rnnlm(*command, "--model", "large", "--quiet")
        assert (outcome.exit_code, outcome.stdout) == (1, "")
        assert outcome.stderr.startswith("rnnlm: The model's weights are so large that")
        assert len(outcome.stderr.splitlines()) == 1
    model = LanguageModel.load("large")
    for act in (
        lambda: model.score("a b c"),
        lambda: model.log_probs([1, 3, 4]),
        lambda: model.perplexity(["a b"]),
    ):
        with pytest.raises(RnnlmError, match="so large"):
            act()


@pytest.mark.parametrize("batching", ["sentences", "stream"])
def test_batches_and_windows_larger_than_the_corpus(rnnlm: Command, batching: str):
    preprocess(rnnlm, "a b\nc\nd e f\na\n" * 3)
    training = {**BRIEF, "batching": batching, "batch_size": 1000, "bptt_steps": 1000}
    assert train(rnnlm, training=training).exit_code == 0
    check_finite(rnnlm)


@pytest.mark.parametrize("batching", ["sentences", "stream"])
@pytest.mark.parametrize("text", ["a\n" * 30, "word\n", "a b\n"])
def test_sentences_of_one_token_and_corpora_of_one_sentence(rnnlm: Command, text: str, batching: str):
    preprocess(rnnlm, text, "--valid-fraction", 0, "--test-fraction", 0)
    assert train(rnnlm, training={**BRIEF, "batching": batching, "batch_size": 3}).exit_code == 0
    check_finite(rnnlm)


@pytest.mark.parametrize("optimizer", ["sgd", "asgd", "adagrad", "rmsprop", "adam", "adamw"])
def test_words_that_the_training_text_lacks(rnnlm: Command, optimizer: str):
    preprocess(rnnlm, "a b c d e f g h i j\n" * 10)
    Path("data").rename("large")
    preprocess(rnnlm, "a b\nb a\n" * 10, "--vocab", "large")
    outcome = train(rnnlm, "model.embedding_size=5", "optimizer.learning_rate=0.1", optimizer={"name": optimizer})
    assert outcome.exit_code == 0
    check_finite(rnnlm)
    score = rnnlm("evaluate", "--model", "run", "--text", "text.txt", "--json").json
    assert math.isfinite(score["cross_entropy"])


@pytest.mark.parametrize(
    "setting",
    [
        "optimizer.learning_rate=.inf",
        "optimizer.clip_norm=.nan",
        "training.epochs=1e400",
        f"training.epochs={10**400}",
        f"training.max_steps={10**30}",
        f"model.hidden_size={10**12}",
        f"training.batch_size={10**9}",
        f"training.bptt_steps={10**18}",
        f"training.threads={2**32 + 1}",
    ],
)
def test_numbers_that_nothing_can_be_done_with(rnnlm: Command, setting: str):
    preprocess(rnnlm, "a b\nb a\n" * 10)
    outcome = train(rnnlm, setting)
    assert outcome.exit_code == 1
    assert f"{setting.partition('=')[0]}: must be" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert not Path("run").exists()
