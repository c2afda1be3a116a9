import errno
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.numpy import load_file

from rnnlm import backend
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.models import networks
from rnnlm.storage.logs import METRICS, Logs
from rnnlm.storage.run_directory import RunDirectory
from tests import passes

from .conftest import Command, write_config


@pytest.fixture
def config(word_dataset: Path) -> str:
    """A tiny network, trained for eight steps, on word_dataset's 36 training sentences."""
    return write_config(
        "tiny.yaml",
        data={"path": str(word_dataset)},
        model={"hidden_size": 6},
        training={"batch_size": 6, "max_steps": 8, "sample_tokens": 4, "log_every": 4},
        optimizer={"learning_rate": 0.1},
    )


def weights(run: str, which: str = "last") -> bytes:
    return (RunDirectory(run).checkpoints.find(which) / "model.safetensors").read_bytes()


def metrics(run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]


def test_json_says_what_came_of_it(rnnlm: Command, config: str):
    outcome = rnnlm("train", "--config", config, "--out", "run", "--json")
    assert outcome.exit_code == 0
    summary = outcome.json
    assert set(summary) == {"run", "steps", "epochs", "best", "last", "tokens_per_second", "backend", "ended_by"}
    assert summary["run"] == "run"
    assert summary["steps"] == 8
    assert 1 < summary["epochs"] < 2
    assert summary["tokens_per_second"] > 0
    for evaluation in (summary["best"], summary["last"]):
        assert set(evaluation) == {"step", "valid_loss", "valid_perplexity"}
        assert evaluation["valid_perplexity"] == pytest.approx(math.exp(evaluation["valid_loss"]))
    assert summary["last"]["step"] == 8
    assert summary["best"]["step"] in (6, 8)


def test_of_a_classifier_everything_agrees_on_the_best(rnnlm: Command, label_dataset: Path):
    config = write_config(
        "labels.yaml",
        data={"path": str(label_dataset)},
        task={"name": "classify"},
        model={"embedding_size": 8, "hidden_size": 8},
        training={"batch_size": 4, "epochs": 2, "log_every": 20},
        optimizer={"name": "adam", "learning_rate": 0.02},
    )
    outcome = rnnlm("train", "--config", config, "--out", "run", "--json")
    assert "perplexity" not in outcome.stderr
    best, last = outcome.json["best"], outcome.json["last"]
    for found in (best, last):
        assert set(found) == {"step", "valid_loss", "valid_perplexity", "valid_accuracy", "valid_macro_f1"}
        assert found["valid_perplexity"] == pytest.approx(math.exp(found["valid_loss"]))
    valid = [line for line in metrics("run") if line["split"] == "valid"]
    chosen = min(valid, key=lambda line: (-line["accuracy"], line["loss"]))
    names = ("loss", "perplexity", "accuracy", "macro_f1")
    assert best == {"step": chosen["step"], **{f"valid_{name}": chosen[name] for name in names}}
    info = rnnlm("info", "run", "--json").json
    for which, found in (("best", best), ("last", last)):
        assert {f"valid_{name}": info[f"{which}_valid_{name}"] for name in names}.items() <= found.items()
    assert info["best_step"] == best["step"]
    [reported] = rnnlm("report", "run", "--json", "--quiet").json["runs"]
    assert (reported["best"], reported["last"]) == (best, last)
    resumed = rnnlm("train", "--out", "run", "--resume", "--quiet")
    expected = f"best validation accuracy {best['valid_accuracy']:.4f} at step {best['step']:,}\n"
    assert resumed == (0, expected, "")


@pytest.mark.parametrize(
    ("settings", "key", "sentence"),
    [
        (
            ["training.patience=2", "training.evaluate_every=1", "optimizer.learning_rate=1e-30"],
            "patience",
            "the validation loss has not fallen for 2 evaluations",
        ),
        (
            ["training.patience=1", "training.evaluate_every=1", "optimizer.learning_rate=1e-30"],
            "patience",
            "the validation loss has not fallen for 1 evaluation",
        ),
        ([], "max_steps", "8 steps are done"),
        (["training.max_steps=1"], "max_steps", "1 step is done"),
        (["training.max_seconds=1e-9"], "max_seconds", "0 seconds of training are over"),
        (["training.max_steps=null", "training.epochs=1"], "epochs", "1 epoch is done"),
    ],
)
def test_why_it_stops_is_said(rnnlm: Command, config: str, settings: list[str], key: str, sentence: str):
    changes = [part for each in settings for part in ("--set", each)]
    outcome = rnnlm("train", "--config", config, "--out", "run", "--json", *changes)
    assert outcome.json["ended_by"] == f"training.{key}"
    assert f"\nStopped: {sentence} (training.{key}).\n" in outcome.stderr
    again = rnnlm("train", "--config", config, "--out", "run", "--resume", *changes)
    assert f"The run has reached its end; raise training.{key} to go on.\n" in again.stderr


