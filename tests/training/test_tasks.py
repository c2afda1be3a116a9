"""The training of models that answer: their own measures decide, and they resume as exactly."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from rnnlm.models.classifier import Classifier
from rnnlm.report.info import describe
from rnnlm.report.runlog import read_runs

from .conftest import MakeTrainer
from .runs import contents, run_and_stop


@pytest.fixture
def sections(label_dataset: Path) -> dict[str, dict[str, object]]:
    """A small classifier that is evaluated twice an epoch."""
    return {
        "data": {"path": str(label_dataset)},
        "task": {"name": "classify"},
        "model": {"cell": "gru", "embedding_size": 6, "hidden_size": 6, "bidirectional": True, "dropout": 0.3},
        "training": {"batch_size": 8, "epochs": 2, "evaluate_every": 11, "checkpoint_every": 4, "log_every": 3},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
    }


class Scripted:
    """An evaluation that a test makes up."""

    def __init__(self, loss: float, accuracy: float) -> None:
        self.cross_entropy, self.accuracy = loss, accuracy

    def measures(self) -> dict[str, float]:
        return {"accuracy": self.accuracy, "macro_f1": 1 - self.accuracy}


def script(monkeypatch: pytest.MonkeyPatch, evaluations: Iterable[tuple[float, float]]) -> None:
    """Give each evaluation in turn a loss and an accuracy."""
    coming = iter(evaluations)
    monkeypatch.setattr(Classifier, "evaluate", lambda *_, **__: Scripted(*next(coming)))


@pytest.mark.parametrize(
    ("task", "stop_after"),
    [
        *(("classify", step) for step in (1, 10, 11, 23, 29)),
        *(("tag", 13), ("translate", 13), ("translate", 22), ("forecast", 3), ("forecast", 6)),
    ],
)
def test_a_resumed_run_ends_like_one_never_stopped(
    make_trainer: MakeTrainer,
    sections: dict[str, Any],
    tag_dataset: Path,
    pair_dataset: Path,
    series_dataset: Path,
    tmp_path: Path,
    task: str,
    stop_after: int,
) -> None:
    if task == "tag":
        sections["data"], sections["task"] = {"path": str(tag_dataset)}, {"name": "tag"}
        sections["model"]["character_size"] = 4
    if task == "translate":
        sections["data"] = {"path": str(pair_dataset)}
        sections["task"] = {"name": "translate", "attention": "additive", "reverse_source": True}
    if task == "forecast":
        sections["data"] = {"path": str(series_dataset)}
        sections["task"] = {"name": "forecast", "log": True, "differences": [1], "calendar": ["month"]}
        sections["model"] = {"cell": "lstm", "hidden_size": 5, "dropout": 0.3, "num_layers": 2}
        sections["training"] |= {"batch_size": 1, "bptt_steps": 20, "evaluate_every": 5}
    summary = make_trainer("whole", **sections).run()
    run_and_stop(make_trainer("stopped", **sections), stop_after)
    assert make_trainer("stopped", **sections).run()["best"] == summary["best"]
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_accuracy_and_not_loss_chooses_the_best_and_ends_the_run(
    make_trainer: MakeTrainer, sections: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    # The smallest loss is the third; the fourth is as accurate as the second, with a smaller loss.
    evaluations = [(1.0, 0.5), (1.2, 0.75), (0.1, 0.625), (0.9, 0.75), (0.95, 0.75), (0.2, 0.7)]
    script(monkeypatch, evaluations)
    trainer = make_trainer(**{**sections, "training": {"evaluate_every": 1, "patience": 2, "epochs": 9}})
    trainer.quiet = False
    summary = trainer.run()
    assert summary["ended_by"] == "training.patience"
    best, last = (
        {"step": 4, "valid_loss": 0.9, "valid_accuracy": 0.75, "valid_macro_f1": 0.25},
        {"step": 6, "valid_loss": 0.2, "valid_accuracy": 0.7, "valid_macro_f1": pytest.approx(0.3)},
    )
    path = trainer.run_directory.path
    [log] = read_runs([path])
    for found in (summary, log.to_dict()):
        for which, expected in (("best", best), ("last", last)):
            perplexity = found[which].pop("valid_perplexity")
            assert perplexity > 1
            assert found[which] == expected
    assert trainer.run_directory.checkpoints.find("best").name == "step-00000004"
    description = describe(path)
    assert (description["best_step"], description["best_valid_accuracy"]) == (4, 0.75)
    assert (description["step"], description["last_valid_accuracy"]) == (6, 0.7)
    stderr = capsys.readouterr().err
    assert "Stopped: the validation accuracy has not risen for 2 evaluations (training.patience).\n" in stderr
    assert "validation loss 1.2000, accuracy 0.7500, macro F1 0.2500 (best)\n" in stderr
    assert stderr.count("(best)") == 3
    assert "perplexity" not in stderr
