import pytest

from rnnlm.errors import RnnlmError
from rnnlm.storage.run_directory import RunDirectory
from tests.training.conftest import MakeTrainer, go_on


def test_a_log_that_has_lost_lines_is_noticed(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    log = run.path / "metrics.jsonl"
    log.write_bytes(log.read_bytes()[:-1])
    with pytest.raises(RnnlmError, match=r"metrics\.jsonl: shorter than the checkpoint remembers"):
        go_on(make_trainer)
    log.unlink()
    assert go_on(make_trainer)["epochs"] == 3
