"""What several commands share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

RUNS = Path("runs")
"""Where runs go, and where models are looked for, when nothing is said."""


def quiet_option(command: Command) -> Command:
    """Add ``--quiet``."""
    return click.option("--quiet", is_flag=True, help="Print nothing but results and errors.")(command)


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")(command)


def config_options(command: Command) -> Command:
    """Add ``--config`` and ``--set``."""
    command = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        help="Change a value of the configuration, as in training.epochs=5. May be given again.",
    )(command)
    return click.option(
        "--config", "config_path", required=True, type=click.Path(path_type=Path), help="YAML configuration."
    )(command)


def model_option(command: Command) -> Command:
    """Add ``--model``."""
    return click.option(
        "--model",
        "model_path",
        type=click.Path(path_type=Path),
        help="Run (its best checkpoint) or checkpoint directory.  [default: the newest run under runs/]",
    )(command)


def say(message: str, quiet: bool) -> None:
    """Print a message to stderr, unless `quiet`."""
    if not quiet:
        click.echo(message, err=True)


def print_json(values: dict[str, Any]) -> None:
    """Print one JSON object to stdout."""
    click.echo(json.dumps(values, ensure_ascii=False))


def find_model(model_path: Path | None, quiet: bool) -> Path:
    """Return the model named, else the newest run, and say which that is."""
    if model_path is None:
        from rnnlm.training.run_directory import newest_run

        model_path = newest_run(RUNS)
        say(f"Model: {model_path} (the newest run)", quiet)
    return model_path
