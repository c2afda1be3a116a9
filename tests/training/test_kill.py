"""A run that is killed without warning ends, when resumed, with the bytes of one that never was."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from rnnlm.dataset.store import Dataset
from rnnlm.training.checkpoint import MODEL
from rnnlm.training.run_directory import RunDirectory

STEPS = 400


def command(dataset: Dataset, out: Path) -> list[str]:
    settings = (
        "model.hidden_size=8",
        "training.batch_size=2",
        "training.epochs=1000",
        f"training.max_steps={STEPS}",
        "training.checkpoint_every=7",
        "training.log_every=5",
        "optimizer.name=adam",
        "optimizer.learning_rate=0.001",
    )
    config = out.with_suffix(".yaml")
    config.write_text("")
    options = [f"--set={setting}" for setting in settings]
    base = [sys.executable, "-m", "rnnlm", "train", "--quiet"]
    if RunDirectory(out).exists:
        base.append("--resume")
    return [*base, f"--config={config}", f"--data={dataset.path}", f"--out={out}", *options]


def test_killed_again_and_again(dataset: Dataset, tmp_path: Path) -> None:
    subprocess.run(command(dataset, tmp_path / "whole"), check=True)
    rng = random.Random(0)
    kills = 0
    while True:
        process = subprocess.Popen(command(dataset, tmp_path / "killed"))
        if kills < 4:
            # Import and start take most of the first second; the kill falls into training or saving.
            index = tmp_path / "killed" / "checkpoints" / "index.json"
            before = index.read_bytes() if index.exists() else None
            while process.poll() is None and (index.read_bytes() if index.exists() else None) == before:
                time.sleep(0.005)
            time.sleep(rng.random() * 0.2)
            process.kill()
        kills += process.wait() == -signal.SIGKILL
        if process.returncode == 0:
            break
    assert kills > 0
    whole, killed = (RunDirectory(tmp_path / name) for name in ("whole", "killed"))
    for which in ("best", "last"):
        assert killed.checkpoint(which).name == whole.checkpoint(which).name
        assert (killed.checkpoint(which) / MODEL).read_bytes() == (whole.checkpoint(which) / MODEL).read_bytes()
    assert (killed.path / "samples.jsonl").read_bytes() == (whole.path / "samples.jsonl").read_bytes()
