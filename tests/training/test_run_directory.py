import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnlm import blas
from rnnlm.errors import RnnlmError
from rnnlm.storage.checkpoint import Checkpoint, load_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress

MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def run(make_trainer: MakeTrainer) -> RunDirectory:
    """A run of two epochs; the same sections make a trainer that goes on with it."""
    trainer = make_trainer(training={"epochs": 2})
    trainer.run()
    return trainer.run_directory


def test_a_checkpoint_of_another_run_is_not_the_one_meant(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    other = make_trainer("other", training={"epochs": 2, "seed": 1})
    other.run()
    last = run.checkpoint("last")
    shutil.rmtree(last)
    shutil.copytree(other.run_directory.checkpoint("last"), last)
    resumed = make_trainer(training={"epochs": 3})
    with pytest.raises(RnnlmError, match=f"{last.name}: not the (best|last) checkpoint that index.json"):
        resumed.resume()


def test_an_index_without_checksums_is_read(run: RunDirectory) -> None:
    index = run.checkpoints / "index.json"
    names = {which: run.checkpoint(which).name for which in ("best", "last")}
    index.write_text(json.dumps(names))
    assert {which: run.checkpoint(which).name for which in ("best", "last")} == names


def test_what_a_killed_run_left_is_removed_and_nothing_else(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    before = set(run.checkpoints.iterdir())
    mine = {run.checkpoints / name for name in ("mine", "step-by-step", "step-00000007.zip")}
    for path in (*mine, run.checkpoints / "step-00000099", run.checkpoints / ".step-00000099.partial"):
        path.mkdir()
    resumed = make_trainer(training={"epochs": 2})
    resumed.resume()
    resumed.run()
    assert set(run.checkpoints.iterdir()) == before | mine


def test_a_log_that_has_lost_lines_is_noticed(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    log = run.path / "metrics.jsonl"
    log.write_bytes(log.read_bytes()[:-1])
    with pytest.raises(RnnlmError, match=r"metrics\.jsonl: shorter than the checkpoint remembers"):
        go_on(make_trainer)
    log.unlink()
    assert go_on(make_trainer)["epochs"] == 3


def go_on(make_trainer: MakeTrainer) -> dict[str, Any]:
    resumed = make_trainer(training={"epochs": 3})
    resumed.resume()
    return resumed.run()


def test_two_processes_do_not_train_in_one_directory(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    before = (run.path / "metrics.jsonl").read_bytes()
    with RunDirectory(run.path).claimed():
        with pytest.raises(RnnlmError, match="another process is training in it; wait until it ends"):
            go_on(make_trainer)
        assert (run.path / "metrics.jsonl").read_bytes() == before
    assert go_on(make_trainer)["epochs"] == 3


def test_a_checkpoint_that_is_replaced_while_it_is_read(
    make_trainer: MakeTrainer, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = [True]

    def load_late(directory: Path) -> Checkpoint:
        if goes_on:
            goes_on.clear()
            go_on(make_trainer)
        return load_checkpoint(directory)

    monkeypatch.setattr("rnnlm.storage.run_directory.load_checkpoint", load_late)
    before = run.checkpoint("last")
    assert Progress.of(run.load("last")).epoch == 3
    assert not before.exists()
    shutil.rmtree(run.checkpoint("last"))
    with pytest.raises(RnnlmError, match=r"not the (best|last) checkpoint that index\.json"):
        run.load("last")


def test_what_is_changed_for_a_resume_is_said(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    assert "Changed since then: training.epochs from 2 to 3." in resumed_description(make_trainer)
    assert go_on(make_trainer)["epochs"] == 3
    assert "Changed" not in resumed_description(make_trainer)


def resumed_description(make_trainer: MakeTrainer) -> str:
    resumed = make_trainer(training={"epochs": 3})
    resumed.resume()
    return resumed.description()


def test_other_threads_or_another_kernel_are_mentioned(
    make_trainer: MakeTrainer, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: dict[str, Any] = json.loads((run.path / "environment.json").read_text())
    assert (environment["threads"], environment["blas"]) == (blas.threads(), blas.kernel())
    assert "last bits" not in resumed_description(make_trainer)
    before = f"{blas.kernel()}, {blas.threads()} thread"
    for name, value in (("threads", 63), ("kernel", "Other BLAS")):
        with monkeypatch.context() as patch:
            patch.setattr(blas, name, lambda value=value: value)
            said = resumed_description(make_trainer)
        assert f"The checkpoint was made on '{before}" in said
        assert "the last bits of the weights may differ" in said
