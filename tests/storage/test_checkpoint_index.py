import json
import shutil
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.storage.checkpoint import Checkpoint, load_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.progress import Progress
from tests.training.conftest import MakeTrainer, go_on


def test_a_checkpoint_of_another_run_is_not_the_one_meant(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    other = make_trainer("other", training={"epochs": 2, "seed": 1})
    other.run()
    last = run.checkpoints.find("last")
    shutil.rmtree(last)
    shutil.copytree(other.run_directory.checkpoints.find("last"), last)
    with pytest.raises(RnnlmError, match=f"{last.name}: not the (best|last) checkpoint that index.json"):
        make_trainer(training={"epochs": 3})


def test_an_index_without_checksums_is_read(run: RunDirectory) -> None:
    index = run.checkpoints.directory / "index.json"
    names = {which: run.checkpoints.find(which).name for which in ("best", "last")}
    index.write_text(json.dumps(names))
    assert {which: run.checkpoints.find(which).name for which in ("best", "last")} == names


def test_what_a_killed_run_left_is_removed_and_nothing_else(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    checkpoints = run.checkpoints.directory
    before = set(checkpoints.iterdir())
    mine = {checkpoints / name for name in ("mine", "step-by-step", "step-00000007.zip")}
    for path in (*mine, checkpoints / "step-00000099", checkpoints / ".step-00000099.partial"):
        path.mkdir()
    make_trainer(training={"epochs": 2}).run()
    assert set(checkpoints.iterdir()) == before | mine


def test_a_checkpoint_that_is_replaced_while_it_is_read(
    make_trainer: MakeTrainer, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = [True]

    def load_late(directory: Path) -> Checkpoint:
        if goes_on:
            goes_on.clear()
            go_on(make_trainer)
        return load_checkpoint(directory)

    monkeypatch.setattr("rnnlm.storage.checkpoint_index.load_checkpoint", load_late)
    before = run.checkpoints.find("last")
    assert Progress.of(run.checkpoints.load("last")).epoch == 3
    assert not before.exists()
    shutil.rmtree(run.checkpoints.find("last"))
    with pytest.raises(RnnlmError, match=r"not the (best|last) checkpoint that index\.json"):
        run.checkpoints.load("last")