def test_a_training_begins_with_another_models_weights(rnnlm: Command, config: str):
    assert rnnlm("train", "--config", config, "--out", "first").exit_code == 0
    other = write_config("other.yaml", model={"hidden_size": 50}, training={"max_steps": 0})
    data = yaml.safe_load(Path(config).read_text())["data"]["path"]
    tuned = rnnlm("train", "--config", other, "--data", data, "--init-from", "first", "--out", "second")
    assert "hidden_size 6 (not the configuration's 50)" in tuned.stderr
    assert weights("second") == weights("first", "best")
    missing = rnnlm("train", "--config", other, "--data", data, "--init-from", "nowhere", "--out", "third")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "nowhere: no such directory" in missing.stderr
    assert not Path("third").exists()


def test_messages_go_to_stderr_and_quiet_silences_them(rnnlm: Command, config: str):
    loud = rnnlm("train", "--config", config)
    assert loud.stdout.startswith("best validation perplexity ")
    for message in (
        "Run directory: runs/tiny\n",
        "Network: rnn, 1 x 6, one-hot input, ",
        "step 6, epoch 1.00, ",
        "Saved in runs/tiny\n",
    ):
        assert message in loud.stderr
    assert rnnlm("train", "--config", config, "--out", "other", "--quiet") == (0, loud.stdout, "")


def test_a_run_directory_holds_what_was_done(rnnlm: Command, config: str, word_dataset: Path):
    rnnlm("train", "--config", config, "--out", "run", "--set", "optimizer.clip_norm=3")
    resolved = yaml.safe_load(Path("run/config.yaml").read_text())
    assert resolved["optimizer"]["learning_rate"] == 0.1
    assert resolved["optimizer"]["clip_norm"] == 3.0
    assert resolved["optimizer"]["weight_decay"] == 0.0
    assert resolved["training"]["bptt_steps"] == 35
    environment = json.loads(Path("run/environment.json").read_text())
    assert {"rnnlm", "numpy", "blas", "threads", "backend", "instruction_set"} <= set(environment)
    lines = metrics("run")
    assert [(line["split"], line["step"]) for line in lines] == [
        ("train", 4),
        ("valid", 6),
        ("train", 8),
        ("valid", 8),
    ]
    for line in lines:
        assert set(line) == {
            "step",
            "epoch",
            "tokens",
            "split",
            "loss",
            "perplexity",
            "learning_rate",
            "grad_norm",
            "tokens_per_second",
            "seconds",
        }
        assert line["perplexity"] == pytest.approx(math.exp(line["loss"]))
        assert line["grad_norm"] > 0
    assert lines[1]["epoch"] == 1
    assert lines[1]["tokens"] == Dataset.open(word_dataset).train.num_tokens
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_the_back_end_that_ran_is_said(
    rnnlm: Command, config: str, word_dataset: Path, monkeypatch: pytest.MonkeyPatch
):
    passes.build(monkeypatch, "AVX2", "x86-64")
    monkeypatch.setattr(networks, "_compiled", lambda: False)
    for setting, name, instructions, said in (
        ("auto", "compiled", "AVX2", "; compiled passes, AVX2\n"),
        ("numpy", "numpy", None, "; NumPy passes\n"),
    ):
        arguments = ["train", "--config", config, "--out", name, "--json", "--set", f"training.backend={setting}"]
        outcome = rnnlm(*arguments)
        assert outcome.json["backend"] == name
        assert said in outcome.stderr
        environment = json.loads(Path(name, "environment.json").read_text())
        assert (environment["backend"], environment["instruction_set"]) == (name, instructions)
        assert rnnlm("info", name, "--json").json["backend"] == name


