from pathlib import Path

import pytest
import yaml

from rnnlm.report.info import describe
from rnnlm.storage.run_directory import RunDirectory

from .conftest import Command


@pytest.mark.parametrize("kind", ["dataset", "run", "checkpoint"])
def test_json_and_yaml_say_what_is_there(rnnlm: Command, kind: str, word_run: Path, word_dataset: Path):
    paths = {
        "dataset": word_dataset,
        "run": word_run,
        "checkpoint": RunDirectory(word_run).checkpoints.find("best"),
    }
    expected = describe(paths[kind])
    assert expected["kind"] == kind
    for quiet in ([], ["--quiet"]):
        outcome = rnnlm("info", paths[kind], "--json", *quiet)
        assert (outcome.exit_code, outcome.stderr) == (0, "")
        assert outcome.json == expected
    assert yaml.safe_load(rnnlm("info", paths[kind]).stdout) == expected


def test_a_classifier_is_described(rnnlm: Command, label_run: Path):
    expected = describe(label_run)
    assert (expected["task"], expected["num_labels"]) == ("classify", 3)
    assert 0 < expected["last_valid_accuracy"] <= expected["best_valid_accuracy"] <= 1
    assert rnnlm("info", label_run, "--json").json == expected
    assert yaml.safe_load(rnnlm("info", label_run).stdout) == expected


def test_a_strangers_directory_is_left_alone(rnnlm: Command):
    Path("holiday").mkdir()
    Path("holiday/photo.jpg").touch()
    outcome = rnnlm("info", "holiday")
    assert outcome == (1, "", "rnnlm: holiday: neither a dataset nor a run nor a checkpoint directory.\n")
    assert [path.name for path in Path("holiday").iterdir()] == ["photo.jpg"]
