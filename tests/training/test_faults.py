"""A run on a disk that fails at any call, or a process that ends there, loses nothing but time."""

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.storage.checkpoint import FILES, MANIFEST, load_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.vocabulary import VOCABULARY_FILE
from rnnlm.training.loop import Trainer
from rnnlm.training.resuming import resume_run
from tests.faults import ERRORS, Faults, Killed

from .runs import contents

CONFIG = Config.model_validate(
    {
        "model": {"hidden_size": 4},
        "training": {
            "batch_size": 16,
            "max_steps": 2,
            "evaluate_every": 2,
            "checkpoint_every": 1,
            "log_every": 1,
            "sample_tokens": 3,
        },
        "optimizer": {"name": "adam", "learning_rate": 0.01},
    }
)
Train = Callable[[Path], None]


def new_trainer(config: Config, dataset: Dataset, run: RunDirectory, *, quiet: bool) -> Trainer:
    return Trainer(LanguageModel.create(config, dataset), dataset, run, quiet=quiet)


@pytest.fixture
def train(dataset: Dataset) -> Train:
    """Return a function that begins or resumes a run of two steps and three checkpoints."""

    def train(path: Path) -> None:
        run = RunDirectory(path)
        begin = resume_run if run.exists else new_trainer
        begin(CONFIG, dataset, run, quiet=True).run()

    return train


def fail_everywhere(
    faults: Faults, train: Train, tmp_path: Path, errors: Sequence[int | None], every: int = 1
) -> None:
    """Fail at each call in turn, or some, with one error after the other, and go on without faults."""
    faults.arm(None)
    train(tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    assert len(faults.calls) > 100
    for call in range(0, len(faults.calls), every):
        path, error = tmp_path / str(call), errors[call // every % len(errors)]
        faults.arm(call, error)
        with pytest.raises(Killed if error is None else RnnlmError) as failure:
            train(path)
        faults.arm(None)
        if error is not None:
            message = str(failure.value)
            assert message.startswith(str(path))
            assert os.strerror(error) in message
            assert "`resume`" in message or "choose another `out`" in message
        run = RunDirectory(path)
        if run.exists:
            for checkpoint in {run.checkpoints.find("best"), run.checkpoints.find("last")}:
                LanguageModel.restore(load_checkpoint(checkpoint))
        train(path)
        assert contents(path) == whole


def test_a_run_goes_on_after_a_fault_at_any_call(faults: Faults, train: Train, tmp_path: Path) -> None:
    fail_everywhere(faults, train, tmp_path, (None, *ERRORS), every=5)


@pytest.mark.slow
@pytest.mark.parametrize("error", [None, *ERRORS])
def test_a_run_goes_on_after_every_fault_at_any_call(
    faults: Faults, train: Train, tmp_path: Path, error: int | None
) -> None:
    fail_everywhere(faults, train, tmp_path, (error,))


def test_the_checkpoint_before_goes_only_when_the_new_one_is_safe(
    faults: Faults, train: Train, tmp_path: Path
) -> None:
    train(tmp_path)
    checkpoints = tmp_path / "checkpoints"
    new, index = checkpoints / ".step-00000002.partial", checkpoints / ".index.json.partial"
    logged = max(
        number for number, call in enumerate(faults.calls) if call == ("write", tmp_path / "samples.jsonl")
    )
    calls = faults.calls[logged:]
    renamed, named = calls.index(("rename", new)), calls.index(("replace", index))
    removed = next(number for number, call in enumerate(calls) if call[0] == "unlink" and number > named)
    synced = [path for name, path in calls[:renamed] if name == "fsync"]
    assert {tmp_path / "metrics.jsonl", tmp_path / "samples.jsonl", new} < set(synced)
    assert {new / name for name in (*FILES, VOCABULARY_FILE, MANIFEST)} < set(synced)
    assert ("fsync", checkpoints) in calls[renamed:named]
    assert ("fsync", index) in calls[renamed:named]
    assert ("fsync", checkpoints) in calls[named:removed]
    assert calls[removed][1].name in (*FILES, VOCABULARY_FILE, MANIFEST)


def test_the_directories_of_a_run_are_on_the_disk_before_its_files(
    faults: Faults, train: Train, tmp_path: Path
) -> None:
    train(tmp_path / "runs" / "a")
    directories = [tmp_path / "runs", tmp_path / "runs" / "a", tmp_path / "runs" / "a" / "checkpoints"]
    made = [call for path in directories for call in (("mkdir", path), ("fsync", path.parent))]
    first = faults.calls.index(made[0])
    assert faults.calls[first : first + len(made)] == made


@pytest.mark.parametrize("log_every", [1, 100])
def test_a_run_whose_directory_vanishes_says_so(dataset: Dataset, tmp_path: Path, log_every: int) -> None:
    training = CONFIG.training.model_copy(update={"log_every": log_every})
    run = RunDirectory(tmp_path / "run")
    trainer = new_trainer(CONFIG.model_copy(update={"training": training}), dataset, run, quiet=True)
    trainer.after_step = lambda: shutil.rmtree(run.path)
    with pytest.raises(RnnlmError, match=rf"^{re.escape(str(run.path))}.*\(No such file or directory\)"):
        trainer.run()
    assert not run.path.exists()
