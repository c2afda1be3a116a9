import shutil
import subprocess
from pathlib import Path

import pytest

from rnnlm.cli.main import COMMANDS

from .conftest import Command


@pytest.fixture
def completed(rnnlm: Command, monkeypatch: pytest.MonkeyPatch):
    """Return a function that lists what bash is told of a line whose last word is begun."""

    def complete(line: str) -> list[str]:
        monkeypatch.setenv("_RNNLM_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        outcome = rnnlm()
        monkeypatch.delenv("_RNNLM_COMPLETE")
        assert (outcome.exit_code, outcome.stderr) == (0, "")
        return outcome.stdout.split()

    return complete


def test_commands_options_choices_keys_and_paths_are_completed(completed) -> None:
    assert completed("rnnlm ") == [f"plain,{name}" for name in COMMANDS]
    assert completed("rnnlm tr") == ["plain,train"]
    completed("rnnlm preproces --")  # whatever is listed, no error is
    assert completed("rnnlm generate --top") == ["plain,--top-k", "plain,--top-p"]
    assert completed("rnnlm evaluate --split t") == ["plain,train", "plain,test"]
    assert completed("rnnlm train --set model.h") == ["plain,model.hidden_size="]
    assert completed("rnnlm generate --model runs/b") == ["file,runs/b"]
    assert completed("rnnlm info runs/b") == ["file,runs/b"]
    for line in (
        "preprocess",
        "preprocess a.txt",
        "preprocess --valid",
        "preprocess --test",
        "generate --prompts",
        "score",
        "rescore",
    ):
        assert completed(f"rnnlm {line} tex") == ["file,tex"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(rnnlm: Command, shell: str) -> None:
    outcome = rnnlm("completion", shell)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert f"_RNNLM_COMPLETE={shell}_complete" in outcome.stdout
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    Path("script").write_text(outcome.stdout)
    subprocess.run([shell, "-n", "script"], check=True)


def test_fish_shows_descriptions_to_their_end(rnnlm: Command) -> None:
    script = rnnlm("completion", "fish").stdout
    assert 'string split --max 1 ","' in script


def test_another_shell_is_wrong_usage(rnnlm: Command) -> None:
    outcome = rnnlm("completion", "tcsh")
    assert outcome.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in outcome.stderr
