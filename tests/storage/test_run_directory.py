import pytest

from rnnlm.errors import RnnlmError
from rnnlm.storage.run_directory import RunDirectory
from tests.training.conftest import MakeTrainer, go_on


def test_two_processes_do_not_train_in_one_directory(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    before = (run.path / "metrics.jsonl").read_bytes()
    with RunDirectory(run.path).claimed():
        with pytest.raises(RnnlmError, match="another process is training in it; wait until it ends"):
            go_on(make_trainer)
        assert (run.path / "metrics.jsonl").read_bytes() == before
    assert go_on(make_trainer)["epochs"] == 3