def test_a_model_trained_with_compiled_passes_is_of_use_without(
    rnnlm: Command, config: str, monkeypatch: pytest.MonkeyPatch
):
    compiled = ["--set", "training.backend=compiled"]
    with monkeypatch.context() as patch:
        passes.build(patch, "AVX2")
        patch.setattr(networks, "_compiled", lambda: False)
        assert rnnlm("train", "--config", config, "--out", "run", *compiled).exit_code == 0
    passes.build(monkeypatch)
    backend.choose("auto")  # as in a new process
    assert rnnlm("evaluate", "--model", "run").exit_code == 0
    assert rnnlm("generate", "--model", "run").exit_code == 0
    refused = rnnlm("train", "--resume", "--out", "run")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "rnnlm: training.backend: the compiled passes are not built here; " in refused.stderr
    outcome = rnnlm("train", "--resume", "--out", "run", "--set", "training.backend=auto")
    assert outcome.exit_code == 0
    assert "Changed since then: training.backend from 'compiled' to 'auto'." in outcome.stderr


def test_the_same_seed_gives_the_same_model_byte_for_byte(rnnlm: Command, config: str):
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        rnnlm("train", "--config", config, "--out", out, "--quiet", "--set", f"training.seed={seed}")
    assert weights("a") == weights("b")
    assert weights("a") != weights("c")


def test_no_steps_write_the_untrained_network(rnnlm: Command, config: str, word_dataset: Path):
    outcome = rnnlm("train", "--config", config, "--out", "run", "--json", "--set", "training.max_steps=0")
    summary = outcome.json
    assert (summary["steps"], summary["epochs"], summary["tokens_per_second"]) == (0, 0, 0)
    assert summary["best"] == summary["last"] == {"step": None, "valid_loss": None, "valid_perplexity": None}
    size = len(Dataset.open(word_dataset).vocabulary)
    result = rnnlm("evaluate", "--model", "run", "--json").json
    assert result["perplexity"] == pytest.approx(size, rel=0.1)
    for name, tensor in load_file(RunDirectory("run").checkpoints.find("best") / "model.safetensors").items():
        bound = 1 / math.sqrt(size if name == "rnn.weight_ih_l0" else 6)
        assert 0.8 * bound < abs(tensor).max() <= bound


def test_data_on_the_command_line_comes_first(rnnlm: Command, config: str, word_dataset: Path):
    # A name that YAML would take for a number is a name all the same.
    shutil.copytree(word_dataset, "2024")
    outcome = rnnlm("train", "--config", config, "--out", "run", "--data", "2024", "--set", "data.path=elsewhere")
    assert outcome.exit_code == 0
    assert "Data: 2024, " in outcome.stderr
    assert yaml.safe_load(Path("run/config.yaml").read_text())["data"]["path"] == "2024"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.yaml"], "none.yaml: cannot read the configuration (No such file or directory)."),
        (
            ["--data", "none"],
            "none: no such directory; name a dataset, or make one with 'rnnlm preprocess'.",
        ),
        (["--set", "data.path=null"], "data.path: no dataset is named; give --data DIR."),
        (["--set", "model.hiden_size=3"], "'model.hiden_size'; did you mean 'model.hidden_size'?"),
        (["--set", "model.hidden_size=big"], "tiny.yaml with --set: model.hidden_size: must be a valid integer"),
        (["--set", "hidden_size=3"], "--set hidden_size=3: expected section.key=value"),
        (["--set", "model.tie_weights=true"], "model: tie_weights needs embedding_size equal to hidden_size (6)"),
        (["--set", "model.vocabulary_size=5"], "model.vocabulary_size: 5, but "),
        (["--out", "tiny.yaml"], "tiny.yaml: cannot write the run ("),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(rnnlm: Command, config: str, arguments: list[str], message: str):
    outcome = rnnlm("train", "--config", config, "--quiet", *arguments)
    assert outcome.exit_code == 1
    assert outcome.stdout == ""
    assert message in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert not Path("runs").exists()


def test_a_run_is_not_overwritten(rnnlm: Command, config: str):
    rnnlm("train", "--config", config, "--out", "run")
    before = weights("run")
    outcome = rnnlm("train", "--config", config, "--out", "run", "--set", "training.seed=9")
    assert outcome.exit_code == 1
    assert outcome.stderr == "rnnlm: run: there is a run in it; go on with --resume, or choose another --out.\n"
    assert weights("run") == before


