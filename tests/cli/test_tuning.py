"""``rnnlm train --tune``."""

import itertools
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnlm as package
from rnnlm.config import Config
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.step import NotFiniteError, TrainingStep
from rnnlm.tuning.record import TuningRecord
from tests import mpi
from tests.training.runs import contents

from .conftest import Command, write_config

SETTINGS = {
    "model": {"hidden_size": 8},
    "training": {"batch_size": 6, "epochs": 1000, "max_steps": 40, "sample_tokens": 4, "log_every": 2},
    "optimizer": {"learning_rate": 0.1},
}


@pytest.fixture(autouse=True)
def _needs_optuna() -> None:
    pytest.importorskip("optuna")


@pytest.fixture
def config(word_dataset: Path) -> str:
    """A tiny network, of which four trials have ten steps each."""
    return write_config("tiny.yaml", data={"path": str(word_dataset)}, **SETTINGS)


def outcomes(run: str) -> list[dict[str, Any]]:
    """Return all that is written down of trials but the time they took."""
    return [{**trial.__dict__, "seconds": 0} for trial in TuningRecord(Path(run)).trials()]


def test_the_best_of_short_runs_is_trained(rnnlm: Command, config: str) -> None:
    outcome = rnnlm(
        "train", "--config", config, "--out", "run", "--tune", "8", "--set=training.max_steps=64", "--json"
    )
    assert outcome.exit_code == 0
    assert outcome.json["steps"] == 64
    trials = TuningRecord(Path("run")).trials()
    start = {"optimizer.learning_rate": 0.1, "model.dropout": 0.0, "model.hidden_size": 8}
    assert (trials[0].values, trials[0].state) == (start, "complete")
    for trial in trials:
        directory = Path("run", "tuning", "trials", f"{trial.number:03}")
        written = Config.load(directory / "config.yaml")
        assert written.training.seed == trial.seed
        assert written.optimizer.learning_rate == trial.values["optimizer.learning_rate"]
        if trial.state == "complete":
            assert [each["share"] for each in trial.evaluations] == [0.25, 0.5, 1.0]
            assert json.loads((directory / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 8
        assert not (directory / "checkpoints").exists()
        assert f"Trial {trial.number + 1} of 8: learning_rate " in outcome.stderr
    complete = [trial for trial in trials[:6] if trial.state == "complete"]
    first, second = sorted(complete, key=lambda trial: trial.score)[:2]
    assert [(trial.values, trial.seed) for trial in trials[6:]] == [(first.values, 1), (second.values, 1)]
    means = [trials[6].score + first.score, trials[7].score + second.score]
    chosen = (first if means[0] < means[1] else second).values
    used = Config.load("run/config.yaml")
    assert (used.optimizer.learning_rate, used.model.dropout, used.model.hidden_size) == tuple(chosen.values())
    assert (used.training.max_steps, used.training.seed) == (64, 0)
    text = " ".join(Path("run/config.yaml").read_text(encoding="utf-8").split("\n# "))
    assert f"each a share of this one: validation loss {min(means) / 2:.4f} on average of 2 seeds." in text


def test_the_report_has_a_table_of_trials(rnnlm: Command, config: str) -> None:
    rnnlm("train", "--config", config, "--out", "run", "--tune", "4", "--set=training.seed=12345")
    assert rnnlm("report", "run").exit_code == 0
    html = Path("run/report.html").read_text(encoding="utf-8")
    assert "<h2>Tuning</h2>" in html
    assert '<th scope="col">Loss after 25%</th>' in html
    assert html.count("<td>complete</td>") == 4
    assert html.count("<td>12345</td>") >= 4


@pytest.mark.parametrize("limit", ["epochs", "max_seconds"])
def test_a_trial_takes_its_share_of_epochs_or_seconds(
    rnnlm: Command, config: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr("rnnlm.training.loop.time.perf_counter", lambda: float(next(clock)))
    # Six steps are an epoch, and one step takes a second.
    settings = [
        "--set=training.max_steps=null",
        f"--set=training.{limit}={ {'epochs': 4, 'max_seconds': 24}[limit] }",
    ]
    outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "2", *settings, "--json")
    assert outcome.exit_code == 0
    for trial in TuningRecord(Path("run")).trials():
        if limit == "max_seconds":
            assert trial.seconds == 12
        else:
            assert trial.tokens / outcome.json["steps"] / 0.1 >= 2
        assert "training.batch_size" in trial.values


def test_a_trial_is_what_its_values_give(rnnlm: Command, config: str) -> None:
    """The last measurement of a trial is that of a run as long, with the same values and seed."""
    rnnlm("train", "--config", config, "--out", "run", "--tune", "4", "--quiet")
    trial = TuningRecord(Path("run")).trials()[1]
    settings = [f"--set={name}={value}" for name, value in {**trial.values, "training.seed": trial.seed}.items()]
    alone = rnnlm(
        "train", "--config", config, "--out", "alone", *settings, "--set=training.max_steps=10", "--json"
    )
    assert alone.json["last"]["valid_loss"] == trial.evaluations[-1]["loss"]


def test_a_tuning_that_is_stopped_goes_on(rnnlm: Command, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rnnlm("train", "--config", config, "--out", "whole", "--tune", "5")
    assert whole.exit_code == 0
    take, steps = TrainingStep.take, 0

    def stopping(self: TrainingStep, *arguments: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == 20:
            signal.raise_signal(signal.SIGTERM)
        return take(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingStep, "take", stopping)
        stopped = rnnlm("train", "--config", config, "--out", "run", "--tune", "5")
    assert stopped.exit_code == 128 + signal.SIGTERM
    assert "Stopped while tuning; --resume goes on with it." in stopped.stderr
    assert not RunDirectory("run").exists
    assert len(TuningRecord(Path("run")).trials()) == 2
    again = rnnlm("train", "--config", config, "--out", "run", "--tune", "5")
    assert again.stderr == ("rnnlm: run: there is a tuning in it; go on with --resume, or choose another --out.\n")
    other = rnnlm("train", "--config", config, "--out", "run", "--tune", "9", "--resume")
    assert other.stderr == "rnnlm: run: its tuning was begun with 5 trials; leave --tune out to go on.\n"
    other = rnnlm("train", "--config", config, "--out", "run", "--set", "model.hidden_size=9", "--resume")
    assert "its tuning was begun with other values; give --resume and --out alone" in other.stderr
    with RunDirectory("run").claimed():
        busy = rnnlm("train", "--out", "run", "--resume")
    assert "run: another process is training in it" in busy.stderr
    assert rnnlm("train", "--out", "run", "--resume").exit_code == 0
    assert outcomes("run") == outcomes("whole")
    ours, theirs = contents(Path("run")), contents(Path("whole"))
    assert ours == theirs
    assert rnnlm("train", "--out", "run", "--resume", "--tune", "5").exit_code == 0
    other = rnnlm("train", "--out", "run", "--resume", "--tune", "6")
    assert "its tuning was begun with 5 trials" in other.stderr


def test_a_trial_that_diverges_is_no_candidate(
    rnnlm: Command, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = TrainingStep.take

    def diverging(self: TrainingStep, batch: Any, state: Any, learning_rate: float, rng: Any) -> Any:
        if self.config.optimizer.learning_rate != 0.1:
            raise NotFiniteError("loss")
        return take(self, batch, state, learning_rate, rng)

    monkeypatch.setattr(TrainingStep, "take", diverging)
    outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "6")
    assert outcome.exit_code == 0
    states = {trial.values["optimizer.learning_rate"]: trial.state for trial in TuningRecord(Path("run")).trials()}
    assert states.pop(0.1) == "complete"
    assert set(states.values()) == {"diverged"}
    assert Config.load("run/config.yaml").optimizer.learning_rate == 0.1


def test_a_hopeless_trial_ends_early(rnnlm: Command, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "rnnlm.tuning.search.Search.is_hopeless", lambda self, evaluation: self.values["model.dropout"] > 0
    )
    outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "5")
    assert outcome.exit_code == 0
    for trial in TuningRecord(Path("run")).trials():
        assert trial.state == ("pruned" if trial.values["model.dropout"] > 0 else "complete")
        if trial.state == "pruned":
            assert [each["share"] for each in trial.evaluations] == [0.25]
    assert ", pruned\n" in outcome.stderr


@pytest.mark.parametrize("task", ["classify", "tag", "translate", "forecast"])
def test_every_kind_of_model_is_tuned_by_its_own_measure(
    rnnlm: Command, task: str, request: pytest.FixtureRequest
) -> None:
    name = {"classify": "label", "tag": "tag", "translate": "pair", "forecast": "series"}[task]
    sections: dict[str, dict[str, Any]] = {"task": {"name": task}, **SETTINGS}
    sections["optimizer"] = {"learning_rate": 0.005, "clip_norm": 1}
    if task != "forecast":
        sections["model"] = {"hidden_size": 8, "embedding_size": 8}
    dataset = request.getfixturevalue(f"{name}_dataset")
    config = write_config("c.yaml", data={"path": str(dataset)}, **sections)
    outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "2")
    assert outcome.exit_code == 0
    trials = TuningRecord(Path("run")).trials()
    measure = {"classify": "accuracy", "tag": "accuracy", "translate": "loss", "forecast": "rmse"}[task]
    assert {trial.measure for trial in trials} == {measure}
    assert package.load("run").config.task.name == task


def test_a_trained_network_keeps_its_size_and_weights(
    rnnlm: Command, config: str, word_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the tuning was stopped, and only --resume is given."""
    options = ["--config", config, "--init-from", word_run, "--set=optimizer.learning_rate=1e-9"]
    take = TrainingStep.take

    def stopping(self: TrainingStep, *arguments: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return take(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingStep, "take", stopping)
        assert rnnlm("train", *options, "--out", "run", "--tune", "2").exit_code == 128 + signal.SIGTERM
    assert rnnlm("train", "--resume", "--out", "run").exit_code == 0
    assert all("model.hidden_size" not in trial.values for trial in TuningRecord(Path("run")).trials())
    ours, theirs = (package.load(run).network.parameters for run in ("run", word_run))
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--init-from", "nowhere"], "nowhere"),
        (["--resume"], "run: there is no tuning to resume in it; leave --resume out to begin one."),
    ],
)
def test_a_wrong_option_leaves_nothing_behind(
    rnnlm: Command, config: str, options: list[str], message: str
) -> None:
    wrong = rnnlm("train", "--config", config, "--out", "run", "--tune", "2", *options)
    assert wrong.exit_code == 1
    assert message in wrong.stderr
    assert rnnlm("train", "--config", config, "--out", "run", "--tune", "2").exit_code == 0


def test_a_run_that_was_not_tuned_is_not_tuned_any_more(rnnlm: Command, config: str) -> None:
    rnnlm("train", "--config", config, "--out", "run")
    for more in ([], ["--resume"]):
        outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "2", *more)
        assert outcome.stderr == (
            "rnnlm: run: there is a run in it, and it was not tuned; choose another --out.\n"
        )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.max_steps=0", "training.max_steps: 0 trains nothing, so there is nothing to tune."),
        (
            "optimizer.learning_rate=1e30",
            "No trial was completed; choose another --out, and a lower optimizer.learning_rate, or ",
        ),
    ],
)
def test_what_cannot_be_tuned_says_so(rnnlm: Command, config: str, setting: str, message: str) -> None:
    outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "2", "--set", setting, "--quiet")
    assert outcome.exit_code == 1
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_least_squares_have_nothing_to_tune(rnnlm: Command, series_dataset: Path) -> None:
    model = {"cell": "time_delay", "nonlinearity": "linear", "hidden_size": 1, "bias": True}
    config = write_config(
        "ar.yaml",
        task={"name": "forecast", "fit": "least_squares"},
        data={"path": str(series_dataset)},
        model=model,
    )
    outcome = rnnlm("train", "--config", config, "--out", "run", "--tune", "2")
    assert outcome.stderr == (
        "rnnlm: task.fit: least squares find the best weights at once; there is nothing to tune.\n"
    )
    assert not Path("run").exists()


# Some trials are hopeless, whatever came of those before.
HOPELESS = """
import sys
from rnnlm.cli.main import main
from rnnlm.tuning.search import Search

Search.is_hopeless = lambda self, evaluation: self.values["model.dropout"] > 0.05
main(sys.argv[1:])
"""


def test_several_ranks_try_together_what_one_process_tries(config: str) -> None:
    """Nine trials, of which two are of other seeds."""
    mpi.need()
    settings = ("training.threads=1", "training.dtype=float64", "training.max_steps=72")
    options = ["--config", config, "--tune", "9", "--quiet", *(f"--set={each}" for each in settings)]
    for ranks, out in ((1, "alone"), (2, "run")):
        command = mpi.command(ranks, "-c", HOPELESS, "train", "--out", out, *options)
        subprocess.run(command, env={**os.environ, "PYTHONPATH": str(mpi.PROJECT)}, check=True)
    ours, theirs = (TuningRecord(Path(run)).trials() for run in ("run", "alone"))
    for trial, other in zip(ours, theirs, strict=True):
        assert (trial.values, trial.seed, trial.state) == (other.values, other.seed, other.state)
        assert trial.best == pytest.approx(other.best, rel=1e-9)
    assert {trial.state for trial in ours} == {"complete", "pruned"}
