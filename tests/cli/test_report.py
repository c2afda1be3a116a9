import shutil
from pathlib import Path

import pytest

from .conftest import Command


@pytest.fixture
def run(word_run: Path, tmp_path: Path) -> Path:
    """Copy a run, because its page is written into it."""
    return shutil.copytree(word_run, tmp_path / "a")


def test_the_page_of_a_run_is_written_into_it(rnnlm: Command, run: Path):
    outcome = rnnlm("report", "a")
    assert outcome == (0, "", f"Report: {Path('a/report.html')}\n")
    assert "<title>Training of a</title>" in (run / "report.html").read_text(encoding="utf-8")
    assert rnnlm("report", "a", "--quiet") == (0, "", "")


def test_the_page_of_several_runs_is_written_here(rnnlm: Command, run: Path, char_run: Path):
    assert rnnlm("report", "a", char_run) == (0, "", "Report: report.html\n")
    assert "<title>Training of a, run</title>" in Path("report.html").read_text(encoding="utf-8")


def test_json_has_the_results_of_every_run(rnnlm: Command, run: Path, char_run: Path):
    outcome = rnnlm("report", "a", char_run, "-o", "b.html", "--json", "--quiet")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert set(outcome.json) == {"report", "runs"}
    assert outcome.json["report"] == "b.html"
    assert [result["run"] for result in outcome.json["runs"]] == ["a", str(char_run)]
    info = rnnlm("info", "a", "--json").json
    assert outcome.json["runs"][0]["best"]["step"] == info["best_step"]
    assert outcome.json["runs"][0]["best"]["valid_loss"] == info["best_valid_loss"]
    assert outcome.json["runs"][0]["steps"] == info["step"]


def test_of_the_dataset_its_metadata_is_enough(rnnlm: Command, run: Path, word_dataset: Path):
    data = shutil.copytree(word_dataset, "data")
    (Path(data) / "train.bin").write_bytes(b"damaged")
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("path:", "path: data #"))
    assert rnnlm("report", "a").exit_code == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Unknown in the test split" in page
    assert "dataset not available" not in page
    for arguments in (["info", "data"], ["train", "--config", config, "--out", "b"]):
        refused = rnnlm(*arguments)
        assert refused.exit_code == 1
        assert "train.bin: this file has 7 bytes" in refused.stderr
    (Path(data) / "dataset.yaml").write_text("damaged")
    rnnlm("report", "a")
    assert "dataset not available" in (run / "report.html").read_text(encoding="utf-8")


def test_the_horizontal_axis_can_be_chosen(rnnlm: Command, run: Path):
    rnnlm("report", "a", "--x", "seconds")
    assert ">seconds of training</text>" in (run / "report.html").read_text(encoding="utf-8")


def test_events_are_written_beside_the_page(rnnlm: Command, run: Path):
    pytest.importorskip("tensorboardX")
    outcome = rnnlm("report", "a", "--tensorboard", "events")
    assert outcome.exit_code == 0
    assert "Events for TensorBoard: events\n" in outcome.stderr
    [file] = Path("events/a").iterdir()
    assert file.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["none"], 1, "rnnlm: none: no such directory; name a run."),
        (
            ["a", "-o", "nowhere/b.html"],
            1,
            f"rnnlm: {Path('nowhere/b.html')}: the page cannot be written (No such ",
        ),
        ([], 2, "Error: Missing argument 'RUN...'."),
        (["a", "--x", "week"], 2, "Error: Invalid value for '--x'"),
    ],
)
def test_what_is_wrong_is_said(rnnlm: Command, run: Path, arguments: list[str], exit_code: int, message: str):
    for command in ("report", "plot"):
        if command == "plot" and "-o" in arguments:
            continue
        outcome = rnnlm(command, *arguments)
        assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
        assert outcome.stderr.splitlines()[-1].startswith(message)
