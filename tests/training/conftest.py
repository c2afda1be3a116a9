from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.processor import TextSettings
from rnnlm.training.begin import begin_run
from rnnlm.training.loop import Trainer

MakeTrainer = Callable[..., Trainer]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A hundred short sentences in which every word but the first follows from the one before."""
    rng = np.random.default_rng(0)
    directory = tmp_path_factory.mktemp("data")
    text = directory / "text.txt"
    words = "abcdefgh"
    lines = []
    for _ in range(100):
        first = int(rng.integers(len(words)))
        lines.append(" ".join(words[(first + k) % len(words)] for k in range(int(rng.integers(2, 7)))))
    text.write_text("\n".join(lines))
    build_dataset(
        [str(text)],
        directory / "dataset",
        text=TextSettings(tokenizer="whitespace", lowercase=False),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0.1),
    )
    return Dataset.open(directory / "dataset")


@pytest.fixture
def make_trainer(dataset: Dataset, tmp_path: Path) -> MakeTrainer:
    """Begin a run of the test's, or go on with it if there is one; keywords are sections of the configuration."""

    def make(name: str = "run", **sections: dict[str, object]) -> Trainer:
        defaults: dict[str, dict[str, object]] = {
            "data": {"path": str(dataset.path)},
            "model": {"hidden_size": 8},
            "training": {"batch_size": 4, "epochs": 3},
            "optimizer": {"learning_rate": 0.2},
        }
        values = {key: {**defaults.get(key, {}), **sections.get(key, {})} for key in defaults | sections}
        path = tmp_path / name
        return begin_run(Config.model_validate(values), path, resume=RunDirectory(path).exists, quiet=True)

    return make


@pytest.fixture
def run(make_trainer: MakeTrainer) -> RunDirectory:
    """A run of two epochs; the same sections make a trainer that goes on with it."""
    trainer = make_trainer(training={"epochs": 2})
    trainer.run()
    return trainer.run_directory


def go_on(make_trainer: MakeTrainer) -> dict[str, Any]:
    """Train for a third epoch."""
    return make_trainer(training={"epochs": 3}).run()
