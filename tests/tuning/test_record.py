import json
import math
from pathlib import Path

import pytest

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.tuning.record import Begun, Trial, TuningRecord

TRIALS = [
    Trial(
        0,
        {"model.dropout": 0.1},
        0,
        "complete",
        [{"share": 0.5, "loss": 2.0}, {"share": 1.0, "loss": 2.5}],
        90,
        1.5,
    ),
    Trial(1, {"model.dropout": 0.3}, 0, "pruned", [{"share": 0.25, "loss": 1.0}], 30, 0.5),
    Trial(2, {"model.dropout": 0.2}, 0, "diverged", [], 3, 0.1),
]


def test_trials_and_what_they_began_with_are_read_again(tmp_path: Path) -> None:
    record = TuningRecord(tmp_path / "run")
    assert not record.exists
    begun = Begun(Config(), 7, "runs/old", {"": "Für dich.", "model.cell": "Why."})
    record.begin(begun)
    assert record.exists
    assert record.trials() == []
    for trial in TRIALS:
        record.add(trial)
    assert record.trials() == TRIALS
    assert record.begun() == begun
    assert record.begun().comments == begun.comments
    assert "# Für dich." in (tmp_path / "run" / "tuning" / "config.yaml").read_text(encoding="utf-8")
    RunDirectory(tmp_path / "run").refuse_other_files()


def test_the_best_evaluation_of_a_complete_trial_counts() -> None:
    assert [trial.score for trial in TRIALS] == [2.0, math.inf, math.inf]
    assert [trial.best for trial in TRIALS] == [2.0, 1.0, None]
    of_task = [{"share": 0.5, "loss": 1.0, "accuracy": 0.6}, {"share": 1.0, "loss": 2.0, "accuracy": 0.8}]
    trial = Trial(0, {}, 0, "complete", of_task, 1, 1.0)
    assert (trial.measure, trial.best, trial.score) == ("accuracy", 0.8, -0.8)
    of_error = [{"share": 1.0, "loss": 1.0, "rmse": 3.0}]
    assert Trial(0, {}, 0, "complete", of_error, 1, 1.0).score == 3.0


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "{}",
        json.dumps({**TRIALS[0].__dict__, "number": 1}),
        json.dumps({**TRIALS[0].__dict__, "state": "lost"}),
        json.dumps({**TRIALS[0].__dict__, "seconds": math.nan}),
        json.dumps({**TRIALS[0].__dict__, "values": {"model.dropout": "a lot"}}),
        json.dumps({**TRIALS[0].__dict__, "evaluations": []}),
        json.dumps({**TRIALS[0].__dict__, "evaluations": [{"share": 1.0}]}),
        json.dumps({**TRIALS[0].__dict__, "evaluations": [None]}),
        json.dumps({**TRIALS[0].__dict__, "values": []}),
        json.dumps({**TRIALS[1].__dict__, "number": 0, "evaluations": []}),
    ],
)
def test_a_damaged_line_is_refused(tmp_path: Path, line: str) -> None:
    record = TuningRecord(tmp_path)
    record.begin(Begun(Config(), 3, None))
    (record.directory / "trials.jsonl").write_text(f"{line}\n")
    with pytest.raises(RnnlmError, match=r"trials\.jsonl, line 1: damaged"):
        record.trials()


@pytest.mark.parametrize("line", [b"\xff", json.dumps({**TRIALS[1].__dict__, "values": {"x": 1}}).encode()])
def test_a_line_that_does_not_belong_is_refused(tmp_path: Path, line: bytes) -> None:
    record = TuningRecord(tmp_path)
    record.begin(Begun(Config(), 3, None))
    record.add(TRIALS[0])
    with (record.directory / "trials.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(RnnlmError, match=r"trials\.jsonl, line 2: damaged"):
        record.trials()


def test_what_a_stopped_trial_left_is_removed_but_not_through_a_link(tmp_path: Path) -> None:
    record = TuningRecord(tmp_path / "run")
    record.begin(Begun(Config(), 3, None))
    directory = record.trial_directory(7)
    assert not directory.exists()
    directory.mkdir(parents=True)
    (directory / "metrics.jsonl").touch()
    assert record.trial_directory(7) == directory
    assert not directory.exists()
    (tmp_path / "elsewhere").mkdir()
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RnnlmError, match=r"007: a link, and a run writes nothing outside its directory"):
        record.trial_directory(7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"trials": 0, "init_from": null}',
        '{"trials": 2, "init_from": 3}',
        '{"trials": true}',
        "[[[",
        "{}",
    ],
)
def test_a_damaged_beginning_is_refused(tmp_path: Path, text: str) -> None:
    record = TuningRecord(tmp_path)
    record.begin(Begun(Config(), 3, None))
    (record.directory / "tuning.json").write_text(text)
    with pytest.raises(RnnlmError, match=r"tuning\.json: damaged"):
        record.begun()
