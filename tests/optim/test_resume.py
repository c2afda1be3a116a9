"""Runs under every optimizer and schedule; stopped and resumed they end with the same bits."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.models.language_model import LanguageModel
from rnnlm.optim import ASGD, OPTIMIZERS, SCHEDULES
from rnnlm.storage.checkpoint import MODEL, load_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.processor import TextSettings
from rnnlm.training.begin import begin_run
from rnnlm.training.loop import Trainer
from tests.training.runs import run_and_stop

CASES: list[dict[str, dict[str, Any]]] = [
    *({"optimizer": {"name": name, "weight_decay": 0.01}} for name in OPTIMIZERS if name != "asgd"),
    {"optimizer": {"momentum": 0.9}},
    {"optimizer": {"momentum": 0.9, "nesterov": True, "clip_value": 0.1}},
    *({"schedule": {"name": name}} for name in SCHEDULES if name not in ("cosine", "step")),
    {"schedule": {"name": "cosine", "warmup": 0.5}},
    {"schedule": {"name": "step", "first_epochs": 1, "factor": 0.3}},
]
AVERAGED: dict[str, dict[str, Any]] = {
    # Steps so long that the loss soon rises, and an evaluation after each.
    "optimizer": {"name": "asgd", "learning_rate": 3.0},
    "schedule": {"name": "constant"},
    "training": {"evaluate_every": 1},
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Forty short sentences in which every word but the first follows from the one before."""
    directory = tmp_path_factory.mktemp("data")
    words = "abcdefgh" * 2
    lines = [" ".join(words[k % 8 : k % 8 + 2 + k % 5]) for k in range(40)]
    (directory / "text.txt").write_text("\n".join(lines))
    build_dataset(
        [str(directory / "text.txt")],
        directory / "dataset",
        text=TextSettings(tokenizer="whitespace", lowercase=False),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0),
    )
    return Dataset.open(directory / "dataset")


def make_trainer(dataset: Dataset, path: Path, sections: dict[str, dict[str, Any]]) -> Trainer:
    values: dict[str, dict[str, Any]] = {
        "data": {"path": str(dataset.path)},
        "model": {"hidden_size": 4},
        "training": {"batch_size": 4, "epochs": 2, "sample_tokens": 5, **sections.get("training", {})},
        "optimizer": {"learning_rate": 0.05, **sections.get("optimizer", {})},
        "schedule": sections.get("schedule", {}),
    }
    return begin_run(Config.model_validate(values), path, resume=RunDirectory(path).exists, quiet=True)


def outcome(trainer: Trainer) -> tuple[bytes, bytes, dict[str, bytes], list[dict[str, Any]], str]:
    """Return the best and the last model, the rest of the last checkpoint, the losses and the samples."""
    run = trainer.run_directory
    state = load_checkpoint(run.checkpoints.find("last")).state_tensors
    timings = ("seconds", "tokens_per_second")
    metrics = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    return (
        (run.checkpoints.find("best") / MODEL).read_bytes(),
        (run.checkpoints.find("last") / MODEL).read_bytes(),
        {name: value.tobytes() for name, value in state.items()},
        [{key: value for key, value in line.items() if key not in timings} for line in metrics],
        (run.path / "samples.jsonl").read_text(),
    )


@pytest.mark.parametrize("sections", CASES)
def test_a_resumed_run_ends_like_one_never_stopped(
    dataset: Dataset, tmp_path: Path, sections: dict[str, dict[str, Any]]
) -> None:
    whole = make_trainer(dataset, tmp_path / "whole", sections)
    whole.run()
    run_and_stop(make_trainer(dataset, tmp_path / "stopped", sections), 11)
    resumed = make_trainer(dataset, tmp_path / "stopped", sections)
    resumed.run()
    assert outcome(resumed) == outcome(whole)


def averaging_since(trainer: Trainer) -> float:
    assert isinstance(trainer.optimizer, ASGD)
    return trainer.optimizer.trigger


def test_a_resumed_run_averages_like_one_never_stopped(dataset: Dataset, tmp_path: Path) -> None:
    whole = make_trainer(dataset, tmp_path / "whole", AVERAGED)
    whole.run()
    trigger = averaging_since(whole)
    assert 6 < trigger < whole.progress.step - 2
    # The evaluation after the step is broken off by the stop, and made up for by the resumed run.
    for stop_after in (3, int(trigger), int(trigger) + 2):
        path = tmp_path / str(stop_after)
        stopped = make_trainer(dataset, path, AVERAGED)
        run_and_stop(stopped, stop_after)
        assert averaging_since(stopped) == (trigger if stop_after > trigger else math.inf)
        resumed = make_trainer(dataset, path, AVERAGED)
        for name, value in stopped.model.network.parameters.items():
            np.testing.assert_array_equal(resumed.model.network.parameters[name], value)
        resumed.run()
        assert outcome(resumed) == outcome(whole)


def test_the_averaged_weights_are_evaluated_and_saved(dataset: Dataset, tmp_path: Path) -> None:
    trainer = make_trainer(dataset, tmp_path / "run", AVERAGED)
    path: list[dict[str, np.ndarray]] = []
    weights = trainer.model.network.parameters
    trainer.after_step = lambda: path.append({name: value.copy() for name, value in weights.items()})
    trainer.run()
    first = int(averaging_since(trainer)) - 1
    saved = safetensors.numpy.load_file(trainer.run_directory.checkpoints.find("last") / MODEL)
    for name, value in saved.items():
        mean = np.mean([then[name] for then in path[first:]], axis=0, dtype=np.float64)
        np.testing.assert_allclose(value, mean, rtol=1e-4, atol=1e-5)
        assert not np.array_equal(value, weights[name])
    for which, loss in (("best", trainer.progress.best_loss), ("last", trainer.progress.last_loss)):
        model = LanguageModel.restore(trainer.run_directory.checkpoints.load(which))
        assert model.evaluate(dataset.valid).cross_entropy == loss


def test_a_run_clips_by_value(dataset: Dataset, tmp_path: Path) -> None:
    sections = {"training": {"max_steps": 1}, "optimizer": {"learning_rate": 1.0, "clip_value": 1e-3}}
    trainer = make_trainer(dataset, tmp_path / "run", sections)
    before = {name: value.copy() for name, value in trainer.model.network.parameters.items()}
    trainer.run()
    changes = [np.abs(value - before[name]).max() for name, value in trainer.model.network.parameters.items()]
    assert max(changes) == pytest.approx(1e-3, rel=1e-3)


def test_a_run_lowers_the_rate_by_its_epochs(dataset: Dataset, tmp_path: Path) -> None:
    sections = {"training": {"log_every": 1}, "schedule": {"name": "step", "first_epochs": 1, "factor": 0.5}}
    trainer = make_trainer(dataset, tmp_path / "run", sections)
    trainer.run()
    lines = outcome(trainer)[3]
    rates = [line["learning_rate"] for line in lines if line["split"] == "train"]
    assert rates == [0.05] * 8 + [0.025] * 8
