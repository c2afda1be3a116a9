import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Split
from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.storage.checkpoint import MODEL, load_checkpoint
from rnnlm.storage.checkpoint_index import CheckpointIndex
from rnnlm.text.processor import TextSettings
from rnnlm.training.begin import begin_run
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress

from .runs import run_and_stop

MakeTrainer = Callable[..., Trainer]
TIMINGS = ("seconds", "tokens_per_second")


def weights(trainer: Trainer) -> bytes:
    return (trainer.run_directory.checkpoints.find("last") / MODEL).read_bytes()


def metrics(trainer: Trainer) -> list[dict[str, Any]]:
    lines = (trainer.run_directory.path / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMINGS} for line in lines]


CONFIGURATIONS: list[dict[str, dict[str, object]]] = [
    {},
    {"training": {"batching": "stream", "bptt_steps": 3}},
    {"training": {"batching": "stream", "bptt_steps": 5, "evaluate_every": 4, "checkpoint_every": 3}},
    {"model": {"embedding_size": 8, "dropout": 0.5, "num_layers": 2, "tie_weights": True}},
    {
        "model": {"cell": "lstm", "bias": True},
        "training": {"batching": "stream", "bptt_steps": 5},
        "optimizer": {"name": "adam", "learning_rate": 0.03},
    },
    {"optimizer": {"name": "adam", "learning_rate": 0.01, "clip_norm": 1}, "schedule": {"name": "linear"}},
    {"training": {"batch_size": 1, "bptt_truncate": 2}},
    {"optimizer": {"name": "adam", "learning_rate": 0.01, "weight_decay": 0.1}},
    {
        "model": {"cell": "time_delay", "width": 3, "embedding_size": 5, "num_layers": 2, "bias": True},
        "training": {"batching": "stream", "bptt_steps": 5},
        "optimizer": {"name": "adam", "learning_rate": 0.03},
    },
    {"model": {"cell": "time_delay", "width": 3, "dropout": 0.2}},
]


@pytest.mark.parametrize("sections", CONFIGURATIONS)
def test_training_learns(make_trainer: MakeTrainer, sections: dict[str, dict[str, object]]) -> None:
    summary = make_trainer(**sections).run()
    assert summary["best"]["valid_loss"] < 0.9 * np.log(11)
    assert summary["epochs"] == 3


@pytest.mark.parametrize("stop_after", [1, 7, 20])
@pytest.mark.parametrize("sections", CONFIGURATIONS)
def test_a_resumed_run_ends_like_one_never_stopped(
    make_trainer: MakeTrainer, sections: dict[str, dict[str, object]], stop_after: int
) -> None:
    sections = {**sections, "training": {**sections.get("training", {}), "log_every": 4}}
    whole = make_trainer("whole", **sections)
    summary = whole.run()
    stopped = make_trainer("stopped", **sections)
    run_and_stop(stopped, stop_after)
    resumed = make_trainer("stopped", **sections)
    assert resumed.run()["best"] == summary["best"]
    assert weights(resumed) == weights(whole)
    assert metrics(resumed) == metrics(whole)
    samples = [(t.run_directory.path / "samples.jsonl").read_text() for t in (resumed, whole)]
    assert samples[0] == samples[1]


