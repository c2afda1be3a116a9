import ast
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distribution, version
from pathlib import Path

import click
import pytest

import rnnlm.__main__
from rnnlm.cli.main import COMMANDS, cli, main, with_options

from .conftest import Command, write_config

PROJECT = Path(__file__).parent.parent.parent


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
    assert "--quiet" in outcome.stdout
    assert "--json" in outcome.stdout or name in ("config", "completion")  # which print text for other programs
    command = command_called(name)
    assert command.name == name
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
    _, _, examples = outcome.stdout.partition("Example")
    examples, _, _ = examples.partition("Options:")
    assert f"rnnlm {name} " in examples


@pytest.mark.parametrize(
    "arguments",
    [["generate"], ["generate", "--interactive"], ["score", "text.txt"], ["rescore", "text.txt"], ["diagnose"]],
)
@pytest.mark.parametrize(("run", "task"), [("label_run", "classify"), ("tag_run", "tag")])
def test_what_language_models_alone_can_do_is_refused_for_others(
    rnnlm: Command, request: pytest.FixtureRequest, arguments: list[str], run: str, task: str
) -> None:
    Path("text.txt").write_text("1 a cat\n")
    path = request.getfixturevalue(run)
    outcome = rnnlm(*arguments, "--model", path, "--quiet")
    message = f"rnnlm: {path}: its task is {task}, so it is not a language model; name one that is.\n"
    assert outcome == (1, "", message)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_wrong_usage(rnnlm: Command, value: str):
    tried = []
    for name in COMMANDS:
        for option in command_called(name).params:
            if isinstance(option.type, click.types.FloatParamType):
                outcome = rnnlm(name, f"{option.opts[0]}={value}")
                tried.append(option.opts[0])
                assert (outcome.exit_code, outcome.stdout) == (2, "")
                assert f"Invalid value for '{option.opts[0]}'" in outcome.stderr
    assert {"--weight", "--lm-weight", "--valid-fraction", "--dynamic", "--temperature", "--seconds"} <= {*tried}


def command_called(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, name
    return command


def parse(line: str) -> None:
    """Parse what follows `rnnlm` in a line for the shell as click does, and run nothing."""
    line = re.split(r' [|>] |\)"', line)[0]
    name, *arguments = shlex.split(line)
    command_called(name).make_context(name, arguments)
    for argument in arguments:
        if argument.startswith("configs/"):
            assert (PROJECT / argument).is_file(), argument


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_examples_of_every_help_are_right(name: str):
    text = (command_called(name) if name else cli).help
    examples = (text or "").rpartition("Examples:")[2]
    lines = re.findall(r"^  .*?rnnlm (.*)", examples, re.MULTILINE)
    assert lines
    for line in lines:
        parse(line)


@pytest.mark.parametrize("path", [PROJECT / "README.md", *PROJECT.glob("docs/*.md")], ids=lambda path: path.name)
def test_the_commands_in_the_documents_are_right(path: Path):
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^    rnnlm (.*)", text, re.MULTILINE):
        parse(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_wrong_usage_of_every_command(rnnlm: Command, name: str):
    outcome = rnnlm(name, "--nonsense")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"Usage: rnnlm {name}")


@pytest.mark.parametrize(
    "line",
    [
        "preprocess none.csv",
        "train --config none.yaml",
        "generate --model none",
        "evaluate --model none",
        "neighbors word --model none",
        "diagnose --model none",
        "gradcheck --config none.yaml",
        "benchmark --config none.yaml",
        "info none",
        "inspect text --model none -o none.html",
        "export --model none -o none.onnx",
        "import none.pt --config none.yaml",
    ],
)
def test_a_missing_input_of_every_command_is_a_failure_in_one_line(rnnlm: Command, line: str):
    outcome = rnnlm(*line.split(), "--quiet")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert re.fullmatch(r"rnnlm: none\S*: .*\n", outcome.stderr)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_coloured_on_a_terminal_either(
    word_dataset: Path, monkeypatch: pytest.MonkeyPatch, rnnlm: Command
):
    config = write_config("c.yaml", data={"path": str(word_dataset)}, training={"epochs": 1})
    terminal = Terminal()
    with monkeypatch.context() as patch:  # undone before the capture ends, whose streams are closed then
        patch.setattr("sys.stdout", terminal)
        patch.setattr("sys.stderr", terminal)
        for line in (f"train --config {config}", "info none", "train --help"):
            with suppress(SystemExit):
                main(line.split())
    assert "100%" in terminal.getvalue()
    assert "rnnlm: none: no such directory" in terminal.getvalue()
    assert "\x1b[" not in terminal.getvalue()


def test_version(rnnlm: Command):
    assert rnnlm("--version") == (0, f"rnnlm, version {version('rnnlm-numpy')}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["preproces"], "No such command 'preproces'; did you mean 'preprocess'?"),
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


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("a.csv: choose with `text_column`.", "a.csv: choose with --text-column."),
        ("a.csv: choose with `text_column=data.body`.", "a.csv: choose with --text-column data.body."),
        ("it takes one of `text_column=1, 2`", "it takes one of --text-column 1, 2"),
        ("`encoding='a`b'`: there is none.", "--encoding 'a`b': there is none."),
        ("go on (see `header=False`, `quoting`), or `resume`", "go on (see --no-header, --quoting), or --resume"),
        ("`valid_fraction=0` and `keep_damaged=True`; `out`", "--valid-fraction 0 and --keep-damaged; --out"),
        ("`valid_file`, `overrides=a.b=null` and `model`", "--valid, --set a.b=null and --model"),
    ],
)
def test_a_parameter_in_a_message_of_the_library_is_printed_as_its_option(message: str, printed: str):
    assert with_options(message) == printed


