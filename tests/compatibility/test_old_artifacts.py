"""Datasets, runs and checkpoints of an earlier commit are read, and trained on, as by that commit.

scripts/make_old_artifacts.py made them. Where NumPy computes as it did then, tensors are the same to the last bit.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import rnnlm as package
from tests.cli.conftest import Command
from tests.compatibility.surroundings import surroundings

HERE = Path(__file__).parent
MADE = HERE / "made"
DATASETS = sorted(path.name for path in (MADE / "data").iterdir())
RUNS = sorted(path.name for path in (MADE / "runs").iterdir())

CLOCK = {"seconds", "logged_seconds", "training_seconds", "logs"}
"""Keys of values that are others every time: times, and the sizes of logs in which there are times."""

TOLERANCE = {"float32": 3e-5, "float64": 1e-12}
"""How far numbers may be apart, relatively or absolutely: ten times as far as kernels for x86 put them."""


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def last_checkpoint(run: Path) -> Path:
    name: str = read_json(run / "checkpoints" / "index.json")["last"]
    return run / "checkpoints" / name


def assert_alike(found: Any, expected: Any) -> None:
    """Compare values of JSON: fractions within the tolerance, paths of any system. There may be more keys now."""
    if isinstance(expected, dict):
        assert found.keys() >= expected.keys()
        for key in expected.keys() - CLOCK:
            assert_alike(found[key], expected[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_alike(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=TOLERANCE["float32"])
    elif isinstance(expected, str):
        assert found.replace(os.sep, "/") == expected
    else:
        assert found == expected


def assert_commands_print(commands: list[dict[str, Any]], rnnlm: Command) -> None:
    for command in commands:
        outcome = rnnlm(*command["arguments"])
        assert outcome.stderr == ""
        assert_alike([json.loads(line) for line in outcome.stdout.splitlines()], command["printed"])


@pytest.fixture(autouse=True)
def copies(working_directory: Path) -> None:
    """Put copies where the commands run: nothing in the checkout is changed."""
    for name in ("data", "runs"):
        shutil.copytree(MADE / name, working_directory / name)
    shutil.copyfile(HERE / "text.txt", working_directory / "text.txt")


@pytest.mark.parametrize("name", DATASETS)
def test_the_same_text_gives_the_same_dataset(rnnlm: Command, name: str) -> None:
    assert_commands_print(read_json(MADE / "expected" / f"{name}-dataset.json")["commands"], rnnlm)
    new, old = (
        {path.name: path.read_bytes() for path in (where / "data" / name).iterdir()} for where in (Path(), MADE)
    )
    assert new == old


@pytest.mark.parametrize("name", RUNS)
def test_a_model_gives_the_same_log_probabilities(name: str) -> None:
    expected = read_json(MADE / "expected" / f"{name}.json")
    log_probs = package.load(f"runs/{name}").log_probs(expected["ids"])
    np.testing.assert_allclose(log_probs, expected["log_probs"], rtol=TOLERANCE[str(log_probs.dtype)])


@pytest.mark.parametrize("name", RUNS)
def test_the_commands_print_the_same_of_a_run(rnnlm: Command, name: str) -> None:
    assert_commands_print(read_json(MADE / "expected" / f"{name}.json")["commands"], rnnlm)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_goes_on_to_the_same_end(rnnlm: Command, name: str) -> None:
    ended = MADE / "ended" / name
    state = read_json(ended / "training_state.json")
    steps = f"training.max_steps={state['progress']['step']}"
    assert rnnlm("train", "--resume", f"--out=runs/{name}", f"--set={steps}").exit_code == 0
    checkpoint = last_checkpoint(Path("runs", name))
    new_state = read_json(checkpoint / "training_state.json")
    same_kernel = new_state.pop("arithmetic") == f"{state.pop('arithmetic')}; NumPy passes"
    assert_alike(new_state, state)
    exact = same_kernel and surroundings() == read_json(MADE / "made_with.json")
    tolerance = 0 if exact else TOLERANCE[package.load(checkpoint).config.training.dtype]
    for file in ("model.safetensors", "training_state.safetensors"):
        new, old = (safetensors.numpy.load_file(where / file) for where in (checkpoint, ended))
        assert new.keys() == old.keys()
        for key in old:
            assert new[key].dtype == old[key].dtype
            np.testing.assert_allclose(new[key], old[key], rtol=tolerance, atol=tolerance, err_msg=key)
