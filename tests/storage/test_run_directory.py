import os

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.storage.run_directory import ASKED_SECONDS, RunDirectory
from tests.training.conftest import MakeTrainer, go_on


def test_two_processes_do_not_train_in_one_directory(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    before = (run.path / "metrics.jsonl").read_bytes()
    with RunDirectory(run.path).claimed():
        with pytest.raises(RnnlmError, match="another process is training in it; wait until it ends"):
            go_on(make_trainer)
        assert (run.path / "metrics.jsonl").read_bytes() == before
    assert go_on(make_trainer)["epochs"] == 3


def test_whether_a_process_trains_in_a_directory_can_be_asked(run: RunDirectory) -> None:
    pytest.importorskip("fcntl")
    assert run.is_claimed() is False
    with RunDirectory(run.path).claimed():
        assert run.is_claimed() is True
    assert run.is_claimed() is False
    assert RunDirectory(run.path / "nowhere").is_claimed() is None


def test_being_asked_keeps_nobody_from_training(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    descriptor = os.open(run.path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    waited = []

    def answered(seconds: float) -> None:
        waited.append(seconds)
        os.close(descriptor)

    monkeypatch.setattr("time.sleep", answered)
    with run.claimed():
        assert run.is_claimed() is True
    assert waited == [ASKED_SECONDS]