def test_resume_trains_on_and_refuses_another_network(rnnlm: Command, config: str):
    whole = rnnlm("train", "--config", config, "--out", "whole", "--json").json
    arguments = ["train", "--config", config, "--out", "run"]
    rnnlm(*arguments, "--set", "training.max_steps=3")
    for change in ("model.hidden_size=7", "training.batch_size=5", "training.seed=4", "optimizer.name=adam"):
        outcome = rnnlm(*arguments, "--resume", "--quiet", "--set", change)
        assert outcome.exit_code == 1
        key, value = change.split("=")
        assert outcome.stderr.startswith(f"rnnlm: {key.split('.')[0]}")
        assert value in outcome.stderr
        assert (
            "that run was begun with; change it back, resume with --config run/config.yaml, or" in outcome.stderr
        )
    outcome = rnnlm(*arguments, "--resume", "--quiet", "--set", "optimizer.momentum=0.9")
    assert outcome.stderr.startswith("rnnlm: optimizer.momentum: above 0 is not the 0 that run was begun with; ")
    outcome = rnnlm(*arguments, "--resume", "--json")
    assert "Resumed at step 3." in outcome.stderr
    assert outcome.json["steps"] == whole["steps"] == 8
    # The shorter run was evaluated once more, which changes nothing in the weights.
    assert weights("run") == weights("whole")


def test_resume_takes_the_configuration_of_the_run(rnnlm: Command, config: str):
    rnnlm("train", "--config", config, "--out", "run", "--set", "training.max_steps=3")
    outcome = rnnlm("train", "--out", "run", "--resume", "--set", "training.max_steps=5", "--json")
    assert outcome.json["steps"] == 5
    assert "Changed since then: training.max_steps from 3 to 5." in outcome.stderr
    nowhere = rnnlm("train", "--out", "nowhere", "--resume")
    assert nowhere == (1, "", "rnnlm: nowhere: there is no run to resume in it; begin one with --config.\n")
    without = rnnlm("train", "--out", "run")
    assert without.exit_code == 2
    assert "Missing option '--config'" in without.stderr


def test_resume_refuses_another_validation_text(rnnlm: Command, config: str):
    Path("train.txt").write_text("the cat sees the bird\n" * 40)
    for name, text in (("one", "the cat"), ("two", "the bird")):
        Path(f"{name}.txt").write_text(text)
        rnnlm("preprocess", "train.txt", "--valid", f"{name}.txt", "--out", name)
    rnnlm("train", "--config", config, "--out", "run", "--data", "one")
    outcome = rnnlm("train", "--config", config, "--out", "run", "--data", "two", "--resume", "--quiet")
    assert outcome.stderr.startswith("rnnlm: two: not the dataset that run was begun with;")


def test_resume_of_nothing_is_refused(rnnlm: Command, config: str):
    outcome = rnnlm("train", "--config", config, "--out", "run", "--resume")
    assert outcome.exit_code == 1
    assert "run: there is no run to resume in it" in outcome.stderr
    assert not Path("run").exists()


def test_resume_of_a_finished_run_has_nothing_to_do(rnnlm: Command, config: str):
    first = rnnlm("train", "--config", config, "--out", "run", "--json").json
    before = weights("run"), metrics("run")
    again = rnnlm("train", "--config", config, "--out", "run", "--json", "--resume")
    assert again.exit_code == 0
    assert again.json == first
    assert (weights("run"), metrics("run")) == before


def test_resume_refuses_another_dataset(rnnlm: Command, config: str, char_dataset: Path):
    rnnlm("train", "--config", config, "--out", "run")
    outcome = rnnlm("train", "--config", config, "--out", "run", "--resume", "--quiet", "--data", char_dataset)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"rnnlm: {char_dataset}: not the dataset that run was begun with;")


def test_a_damaged_checkpoint_is_refused_by_name(rnnlm: Command, config: str):
    rnnlm("train", "--config", config, "--out", "run")
    model = RunDirectory("run").checkpoints.find("last") / "model.safetensors"
    damaged = bytearray(model.read_bytes())
    damaged[-1] ^= 1
    model.write_bytes(damaged)
    outcome = rnnlm("train", "--config", config, "--out", "run", "--resume", "--quiet")
    sentence = f"{model}: damaged, not what manifest.json says was saved; use another checkpoint."
    assert outcome == (1, "", f"rnnlm: {sentence}\n")


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(rnnlm: Command, config: str):
    changes = ["--set", "model.nonlinearity=relu", "--set", "optimizer.learning_rate=1e30"]
    outcome = rnnlm("train", "--config", config, "--out", "run", "--quiet", *changes)
    assert outcome.exit_code == 1
    last = RunDirectory("run").checkpoints.find("last")
    assert "is not a finite number after step" in outcome.stderr
    assert f"{last} is the last good checkpoint" in outcome.stderr
    assert "try a smaller optimizer.learning_rate" in outcome.stderr
    assert rnnlm("info", last).exit_code == 0


