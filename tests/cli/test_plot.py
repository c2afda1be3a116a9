import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from rnnlm.report.runlog import RunLog

from .conftest import Command


def test_the_picture_of_a_run_is_drawn_into_it(rnnlm: Command, word_run: Path):
    pytest.importorskip("matplotlib")
    shutil.copytree(word_run, "a")
    assert rnnlm("plot", "a") == (0, "", f"Plot: {Path('a/curves.png')}\n")
    assert Path("a/curves.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_asked_for_is_drawn(
    rnnlm: Command, word_run: Path, char_run: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn = []

    def draw(runs: Sequence[RunLog], path: Path, x: str) -> None:
        drawn.append(([run.path for run in runs], path, x))

    monkeypatch.setattr("rnnlm.report.picture.plot", draw)
    outcome = rnnlm("plot", word_run, char_run, "--json", "--quiet")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.json["plot"] == "curves.png"
    assert [result["run"] for result in outcome.json["runs"]] == [str(word_run), str(char_run)]
    assert rnnlm("plot", char_run, "--x", "epoch", "-o", "a.svg") == (0, "", "Plot: a.svg\n")
    assert drawn == [([word_run, char_run], Path("curves.png"), "step"), ([char_run], Path("a.svg"), "epoch")]
