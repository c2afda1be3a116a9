import os
import shutil
import subprocess
import sys
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


def test_values_are_completed_where_they_are_few(completed) -> None:
    assert completed("rnnlm train --set model.cell = l") == [
        f"plain,{cell}" for cell in ("lstm", "lstm_peephole", "lstm_coupled", "lstm_no_forget")
    ]
    assert completed("rnnlm train --set = model.bias =") == ["plain,true", "plain,false"]
    assert completed("rnnlm train --set training.patience =") == ["plain,null"]
    assert completed("rnnlm train --set training.batch_size =") == []
    assert completed("rnnlm train --set model.nothing =") == []
    # bash takes words apart at "=", unless it is told not to.
    assert completed("rnnlm preprocess --level = w") == ["plain,word"]
    assert completed("rnnlm preprocess --level=w") == ["plain,--level=word"]
    assert completed("rnnlm preprocess --level = word --tok") == ["plain,--tokenizer"]


def in_shell(shell: list[str], script: str) -> list[str]:
    """Run a script with the program on the PATH, and return its words."""
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    program = Path("bin/rnnlm")
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rnnlm "$@"\n')
    program.chmod(0o755)
    Path("conf.yaml").touch()
    path = f"{program.parent.resolve()}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": os.getcwd(), "LC_ALL": "C.UTF-8"}  # for names of folders
    outcome = subprocess.run([*shell, script], capture_output=True, text=True, check=True, env=environment)
    return outcome.stdout.split()


def test_bash_puts_the_value_behind_the_equals_sign() -> None:
    script = """
    eval "$(rnnlm completion bash)"
    for words in "--level = w" "--level = " "--level w"; do
        COMP_WORDS=(rnnlm preprocess $words) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
        _rnnlm_completion rnnlm
        echo "${COMPREPLY[@]}" .
    done
    """
    assert in_shell(["bash", "-c"], script) == ["word", ".", "word", "char", ".", "word", "."]


def test_zsh_replaces_the_whole_word() -> None:
    # What only works while a line is edited is replaced by what prints.
    script = """
    compdef() { : }
    compadd() { print -r -- $completions }
    _describe() { print -r -- "$completions_with_descriptions[1]" "${(q)@[-2]}" "${(q)@[-1]}" }
    compset() { print -r -- compset "$@" }
    _path_files() { print -r -- files }
    eval "$(rnnlm completion zsh)"
    words=(rnnlm preprocess --level=w) CURRENT=3
    _rnnlm_completion
    words=(rnnlm train --config=co) CURRENT=3
    _rnnlm_completion
    words=(rnnlm train --set model.hid) CURRENT=4
    _rnnlm_completion
    """
    assert in_shell(["zsh", "-fc"], script) == [
        *["--level=word", "compset", "-P", "--*=", "files"],
        *["model.hidden_size=:Units", "of", "each", "layer.", "-S", "''"],
    ]


def test_fish_completes_values_and_paths_behind_an_option() -> None:
    script = """
    rnnlm completion fish | source
    for line in 'preprocess --level=w' 'train --config=co' 'train --config co' 'train --set model.bias=t'
        complete -C "rnnlm $line"
    end
    """
    assert in_shell(["fish", "--no-config", "-c"], script) == [
        *["--level=word", "--config=conf.yaml", "conf.yaml", "model.bias=true"]
    ]


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