def test_a_stop_that_is_repeated_while_it_is_saved_counts_once(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = make_trainer("stopped")
    save = CheckpointIndex.save

    def save_late(index: CheckpointIndex, *arguments: Any) -> Path:
        if stopped.signals.received is not None:
            signal.raise_signal(signal.SIGTERM)
        return save(index, *arguments)

    monkeypatch.setattr(CheckpointIndex, "save", save_late)
    run_and_stop(stopped, 1)
    assert Progress.of(stopped.run_directory.checkpoints.load("last")).step == 1


def test_a_run_that_another_process_has_gone_on_with_is_left_alone(make_trainer: MakeTrainer) -> None:
    first, second = make_trainer("run"), make_trainer("run")
    first.run()
    before = metrics(first)
    with pytest.raises(RnnlmError, match="another process has trained in it meanwhile; go on with `resume`"):
        second.run()
    assert metrics(first) == before


def test_a_stop_during_an_evaluation_evaluates_after_the_resume(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_trainer("whole")
    whole.run()
    stopped = make_trainer("stopped")

    def evaluate_and_stop(model: LanguageModel, split: Split, watch: Callable[[], None], **_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        watch()
        raise AssertionError("the evaluation went on")

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "evaluate", evaluate_and_stop)
        stopped.run()
    assert stopped.signals.received == signal.SIGINT
    assert stopped.progress.evaluation_pending
    resumed = make_trainer("stopped")
    resumed.run()
    assert weights(resumed) == weights(whole)
    assert metrics(resumed) == metrics(whole)


def test_a_kill_between_an_evaluation_and_its_checkpoint_leaves_no_line_twice(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections: dict[str, Any] = {"training": {"evaluate_every": 4, "checkpoint_every": 3, "log_every": 2}}
    whole = make_trainer("whole", **sections)
    whole.run()
    killed = make_trainer("killed", **sections)
    save = CheckpointIndex.save

    def save_or_die(index: CheckpointIndex, step: int, *arguments: Any) -> Path:
        if step == 8:
            raise KeyboardInterrupt
        return save(index, step, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointIndex, "save", save_or_die)
        with pytest.raises(KeyboardInterrupt):
            killed.run()
    resumed = make_trainer("killed", **sections)
    assert resumed.progress.step == 6
    resumed.run()
    assert metrics(resumed) == metrics(whole)
    assert weights(resumed) == weights(whole)


def test_resuming_with_a_smaller_learning_rate_uses_it(make_trainer: MakeTrainer) -> None:
    make_trainer(training={"epochs": 1}, optimizer={"learning_rate": 0.2}).run()
    resumed = make_trainer(training={"epochs": 2}, optimizer={"learning_rate": 0.1})
    resumed.run()
    assert metrics(resumed)[-1]["learning_rate"] == 0.1


def test_the_same_seed_gives_the_same_run(make_trainer: MakeTrainer) -> None:
    first, second, third = make_trainer("1"), make_trainer("2"), make_trainer("3", training={"seed": 1})
    for trainer in (first, second, third):
        trainer.run()
    assert weights(first) == weights(second)
    assert metrics(first) == metrics(second)
    assert weights(first) != weights(third)


def test_a_finished_run_can_be_trained_for_longer(make_trainer: MakeTrainer) -> None:
    make_trainer("short", training={"epochs": 1}, schedule={"name": "constant"}).run()
    longer = make_trainer("short", training={"epochs": 2}, schedule={"name": "constant"})
    assert longer.run()["epochs"] == 2
    once = make_trainer("once", training={"epochs": 2}, schedule={"name": "constant"})
    once.run()
    assert weights(longer) == weights(once)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_checkpoint(
    make_trainer: MakeTrainer,
) -> None:
    trainer = make_trainer(
        model={"nonlinearity": "relu"}, optimizer={"learning_rate": 1e20}, training={"checkpoint_every": 1}
    )
    with pytest.raises(RnnlmError, match=r"not a finite number after step \d+; .*learning_rate"):
        trainer.run()
    kept = load_checkpoint(trainer.run_directory.checkpoints.find("last"))
    assert all(np.all(np.isfinite(value)) for value in kept.tensors.values())


def test_zero_steps_write_the_untrained_network(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(training={"max_steps": 0})
    summary = trainer.run()
    assert (summary["steps"], summary["best"]["step"]) == (0, None)
    saved = safetensors.numpy.load(weights(trainer))
    for name, value in make_trainer("other").model.network.parameters.items():
        np.testing.assert_array_equal(saved[name], value)


def test_limits_end_the_run(make_trainer: MakeTrainer) -> None:
    assert make_trainer("steps", training={"max_steps": 5}).run()["steps"] == 5
    assert make_trainer("time", training={"max_seconds": 1e-9}).run()["steps"] == 1


def test_early_stopping_keeps_the_best(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(
        training={"epochs": 200, "patience": 2},
        optimizer={"learning_rate": 3.0},
        schedule={"name": "constant"},
    )
    summary = trainer.run()
    assert summary["epochs"] < 200
    assert summary["best"]["step"] < summary["last"]["step"]
    valid = [(line["loss"], line["step"]) for line in metrics(trainer) if line["split"] == "valid"]
    assert summary["best"]["step"] == min(valid)[1]
    assert trainer.run_directory.checkpoints.find("best").name == f"step-{summary['best']['step']:08d}"
    assert trainer.run_directory.checkpoints.find("last").name == f"step-{summary['last']['step']:08d}"


def test_the_rate_is_halved_when_the_evaluated_loss_rises(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(training={"epochs": 30}, optimizer={"learning_rate": 3.0})
    trainer.run()
    valid = [line for line in metrics(trainer) if line["split"] == "valid"]
    for before, at, after in zip(valid, valid[1:], valid[2:], strict=False):
        halved = at["loss"] > before["loss"]
        assert after["learning_rate"] == pytest.approx(at["learning_rate"] / (2 if halved else 1))
    assert valid[-1]["learning_rate"] < 3


def test_metrics_have_the_documented_keys(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(training={"log_every": 5})
    trainer.run()
    text = (trainer.run_directory.path / "metrics.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["split"] for line in lines} == {"train", "valid"}
    keys = "step epoch tokens split loss perplexity learning_rate grad_norm tokens_per_second seconds"
    assert all(set(line) == set(keys.split()) for line in lines)
    assert lines[-1]["tokens"] == 3 * trainer.dataset.train.num_tokens


def test_an_empty_validation_split_still_trains(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a b c d\n" * 10)
    build_dataset(
        [str(text)],
        tmp_path / "data",
        text=TextSettings(tokenizer="whitespace"),
        division=DivisionSettings(valid_fraction=0, test_fraction=0),
    )
    config = Config.model_validate({"data": {"path": str(tmp_path / "data")}, "training": {"epochs": 1}})
    trainer = begin_run(config, tmp_path / "run", resume=False, quiet=True)
    assert trainer.run()["best"]["valid_loss"] is None
    assert trainer.run_directory.checkpoints.find("best") == trainer.run_directory.checkpoints.find("last")


def test_weights_that_a_last_step_made_infinite_are_not_saved(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(training={"max_steps": 1}, optimizer={"learning_rate": 1e39})
    with pytest.raises(RnnlmError, match="norm of the weights"):
        trainer.run()
    assert load_checkpoint(trainer.run_directory.checkpoints.find("last")).state["progress"]["step"] == 0


def test_the_vocabulary_size_of_the_configuration_must_be_the_datasets(make_trainer: MakeTrainer) -> None:
    with pytest.raises(RnnlmError, match=r"model\.vocabulary_size"):
        make_trainer(model={"vocabulary_size": 500})
