"""The ``rnnlm`` command group and what every command shares."""

import difflib
import importlib
import io
import keyword
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TextIO

import click

from rnnlm.errors import RnnlmError
from rnnlm.ranks.joining import current, is_first
from rnnlm.ranks.ranks import AgreedError

COMPLETION = "_RNNLM_COMPLETE"
"""The variable by which a shell asks how a line may go on."""

COMMANDS = {
    "preprocess": "Turn text into a dataset: clean, tokenize, build the vocabulary, split.",
    "train": "Train a network on a dataset.",
    "report": "Show runs on a web page: curves, samples, settings.",
    "plot": "Draw the curves of runs as a picture.",
    "generate": "Write text with a trained model.",
    "predict": "Print the label, or the tags, of each line of a text.",
    "evaluate": "Measure a model on a dataset or a text.",
    "score": "Print the log-probability of each line of a text.",
    "rescore": "Choose the best hypotheses of an n-best list.",
    "neighbors": "List the words whose learned vectors are nearest to a word's.",
    "diagnose": "Measure how the gradient shrinks with the distance back in time.",
    "gradcheck": "Check back-propagation against central differences.",
    "benchmark": "Measure the speed of training steps.",
    "info": "Describe a dataset, a run or a checkpoint.",
    "export": "Write a model as a file for other programs, such as ONNX.",
    "import": "Make a run from weights that were trained elsewhere.",
    "config": "Show what a configuration can say: an example, a schema for editors.",
    "completion": "Print what lets a shell complete commands and options.",
}
"""One line a command, kept here so that `rnnlm --help` imports none of them."""

_PARAMETER = re.compile(r"(?<![\w'\"`/\\.-])`([a-z_]+)(?:=(.*?))?`(?![\w'\"`/\\-]|\.\w)")
"""A parameter, or one and its value, as messages of the library name it; in quotes or a path it is data."""

CLOSED_PIPE = 141
"""Exit status where nobody reads what is printed any more: that of a program which SIGPIPE, 13, has ended."""


class CommandGroup(click.Group):
    """A group that imports a command's module only when that command is run."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the command line, which may print the help."""
        with _quiet_end_of_pipe():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _quiet_end_of_pipe():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import ``rnnlm.cli.<name>`` and return the command of that name in it."""
        if cmd_name not in COMMANDS:
            return None
        # A function cannot be called import.
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(f"rnnlm.cli.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names, or say which it is nearest to."""
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if near and near != args[:1] and not ctx.resilient_parsing:  # completion must not end in an error
            ctx.fail(f"No such command '{args[0]}'; did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rnnlm-numpy")
def cli() -> None:
    """Train recurrent language models, classifiers and taggers on your own text.

    \b
      rnnlm preprocess comments.csv --out data/comments
      rnnlm train --config configs/reddit-word.yaml --data data/comments --out runs/comments
      rnnlm generate --model runs/comments --seed-text "i think that"

    Results go to standard output, all else to standard error. Exit status: 0 success, 1 a failure that the message
    explains, 2 wrong usage, 129 a closed terminal, 130 Ctrl-C, 141 a pipe that nobody reads any more, 143 SIGTERM.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; its help lists the exit statuses."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal or file that cannot show a character must not end the program.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if COMPLETION in os.environ:
        importlib.import_module("rnnlm.cli.completion")  # which knows more than click
    try:
        cli.main(args=arguments, prog_name="rnnlm", standalone_mode=False)
    except AgreedError as error:
        _say_first(with_options(str(error)))
        sys.exit(1)
    except RnnlmError as error:
        fail(with_options(str(error)), 1)
    except click.ClickException as error:
        if is_first():
            with suppress(OSError):
                error.show()
        current().abort(error.exit_code)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        fail("Interrupted.", 130)
    except MemoryError as error:
        fail(f"not enough memory: {error}; make the network or the batch smaller.", 1)
    except OSError as error:
        place = error.filename or ("input/output" if _works(sys.stdout) else "standard output")
        fail(f"{place}: {error.strerror or error}.", 1)
    finally:
        _works(sys.stderr)


def _open_closed_streams() -> None:
    """Replace standard streams that were closed before the program started by ones that lead nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def _works(stream: TextIO) -> bool:
    """Return whether a standard stream takes the rest of its output."""
    try:
        stream.flush()
    except OSError:
        _lead_nowhere(stream)
        return False
    return True


def _lead_nowhere(stream: TextIO) -> None:
    """Let the rest of the output vanish, which Python tries to write once more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _quiet_end_of_pipe() -> Iterator[None]:
    """End the program without a word if nobody reads its output any more."""
    try:
        yield
    except BrokenPipeError:
        _lead_nowhere(sys.stdout)
        sys.exit(CLOSED_PIPE)


def with_options(message: str) -> str:
    """Name options where a message of the library names parameters, as ``--top-k 5`` for ```top_k=5```."""
    return _PARAMETER.sub(_as_option, message)


def _as_option(match: re.Match[str]) -> str:
    """Return the option for a parameter, or the text as it is if no command has such a parameter."""
    name, value = match.groups()
    option = _options().get(name)
    if option is None:
        return match[0]
    if value is None or (option.is_flag and value == "True"):
        return option.opts[-1]
    if option.is_flag:
        return option.secondary_opts[0]
    return f"{option.opts[-1]} {value}"


@cache
def _options() -> dict[str, click.Option]:
    """Return the options of all commands, by the names of their parameters and by their own."""
    options = {}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        for option in command.params if command else ():
            if isinstance(option, click.Option):
                options[option.opts[-1].removeprefix("--").replace("-", "_")] = option
                options[str(option.name)] = option
    return options


def fail(message: str, exit_code: int) -> None:
    """Print why on stderr, if anybody reads it, and exit; one of several ranks says which it is, and ends all."""
    ranks = current()
    with suppress(OSError):
        click.echo(f"rnnlm: {message}" if ranks.number == 1 else f"rnnlm: {ranks.name()}: {message}", err=True)
    ranks.abort(exit_code)
    sys.exit(exit_code)


def _say_first(message: str) -> None:
    """Print what all ranks end with, once."""
    if is_first():
        with suppress(OSError):
            click.echo(f"rnnlm: {message}", err=True)
