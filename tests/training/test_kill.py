"""A run that is killed without warning ends, when resumed, with the bytes of one that never was."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.storage.run_directory import RunDirectory

from .runs import contents

MOST_CALLS = 100
"""A life ends at one of so many first calls that change the disk: at most in its fifth checkpoint, here."""

STEPS_FOR_A_LIFE = 40

# Ends itself at the call whose number is its first argument; 0 is never.
TRAIN = """
import os, signal, sys
from rnnlm.cli.main import main

left = int(sys.argv[1])

def watched(call):
    def watch(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return watch

for name in ("mkdir", "fsync", "rename", "replace", "unlink", "rmdir", "truncate"):
    setattr(os, name, watched(getattr(os, name)))
main(sys.argv[2:])
"""


TRANSLATOR = ("task.name=translate", "task.attention=additive", "model.cell=gru", "model.embedding_size=4")
CLASSIFIER = ("task.name=classify", "model.cell=gru", "model.embedding_size=4", "model.bidirectional=true")


def start(
    dataset: Path, out: Path, steps: int, last_call: int = 0, task: tuple[str, ...] = ()
) -> "subprocess.Popen[bytes]":
    """Begin the run or go on with it, in a process of its own."""
    settings = (
        "model.hidden_size=8",
        "training.batch_size=2",
        "training.epochs=1000",
        f"training.max_steps={steps}",
        "training.checkpoint_every=7",
        "training.log_every=5",
        "optimizer.name=adam",
        "optimizer.learning_rate=0.001",
        *task,
    )
    config = out.with_suffix(".yaml")
    config.write_text("")
    resume = ["--resume"] if RunDirectory(out).exists else []
    options = [f"--config={config}", f"--data={dataset}", f"--out={out}", *(f"--set={s}" for s in settings)]
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(last_call), "train", "--quiet", *resume, *options])


def kill_at_some_time(process: "subprocess.Popen[bytes]", index: Path, rng: random.Random) -> None:
    """Kill a process once it has written a checkpoint, within the next."""
    before = index.read_bytes() if index.exists() else None
    while process.poll() is None and (index.read_bytes() if index.exists() else None) == before:
        time.sleep(0.002)
    time.sleep(0.05 * rng.random())
    process.kill()


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_again_and_again(dataset: Dataset, tmp_path: Path, kills: int) -> None:
    check(dataset.path, tmp_path, kills)


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_a_classifier_killed_again_and_again(label_dataset: Path, tmp_path: Path, kills: int) -> None:
    check(label_dataset, tmp_path, kills, CLASSIFIER)


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_a_translator_killed_again_and_again(pair_dataset: Path, tmp_path: Path, kills: int) -> None:
    check(pair_dataset, tmp_path, kills, TRANSLATOR)


def check(dataset: Path, tmp_path: Path, kills: int, task: tuple[str, ...] = ()) -> None:
    """Kill a run so many times, and compare it with one that never was."""
    rng = random.Random(0)
    whole, killed, steps = tmp_path / "whole", tmp_path / "killed", STEPS_FOR_A_LIFE * kills
    assert start(dataset, whole, steps, task=task).wait() == 0
    for life in range(kills):
        process = start(dataset, killed, steps, rng.randint(1, MOST_CALLS), task)
        if life % 2:
            kill_at_some_time(process, killed / "checkpoints" / "index.json", rng)
        assert process.wait() == -signal.SIGKILL
    assert start(dataset, killed, steps, task=task).wait() == 0
    assert contents(killed) == contents(whole)
