"""The walks of docs/architecture.md, repeated."""

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import yaml

from rnnlm.cli.main import main

PROJECT = Path(__file__).parent.parent

TEXT = "I think that it is fine. You think so too?\n\nThe cat sat on the mat, and I think it is fine.\n"

LABELLED = "label,text\nyes,I think that it is fine.\nno,The cat sat on the mat.\n"

CONFIG: dict[str, Any] = {
    "model": {"cell": "lstm", "hidden_size": 5, "embedding_size": 4},
    "training": {"batching": "stream", "batch_size": 2, "max_steps": 2, "sample_tokens": 0},
}

CLASSIFIER: dict[str, Any] = {
    "task": {"name": "classify"},
    "model": {**CONFIG["model"], "bidirectional": True},
    "training": {"max_steps": 2},
}

FORECASTER: dict[str, Any] = {
    "task": {"name": "forecast"},
    "model": {"cell": "time_delay", "width": 3, "hidden_size": 4},
    "training": {"max_steps": 2},
}


def listed(beginning: str) -> list[tuple[str, str]]:
    """Read the list under a paragraph: files, and the names of functions in them."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    items = text[text.index(f"\n{beginning}") :].split("\n\n")[1]
    return re.findall(r"^\d+\. `([\w/]+\.py)`: `([\w.]+)`", items, re.MULTILINE)


def called(*commands: str) -> list[tuple[str, str]]:
    """Run commands, and note the package's functions as they are called."""
    package = str(PROJECT / "rnnlm")
    calls = []

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(package):
            calls.append((code.co_filename, code.co_name))

    before: Any = sys.getprofile()
    for command in commands:
        sys.setprofile(note)
        try:
            main(command.split())
        finally:
            sys.setprofile(before)
    return [(Path(file).relative_to(package).as_posix(), function) for file, function in calls]


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RNNLM_BACKEND", "numpy")  # whose passes are those that are read
    Path("text.txt").write_text(7 * TEXT)
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    Path("labelled.csv").write_text(LABELLED)
    Path("classifier.yaml").write_text(yaml.safe_dump(CLASSIFIER))
    Path("forecaster.yaml").write_text(yaml.safe_dump(FORECASTER))


PREPROCESS = "preprocess text.txt --sentences --out data --quiet"
TRAIN = "train --config config.yaml --data data --out run --quiet"
GENERATE = "generate --model run --seed-text Fine --max-tokens 4 --min-tokens 3 --quiet --seed 1"
LABELS = "preprocess labelled.csv --label-column label --out data --quiet"
CLASSIFY = "train --config classifier.yaml --data data --out run --quiet"
PREDICT = "predict --model run --text Fine. --quiet"

SERIES = "preprocess --format series --out data --quiet"
FIT = "train --config forecaster.yaml --data data --out run --quiet"
FORECAST = "predict --model run --steps 2 --quiet"


@pytest.mark.parametrize(
    ("beginning", "before", "commands"),
    [
        ("From a file to the gradient", [], [PREPROCESS, TRAIN]),
        ("From a seed text", [PREPROCESS, TRAIN], [GENERATE]),
        ("From a text to its label", [LABELS, CLASSIFY], [PREDICT]),
        ("From a file of numbers", [], [SERIES, FIT, FORECAST]),
    ],
    ids=["token", "seed text", "label", "forecast"],
)
def test_a_walk_is_the_order_of_the_calls(beginning: str, before: list[str], commands: list[str]) -> None:
    called(*before)
    steps, calls = listed(beginning), called(*commands)
    assert len(steps) > 15
    assert len({file for file, _ in steps}) == len(steps)
    rest = iter(calls)
    for file, function in steps:
        step = (file, function.rpartition(".")[2])
        assert step in calls, f"{step} is not called"
        assert any(call == step for call in rest), f"{step} is not called after the one before it"