def test_without_a_validation_split_training_goes_through(rnnlm: Command, config: str, word_dataset: Path):
    division = DivisionSettings(valid_fraction=0, test_fraction=0)
    build_dataset([str(word_dataset.parent / "text.txt")], "data", division=division)
    outcome = rnnlm("train", "--config", config, "--out", "run", "--data", "data", "--json")
    assert outcome.exit_code == 0
    assert outcome.json["steps"] == 8
    assert outcome.json["last"]["valid_loss"] is None


# Long enough to be interrupted: seven evaluations, each with a checkpoint, come after the first one's message.
LONG = (
    *("--set", "training.max_steps=400", "--set", "training.evaluate_every=50", "--set", "training.epochs=99"),
    *("--set", "optimizer.name=adam", "--set", "optimizer.learning_rate=0.01"),
)


def test_ctrl_c_saves_and_resume_ends_as_if_nothing_had_happened(rnnlm: Command, config: str):
    # All in processes of their own: NumPy may have been told to use other kernels in this one.
    train = [sys.executable, "-m", "rnnlm", "train", "--config", config, *LONG]
    process = subprocess.Popen([*train, "--out", "run"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("step 50,"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert "--resume goes on from there." in stderr
    assert int(rnnlm("info", "run", "--json").json["step"]) < 400

    subprocess.run([*train, "--out", "run", "--resume", "--quiet"], check=True)
    subprocess.run([*train, "--out", "whole", "--quiet"], check=True)
    assert weights("run") == weights("whole")
    assert weights("run", "best") == weights("whole", "best")
    for ours, theirs in zip(metrics("run"), metrics("whole"), strict=True):
        timeless = set(ours) - {"seconds", "tokens_per_second"}
        assert {key: ours[key] for key in timeless} == {key: theirs[key] for key in timeless}
    assert Path("run/samples.jsonl").read_text() == Path("whole/samples.jsonl").read_text()


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Signals that come, once, while the metrics of step 4 are written; a test fills the list."""
    signals: list[int] = []
    append = Logs.append

    def append_and_send(self: Logs, name: str, values: dict[str, Any]) -> None:
        append(self, name, values)
        while name == METRICS and values["step"] == 4 and signals:
            os.kill(os.getpid(), signals.pop())

    monkeypatch.setattr(Logs, "append", append_and_send)
    return signals


@pytest.mark.parametrize("times", [1, 2])  # GNU timeout sends it to the process, and then to its whole group
def test_sigterm_saves_too(rnnlm: Command, config: str, signals: list[int], times: int):
    handler = signal.getsignal(signal.SIGTERM)
    signals.extend([signal.SIGTERM] * times)
    outcome = rnnlm("train", "--config", config, "--out", "run", "--json")
    assert outcome.exit_code == 143
    assert outcome.json["steps"] == 4
    assert "Stopped and saved at step 4; --resume goes on from there." in outcome.stderr
    assert signal.getsignal(signal.SIGTERM) is handler
    rnnlm("train", "--config", config, "--out", "run", "--resume")
    rnnlm("train", "--config", config, "--out", "whole")
    assert weights("run") == weights("whole")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none")
def test_a_closed_terminal_saves(rnnlm: Command, config: str, signals: list[int], monkeypatch: pytest.MonkeyPatch):
    def echo(*arguments: object, **options: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    signals.append(signal.SIGHUP)
    with monkeypatch.context() as patch:
        patch.setattr("click.echo", echo)
        assert rnnlm("train", "--config", config, "--out", "run").exit_code == 129
    assert rnnlm("info", "run", "--json").json["step"] == 4


def test_a_second_ctrl_c_stops_at_once_and_the_checkpoint_before_is_kept(
    rnnlm: Command, config: str, signals: list[int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rnnlm.signals.ONE_STOP_SECONDS", 0)
    signals.extend([signal.SIGINT, signal.SIGINT])
    outcome = rnnlm("train", "--config", config, "--out", "run")
    assert outcome.exit_code == 130
    assert outcome.stderr.endswith("rnnlm: Interrupted.\n")
    assert rnnlm("info", "run", "--json").json["step"] == 0
    rnnlm("train", "--config", config, "--out", "run", "--resume")
    rnnlm("train", "--config", config, "--out", "whole")
    assert weights("run") == weights("whole")
    assert [line["step"] for line in metrics("run")] == [4, 6, 8, 8]
