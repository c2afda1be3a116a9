import subprocess
import sys
from importlib.metadata import version

import click
import pytest

from rnnlm.cli.main import COMMANDS, cli, main

from .conftest import Command


def test_help_has_a_line_for_every_command(rnnlm: Command):
    for option in ("--help", "-h"):
        outcome = rnnlm(option)
        assert outcome.exit_code == 0
        assert outcome.stderr == ""
        words = " ".join(outcome.stdout.split())
        positions = [words.index(f"{name} {line}") for name, line in COMMANDS.items()]
        assert positions == sorted(positions)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_can_be_quiet(rnnlm: Command, name: str):
    outcome = rnnlm(name, "--help")
    assert outcome.exit_code == 0
    assert f"rnnlm {name}" in outcome.stdout
    assert "Example" in outcome.stdout
    assert "--quiet" in outcome.stdout
    assert "--json" in outcome.stdout
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.get_short_help_str(200) == COMMANDS[name] or command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


def test_version(rnnlm: Command):
    assert rnnlm("--version") == (0, f"rnnlm, version {version('rnnlm')}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["--loud"], "No such option '--loud'"),
        (["train"], "Missing option '--config'"),
        (["info"], "Missing argument 'PATH'"),
        (["info", "a", "b"], "unexpected extra argument (b)"),
        (["generate", "--num-samples", "0"], "0 is not in the range x>=1"),
        (["generate", "--temperature", "warm"], "'warm' is not a valid float"),
        (["evaluate", "--split", "dev"], "'dev' is not one of 'train', 'valid', 'test'"),
    ],
)
def test_wrong_usage_exits_with_2_and_shows_the_usage(rnnlm: Command, arguments: list[str], message: str):
    outcome = rnnlm(*arguments)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert message in outcome.stderr.replace(": --loud", " '--loud'")
    assert outcome.stderr.startswith("Usage: rnnlm")


def test_no_command_shows_the_help(rnnlm: Command):
    outcome = rnnlm()
    assert "preprocess" in outcome.stdout + outcome.stderr


def raising(error: BaseException) -> object:
    def describe(path: object) -> None:
        raise error

    return describe


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (KeyboardInterrupt(), 130, "rnnlm: Interrupted."),
        (OSError(28, "No space left on device", "runs/a"), 1, "rnnlm: runs/a: No space left on device."),
        (OSError("broken"), 1, "rnnlm: input/output: broken."),
        (MemoryError("Unable to allocate 7.28 TiB"), 1, "rnnlm: not enough memory: Unable to allocate 7.28 TiB;"),
    ],
)
def test_what_may_happen_anywhere_is_said_in_a_sentence(
    rnnlm: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, exit_code: int, message: str
):
    monkeypatch.setattr("rnnlm.info.describe", raising(error))
    outcome = rnnlm("info", "here")
    assert outcome.exit_code == exit_code
    assert outcome.stdout == ""
    assert outcome.stderr.strip().startswith(message)
    assert len(outcome.stderr.strip().splitlines()) == 1


def test_a_mistake_in_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rnnlm.info.describe", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["info", "here"])


def test_help_imports_nothing_that_a_command_needs():
    program = (
        "import sys\n"
        "from rnnlm.cli import main\n"
        "main(['--help'])\n"
        "heavy = {'numpy', 'nltk', 'pydantic', 'yaml', 'safetensors', 'tqdm'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_python_dash_m_is_the_same_program():
    outcome = subprocess.run(
        [sys.executable, "-m", "rnnlm", "info", "nowhere"], capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == "rnnlm: nowhere: no such directory; name a dataset, a run or a checkpoint.\n"
