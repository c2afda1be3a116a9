"""Several ranks train what one process trains, to rounding."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from rnnlm.report.info import describe
from rnnlm.storage.checkpoint import MODEL, STATE_TENSORS
from rnnlm.storage.run_directory import RunDirectory
from tests import mpi

from .runs import contents

Sections = dict[str, dict[str, Any]]

SMALL: Sections = {
    "training": {"dtype": "float64", "batch_size": 4, "max_steps": 9, "evaluate_every": 4, "log_every": 3},
    "optimizer": {"learning_rate": 0.05},
}

CASES: dict[str, Sections] = {
    "tutorial": {"training": {"batch_size": 1, "bptt_truncate": 2}},
    "sentences": {
        "model": {"cell": "gru", "embedding_size": 5, "hidden_size": 5, "tie_weights": True, "bias": True},
        "training": {"batch_size": 7},
        "optimizer": {"name": "asgd", "clip_norm": 0.5},
    },
    "stream": {
        "model": {"cell": "lstm", "embedding_size": 6, "num_layers": 2, "bias": True, "dropout": 0.3},
        "training": {"batching": "stream", "bptt_steps": 5},
        "optimizer": {"name": "adam", "clip_norm": 1},
    },
    "dropped": {
        "model": {
            "cell": "lstm_peephole",
            "embedding_size": 6,
            "num_layers": 2,
            "residual": True,
            "dropout": 0.3,
            "variational_dropout": True,
            "recurrent_dropout": 0.2,
            "embedding_dropout": 0.2,
            "activation_regularization": 2,
            "temporal_activation_regularization": 1,
        },
        "training": {"batching": "stream", "bptt_steps": 6, "batch_size": 5},
        "optimizer": {"name": "adamw", "weight_decay": 0.1},
    },
    "single precision": {
        "model": {"cell": "lstm", "embedding_size": 5, "hidden_size": 7, "dropout": 0.5},
        "training": {"dtype": "float32", "batch_size": 3},
        "optimizer": {"momentum": 0.9, "nesterov": True},
    },
    "sampled": {
        "model": {"cell": "gru", "embedding_size": 6, "softmax_samples": 4, "bias": True, "dropout": 0.2},
        "training": {"batching": "stream", "bptt_steps": 4},
        "optimizer": {"name": "adagrad"},
    },
    "sampled tied": {
        "model": {"embedding_size": 6, "hidden_size": 6, "tie_weights": True, "softmax_samples": 4},
        "optimizer": {"name": "adam", "clip_value": 0.1},
    },
    "sampled sentences": {"model": {"softmax_samples": 5, "nonlinearity": "relu"}, "training": {"batch_size": 3}},
    "adaptive": {
        "model": {"cell": "lstm_coupled", "embedding_size": 6, "hidden_size": 16, "softmax_cutoffs": [4, 7]},
        "optimizer": {"name": "rmsprop", "learning_rate": 0.01},
    },
    "time delay": {
        "model": {"cell": "time_delay", "width": 3, "num_layers": 2},
        "training": {"batching": "stream", "bptt_steps": 6},
        "schedule": {"name": "cosine", "warmup": 0.3},
    },
    "classify": {
        "task": {"name": "classify", "pooling": "mean"},
        "model": {"cell": "gru", "embedding_size": 5, "bidirectional": True, "dropout": 0.3, "bias": True},
    },
    "classify last": {
        "task": {"name": "classify", "pooling": "last"},
        "model": {"cell": "lstm_no_forget", "embedding_size": 5, "recurrent_dropout": 0.3, "bidirectional": True},
    },
    "tag": {
        "task": {"name": "tag"},
        "model": {"cell": "lstm", "embedding_size": 5, "character_size": 4, "bidirectional": True, "dropout": 0.3},
    },
    "translate": {
        "task": {"name": "translate", "attention": "additive", "reverse_source": True},
        "model": {"cell": "gru", "embedding_size": 5, "bidirectional": True, "dropout": 0.3, "bias": True},
        "optimizer": {"name": "adam"},
    },
    "translate samples": {
        "task": {"name": "translate"},
        "model": {"cell": "lstm", "embedding_size": 5, "softmax_samples": 6},
        "optimizer": {"name": "adagrad"},
    },
    "forecast": {
        "task": {"name": "forecast", "log": True, "differences": [1], "calendar": ["month"]},
        "model": {"cell": "lstm", "num_layers": 2, "dropout": 0.3},
        "training": {"batch_size": 3, "bptt_steps": 8},
    },
    "forecast exactly": {
        "task": {"name": "forecast", "fit": "least_squares"},
        "model": {"cell": "time_delay", "width": 4, "nonlinearity": "linear", "hidden_size": 1, "bias": True},
    },
}
"""Sections of configurations, beside `SMALL`."""


def configuration(sections: Sections, datasets: dict[str, Path], **training: object) -> Sections:
    """Return a configuration with what its sections say beside `SMALL`, and a dataset of its task."""
    values = {name: {**SMALL.get(name, {}), **sections.get(name, {})} for name in SMALL | sections}
    values["model"] = {"hidden_size": 6} | values.get("model", {})
    values["training"] |= training
    task = values.get("task", {}).get("name", "language_model")
    values["data"] = {"path": str(datasets[task])}
    return values


@pytest.fixture(scope="module")
def datasets(
    word_dataset: Path, label_dataset: Path, tag_dataset: Path, pair_dataset: Path, series_dataset: Path
) -> dict[str, Path]:
    return {
        "language_model": word_dataset,
        "classify": label_dataset,
        "tag": tag_dataset,
        "translate": pair_dataset,
        "forecast": series_dataset,
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, datasets: dict[str, Path]) -> Path:
    """Train every case in one process; return the directory of the runs."""
    directory = tmp_path_factory.mktemp("alone")
    mpi.train_all(1, runs(directory, datasets), directory)
    return directory


def runs(
    directory: Path, datasets: dict[str, Path], names: Iterable[str] = CASES, **training: object
) -> list[dict[str, Any]]:
    """Return what `tests.train_runs` reads to train some cases."""
    return [
        {"out": str(directory / name), "config": configuration(CASES[name], datasets, **training)}
        for name in names
    ]


def arrays(run: Path) -> dict[str, np.ndarray]:
    """Return all that the last checkpoint holds."""
    last = RunDirectory(run).checkpoints.find("last")
    files = [safetensors.numpy.load_file(last / name) for name in (MODEL, STATE_TENSORS)]
    return {f"{number} {name}": value for number, file in enumerate(files) for name, value in file.items()}


def measurements(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "split", "tokens_per_second")} for line in lines
    ]


def assert_alike(found: Path, expected: Path, name: str, tolerance: float) -> None:
    """Compare what two runs have saved and logged."""
    ours, theirs = arrays(found), arrays(expected)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        np.testing.assert_allclose(ours[key], value, rtol=tolerance, atol=tolerance, err_msg=f"{name}: {key}")
    for line, other in zip(measurements(found), measurements(expected), strict=True):
        assert line == pytest.approx(other, rel=100 * tolerance), name


@pytest.mark.parametrize("number", [2, 3, 5])
def test_ranks_compute_what_one_process_computes(
    alone: Path, datasets: dict[str, Path], tmp_path: Path, number: int
) -> None:
    mpi.need()
    mpi.train_all(number, runs(tmp_path, datasets), tmp_path)
    for name, sections in CASES.items():
        is_single = sections.get("training", {}).get("dtype") == "float32"
        assert_alike(tmp_path / name, alone / name, name, 1e-4 if is_single else 1e-8)


RESUMED = ("stream", "dropped", "sampled", "translate", "forecast")


@pytest.mark.parametrize(("before", "after"), [(2, 2), (1, 3), (3, 1)])
def test_a_run_goes_on_with_any_number_of_ranks(
    alone: Path, datasets: dict[str, Path], tmp_path: Path, before: int, after: int
) -> None:
    mpi.need()
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    for number, steps in ((before, 4), (after, 9)):  # after four steps the run is evaluated in any case
        mpi.train_all(number, runs(stopped, datasets, RESUMED, max_steps=steps, checkpoint_every=2), stopped)
    if before == after:
        whole = tmp_path / "whole"
        whole.mkdir()
        mpi.train_all(after, runs(whole, datasets, RESUMED, checkpoint_every=2), whole)
        assert all(contents(stopped / name) == contents(whole / name) for name in RESUMED)
    for name in RESUMED:
        assert_alike(stopped / name, alone / name, name, 1e-8)


def test_a_run_says_who_has_trained_it(datasets: dict[str, Path], tmp_path: Path) -> None:
    mpi.need()
    mpi.train_all(2, runs(tmp_path, datasets, ("stream",), threads=1), tmp_path)
    environment = json.loads((tmp_path / "stream" / "environment.json").read_text())
    assert [each["threads"] for each in environment["ranks"]] == [1, 1]
    assert describe(tmp_path / "stream")["ranks"] == environment["ranks"]


def test_benchmark_measures_all_ranks() -> None:
    mpi.need()
    settings = ("model.vocabulary_size=50", "training.batch_size=3", "training.threads=1")
    options = [
        "--config=configs/tutorial.yaml",
        "--seconds=0.1",
        "--json",
        *(f"--set={each}" for each in settings),
    ]
    output = subprocess.check_output(mpi.command(2, "-m", "rnnlm", "benchmark", *options), cwd=mpi.PROJECT)
    speed = json.loads(output)
    assert (speed["ranks"], speed["threads"]) == (2, 1)
    assert speed["tokens_per_second"] > 0