@pytest.mark.parametrize(
    "message",
    [
        "my`out`.txt: no such file.",
        "`out`.txt: no such file.",
        "a/`out`/b: no such file.",
        "there is no `such_parameter`.",
        "'`out`' is not a token; nor is '`out`.",
        "`words` is an argument, not an option.",
        "text_column without marks",
    ],
)
def test_backquotes_of_other_kinds_are_printed_as_they_are(message: str):
    assert with_options(message) == message


def test_a_parameter_is_the_same_option_of_all_commands():
    options: dict[str, set[str]] = {}
    for name in COMMANDS:
        for option in command_called(name).params:
            if isinstance(option, click.Option):
                for parameter in {option.name, option.opts[-1].removeprefix("--").replace("-", "_")}:
                    options.setdefault(str(parameter), set()).add(option.opts[-1])
    assert [parameter for parameter, names in options.items() if len(names) > 1] == []


def texts_of_the_library() -> Iterator[str]:
    """Yield the texts in the code outside of the command line, without docstrings and the meanings of keys."""
    for path in (PROJECT / "rnnlm").rglob("*.py"):
        if path.parent.name == "cli" or path.name in ("schema.py", "reference.py"):
            continue
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield node.value


def test_errors_of_the_library_name_parameters_that_are_options():
    texts = list(texts_of_the_library())
    named = [name for text in texts for name in re.findall(r"`([a-z_]+)[`=]", text)]
    assert "delimiter" in named
    assert [name for name in named if with_options(f"`{name}`").startswith("`")] == []
    assert [text for text in texts if re.search(r"(?<!rnnlm train )--[a-z]", text)] == []


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
    monkeypatch.setattr("rnnlm.report.info.describe", raising(error))
    outcome = rnnlm("info", "here")
    assert outcome.exit_code == exit_code
    assert outcome.stdout == ""
    assert outcome.stderr.strip().startswith(message)
    assert len(outcome.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only some systems have a disk that is always full")
@pytest.mark.parametrize(
    "arguments", [["--help"], ["completion", "bash"], ["generate", "--model", "{run}", "--quiet"]]
)
def test_a_full_disk_under_standard_output_is_named(word_run: Path, arguments: list[str]):
    arguments = [argument.format(run=word_run) for argument in arguments]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    program = [sys.executable, "-m", "rnnlm", *arguments]
    with open("/dev/full", "wb") as full:
        outcome = subprocess.run(
            program, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered
        )
    assert outcome.returncode == 1
    assert outcome.stderr == "rnnlm: standard output: No space left on device.\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a shell's pipes")
