import os
import shutil
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.storage.finding import newest_run, read_checkpoint, resolve_checkpoint
from rnnlm.storage.run_directory import RunDirectory


def test_a_run_stands_for_its_best_checkpoint(word_run: Path) -> None:
    checkpoints = RunDirectory(word_run).checkpoints
    best, last = checkpoints.find("best"), checkpoints.find("last")
    assert best != last
    for path, found in ((word_run, best), (best, best), (last, last)):
        assert resolve_checkpoint(path) == read_checkpoint(path).directory == found


def test_what_is_neither_is_refused(word_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RnnlmError, match="no such directory; name a run or a checkpoint"):
        resolve_checkpoint(tmp_path / "nowhere")
    with pytest.raises(RnnlmError, match="neither a run nor a checkpoint directory"):
        resolve_checkpoint(tmp_path)
    last = RunDirectory(word_run).checkpoints.find("last").name
    with pytest.raises(RnnlmError, match=rf"the checkpoints of a run; name the run, or one of them: .*{last}"):
        resolve_checkpoint(word_run / "checkpoints")


def test_the_newest_run_is_the_one_whose_checkpoints_were_written_last(word_run: Path, tmp_path: Path) -> None:
    assert newest_run(tmp_path) is None
    for age, name in enumerate(("new", "old")):
        run = RunDirectory(shutil.copytree(word_run, tmp_path / name))
        os.utime(run.checkpoints.directory / "index.json", (1e9 - age, 1e9 - age))
    (tmp_path / "no run").mkdir()
    assert newest_run(tmp_path) == tmp_path / "new"
