"""What goes wrong on one rank ends all with one sentence, and the run goes on from its last checkpoint."""

import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import rnnlm
from rnnlm.dataset.store import Dataset
from rnnlm.storage.run_directory import RunDirectory
from tests import mpi

from .runs import contents

# Trains; the rank that the second argument names meets its fate, the first, at the step that the third gives.
TRAIN = """
import errno, os, signal, sys, threading
from rnnlm.cli.main import main
from rnnlm.ranks.joining import current
from rnnlm.training.step import TrainingStep

fate, who, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
steps = calls = 0

def fail(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

def take(self, *arguments, take=TrainingStep.take):
    global steps
    steps += 1
    if current().rank == who and steps == step:
        if fate == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "kill soon":
            threading.Timer(int(sys.argv[4]) / 1000, os.kill, (os.getpid(), signal.SIGKILL)).start()
        if fate == "full disk":
            os.fsync = fail
        if fate == "memory":
            raise MemoryError("too large")
        if fate == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        if fate == "overflow":
            for value in self.network.parameters.values():
                value[...] = float("nan")
    return take(self, *arguments)

def watched(call):
    def watch(*arguments, **options):
        global calls
        calls += 1
        if fate == "kill at call" and calls == step and current().is_first:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return watch

TrainingStep.take = take
for name in ("mkdir", "fsync", "rename", "replace", "unlink", "rmdir", "truncate"):
    setattr(os, name, watched(getattr(os, name)))
main(sys.argv[5:])
"""

SETTINGS = (
    "model.hidden_size=8",
    "training.batching=stream",
    "training.batch_size=5",
    "training.bptt_steps=6",
    "training.epochs=1000",
    "training.checkpoint_every=5",
    "training.log_every=3",
    "optimizer.name=adam",
    "optimizer.learning_rate=0.001",
)


def start(
    dataset: Path | str,
    out: Path,
    fate: str = "none",
    who: int = 0,
    step: int = 0,
    *,
    number: int = 2,
    steps: int = 30,
    milliseconds: int = 0,
    settings: tuple[str, ...] = (),
) -> "subprocess.Popen[str]":
    """Begin a run on several ranks or go on with it; one of them meets its fate at a step."""
    config = out.with_suffix(".yaml")
    config.write_text("")
    options = [f"--config={config}", f"--data={dataset}", f"--out={out}", f"--set=training.max_steps={steps}"]
    options += [f"--set={setting}" for setting in (*SETTINGS, *settings)]
    if RunDirectory(out).exists:
        options.append("--resume")
    command = mpi.command(number, "-c", TRAIN, fate, who, step, milliseconds, "train", *options)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> list[str]:
    """Return what our program says when it ends, of which mpiexec may say things too."""
    _, stderr = process.communicate(timeout=300)
    assert "Traceback" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("rnnlm: ")]


def last_step(out: Path) -> int:
    """Return the step of the last checkpoint, which is whole."""
    rnnlm.load(out)
    return int(RunDirectory(out).checkpoints.load("last").state["progress"]["step"])


@pytest.fixture(autouse=True)
def _needs_mpi() -> None:
    mpi.need()


@pytest.mark.parametrize(
    ("fate", "who", "expected", "kept"),
    [
        ("kill", 1, r"rank 1 on \S+ was killed, perhaps for want of memory; all ranks have ended\.", 10),
        ("kill", 0, r"rank 0 on \S+ was killed, perhaps for want of memory; all ranks have ended\.", 10),
        ("full disk", 0, r"rank 0 on \S+: .*No space left on device\); .* go on with --resume\.", 10),
        ("memory", 1, r"rank 1 on \S+: not enough memory: too large; .*", 10),
        (
            "overflow",
            1,
            r"The loss of rank 1 on \S+ is not a finite number after step 12; .*step-00000010 is the .*",
            10,
        ),
    ],
)
def test_what_befalls_one_rank_ends_all(
    dataset: Dataset, tmp_path: Path, fate: str, who: int, expected: str, kept: int
) -> None:
    out = tmp_path / "run"
    process = start(dataset.path, out, fate, who, 13)
    [line] = said(process)
    assert re.fullmatch(f"rnnlm: {expected}", line), line
    assert process.returncode != 0
    assert last_step(out) == kept
    process = start(dataset.path, out)
    assert (said(process), process.returncode) == ([], 0)
    assert last_step(out) == 30