@pytest.mark.parametrize(
    ("arguments", "unbuffered", "code"),
    [
        (["generate", "--model", "{run}", "--num-samples", "50", "--quiet"], "", 141),
        (["generate", "--model", "{run}", "--num-samples", "1", "--quiet"], "1", 141),
        (["generate", "--model", "{run}", "--interactive", "--quiet"], "", 141),
        (["--help"], "", 141),
        (["--help"], "1", 141),
        (["fly"], "", 2),
        (["info", "nowhere"], "", 1),
    ],
)
def test_a_pipe_that_nobody_reads_ends_the_program_without_a_word(
    word_run: Path, arguments: list[str], unbuffered: str, code: int
):
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONDEVMODE": ""}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    for stderr in (subprocess.PIPE, subprocess.STDOUT):
        program = [sys.executable, "-m", "rnnlm", *(argument.format(run=word_run) for argument in arguments)]
        with subprocess.Popen(program, stdin=nothing, stdout=pipe, stderr=stderr, env=env) as process:
            assert process.stdout is not None
            process.stdout.close()
            said = process.stderr.read() if process.stderr is not None else b""
        assert process.returncode == code
        if code == 141:
            assert said == b""


def test_a_mistake_in_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rnnlm.report.info.describe", raising(ZeroDivisionError()))
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


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
@pytest.mark.parametrize(
    ("command", "code"), [("info nowhere 2>&-", 1), ("preprocess - <&-", 1), ("generate --interactive <&-", 0)]
)
def test_closed_streams_are_as_if_they_led_nowhere(working_directory: Path, command: str, code: int):
    outcome = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m rnnlm {command}"], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == code
    assert "Traceback" not in outcome.stderr


def test_python_dash_m_is_the_same_program():
    outcome = subprocess.run(
        [sys.executable, "-m", "rnnlm", "info", "nowhere"], capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == "rnnlm: nowhere: no such directory; name a dataset, a run or a checkpoint.\n"


INTERRUPTED_WHILE_IMPORTING = """
import importlib.abc, os, runpy, signal, sys

class Interrupting(importlib.abc.MetaPathFinder):
    begun, left = False, int(sys.argv.pop(1))

    def find_spec(self, name, path=None, target=None):
        self.begun = self.begun or name == "rnnlm.cli"
        self.left -= self.begun
        if self.begun and self.left < 0:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
runpy.run_module("rnnlm", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="no process gets Ctrl-C alone there")
@pytest.mark.parametrize("imports", [0, 1, 3, 10, 30, 100, 250])
def test_ctrl_c_while_it_is_imported_ends_it_without_a_traceback(imports: int):
    program = [sys.executable, "-c", INTERRUPTED_WHILE_IMPORTING, str(imports)]
    outcome = subprocess.run(
        [*program, "gradcheck", "--config", str(PROJECT / "configs" / "tutorial.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode in (130, -signal.SIGINT)
    assert outcome.stdout == ""
    assert outcome.stderr.strip() in ("", "rnnlm: Interrupted.")


def test_nothing_else_is_imported_before_ctrl_c_is_seen_to():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = {*sys.modules}; import rnnlm;"
        " print(*sorted({*sys.modules} - before))"
    )
    outcome = subprocess.run(
        [sys.executable, "-S", "-c", code, str(PROJECT)], capture_output=True, text=True, check=True
    )
    assert outcome.stdout == "rnnlm rnnlm.errors\n"


@pytest.mark.skipif(os.name == "nt", reason="no process gets Ctrl-C alone there")
def test_a_program_that_ignores_ctrl_c_goes_on_doing_so():
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", ignoring, sys.executable, "-c", INTERRUPTED_WHILE_IMPORTING, "30", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_the_script_and_python_dash_m_are_one_program():
    [script] = (each for each in distribution("rnnlm-numpy").entry_points if each.group == "console_scripts")
    assert script.load() is rnnlm.__main__.main
