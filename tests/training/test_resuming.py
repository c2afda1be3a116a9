import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnlm import backend, blas
from rnnlm.dataset.building.build import build_dataset
from rnnlm.errors import RnnlmError
from rnnlm.models import networks
from rnnlm.ranks.ranks import OneProcess
from rnnlm.storage.checkpoint import STATE
from rnnlm.storage.checkpoint_index import CheckpointIndex
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.processor import TextSettings
from rnnlm.training import records
from tests import passes

from .conftest import MakeTrainer, go_on


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"hidden_size": 9}},
        {"training": {"seed": 5}},
        {"training": {"batching": "stream"}},
        {"optimizer": {"name": "adam", "learning_rate": 0.03}},
    ],
)
def test_resuming_with_another_network_or_training_is_refused(
    make_trainer: MakeTrainer, sections: dict[str, dict[str, object]]
) -> None:
    make_trainer(training={"epochs": 1}).run()
    [(section, values)] = sections.items()
    with pytest.raises(RnnlmError, match=rf"^{section}\.{next(iter(values))}: "):
        make_trainer(**sections)


@pytest.mark.parametrize(("key", "value"), [("name", "language_model"), ("pooling", "mean")])
def test_resuming_with_another_task_is_refused(
    make_trainer: MakeTrainer, label_dataset: Path, key: str, value: str
) -> None:
    data = {"path": str(label_dataset)}
    make_trainer(data=data, task={"name": "classify"}, training={"max_steps": 1}).run()
    with pytest.raises(RnnlmError, match=rf"^task\.{key}: {value} is not the "):
        make_trainer(data=data, task={"name": "classify", key: value}, training={"max_steps": 2})


def test_a_run_of_a_version_that_knew_no_measures_goes_on(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    state = json.loads((run.checkpoints.find("last") / STATE).read_text())
    assert not {"best_measures", "last_measures"} & set(state["progress"])
    best = state["progress"]["best_loss"]
    assert go_on(make_trainer)["best"]["valid_loss"] <= best


def test_resuming_on_another_dataset_is_refused(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    make_trainer().run()
    text = tmp_path / "other.txt"
    text.write_text("one two three\n" * 20)
    build_dataset([str(text)], tmp_path / "other", text=TextSettings(tokenizer="whitespace"))
    with pytest.raises(RnnlmError, match="not the dataset"):
        make_trainer(data={"path": str(tmp_path / "other")})


def test_what_is_changed_for_a_resume_is_said(make_trainer: MakeTrainer, run: RunDirectory) -> None:
    assert "Changed since then: training.epochs from 2 to 3." in resumed_description(make_trainer)
    assert go_on(make_trainer)["epochs"] == 3
    assert "Changed" not in resumed_description(make_trainer)


def resumed_description(make_trainer: MakeTrainer) -> str:
    return make_trainer(training={"epochs": 3}).description()


def test_other_threads_or_another_kernel_are_mentioned(
    make_trainer: MakeTrainer, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: dict[str, Any] = json.loads((run.path / "environment.json").read_text())
    assert (environment["threads"], environment["blas"]) == (blas.threads(), blas.kernel())
    assert "last bits" not in resumed_description(make_trainer)
    before = f"{blas.kernel()}, {blas.threads()} thread"
    for module, name, value in ((backend, "threads", 63), (blas, "kernel", "Other BLAS")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lambda value=value: value)
            said = resumed_description(make_trainer)
        assert f"The checkpoint was made on '{before}" in said
        assert "the last bits of the weights may differ" in said


def test_another_back_end_is_mentioned(
    make_trainer: MakeTrainer, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backend.description()
    monkeypatch.setattr(backend, "description", lambda: "compiled passes, SSE9")
    said = resumed_description(make_trainer)
    assert f"; {before}': the last bits of the weights may differ" in said


@pytest.mark.skipif(not backend.available(), reason="the compiled passes are not built")
@pytest.mark.parametrize(("first", "then"), [("numpy", "compiled"), ("compiled", "numpy")])
def test_a_run_goes_on_with_the_other_back_end(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch, first: str, then: str
) -> None:
    monkeypatch.setenv(backend.VARIABLE, first)
    make_trainer(training={"epochs": 2}).run()
    assert "last bits" not in resumed_description(make_trainer)
    before = backend.description()
    monkeypatch.setenv(backend.VARIABLE, then)
    assert f"; {before}': the last bits of the weights may differ" in resumed_description(make_trainer)
    assert go_on(make_trainer)["epochs"] == 3


def test_a_checkpoint_that_names_no_back_end_was_made_with_numpy(
    make_trainer: MakeTrainer, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    arithmetic, _ = records.arithmetic(OneProcess()).rsplit("; ", 1)
    load = run.checkpoints.load("last")
    state = {key: value for key, value in load.state.items() if key != "backend"} | {"arithmetic": arithmetic}
    old = replace(load, state=state)
    monkeypatch.setattr(CheckpointIndex, "load", lambda index, which: old)
    for setting, differs in (("numpy", False), ("compiled", True)):
        monkeypatch.setattr(backend, "_back_end", lambda setting, now=setting: now)
        passes.build(monkeypatch, "AVX2")
        monkeypatch.setattr(networks, "_compiled", lambda: False)
        assert ("last bits" in resumed_description(make_trainer)) == differs