def test_a_signal_to_one_rank_stops_all_after_the_step(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(dataset.path, out, "signal", 1, 13)
    _, stderr = process.communicate(timeout=300)
    assert "Stopped and saved at step 13; --resume goes on from there." in stderr
    assert process.returncode == 128 + signal.SIGTERM
    assert last_step(out) == 13


def test_ctrl_c_stops_all(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(dataset.path, out, steps=100_000)
    while not RunDirectory(out).exists:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert re.search(r"Stopped and saved at step [\d,]+; --resume goes on from there\.", stderr)
    assert process.returncode == 128 + signal.SIGINT


def in_folders(tmp_path: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a rank in each of two folders, which stand for two machines."""
    (tmp_path / "a").mkdir(exist_ok=True)
    (tmp_path / "b").mkdir(exist_ok=True)
    (tmp_path / "a" / "config.yaml").write_text("training: {max_steps: 2}")
    program = mpi.command(1, "-m", "rnnlm", "train", "--config=config.yaml", "--data=data", "--out=run", *options)
    each = [["-n", "1", "-wdir", str(tmp_path / folder), *program] for folder in ("a", "b")]
    command = [str(mpi.MPIEXEC), *each[0], ":", *each[1]]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_rank_without_the_dataset_is_named(dataset: Dataset, tmp_path: Path) -> None:
    shutil.copytree(dataset.path, tmp_path / "a" / "data")
    process = in_folders(tmp_path)
    [line] = said(process)
    assert re.match(r"rnnlm: rank 1 on \S+: data: ", line), line
    assert process.returncode == 1


def test_a_rank_with_another_dataset_is_named(dataset: Dataset, word_dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset.path, tmp_path / "a" / "data")
    shutil.copytree(word_dataset, tmp_path / "b" / "data")
    process = in_folders(tmp_path)
    [line] = said(process)
    assert re.fullmatch(
        r"rnnlm: data: rank 1 on \S+ has another dataset there than rank 0 on \S+; copy it anew\.", line
    )
    assert process.returncode == 1


def test_all_but_the_dataset_is_read_and_written_by_the_first_rank(dataset: Dataset, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        shutil.copytree(dataset.path, tmp_path / folder / "data")
    for options in ((), ("--resume", "--set=training.max_steps=4")):
        process = in_folders(tmp_path, *options)
        stdout, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
        assert stdout.count("best validation perplexity") == 1
        assert stderr.count("Network: ") == 1
        assert re.search(r"Trained by 2 ranks on \S+\.", stderr)
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["data"]
    assert last_step(tmp_path / "a" / "run") == 4


@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_again_and_again(dataset: Dataset, tmp_path: Path, kills: int) -> None:
    rng = random.Random(0)
    whole, killed, steps = tmp_path / "whole", tmp_path / "killed", 12 * kills
    assert said(start(dataset.path, whole, steps=steps)) == []
    for life in range(kills):
        if life % 2:
            process = start(dataset.path, killed, "kill at call", 0, rng.randint(1, 100), steps=steps)
        else:
            at, later = rng.randint(1, 12), rng.randint(0, 20)
            process = start(
                dataset.path, killed, "kill soon", rng.randrange(2), at, steps=steps, milliseconds=later
            )
        assert len(said(process)) == 1
    assert said(start(dataset.path, killed, steps=steps)) == []
    assert contents(killed) == contents(whole)
