"""What several commands share."""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.choosing.facts import Budget
    from rnnlm.config import Config
    from rnnlm.models.kinds import AnyModel
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.text.tags import Tags
    from rnnlm.text.vocabulary import Vocabulary

Command = TypeVar("Command", bound=Callable[..., Any])

RUNS = Path("runs")
"""Where runs go, and where models are looked for, by default."""
PATH = click.Path(path_type=Path)


class FiniteRange(click.FloatRange):
    """A number in a range, but neither ``nan``, which no comparison refuses, nor ``inf``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number that was typed."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def several(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Return a decorator that adds some options in their order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


COUNT = click.IntRange(min=1)
POSITIVE = FiniteRange(min=0, min_open=True)
SHARE = FiniteRange(min=0, max=1, min_open=True)
"""Types of numbers that several options take."""

quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but results and errors.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
output_options = several(json_option, quiet_option)
json_lines_option = click.option("--jsonl", "as_jsonl", is_flag=True, help="Print each result as a line of JSON.")
runs_argument = click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=PATH)
x_option = click.option(
    "--x",
    type=click.Choice(["step", "epoch", "tokens", "seconds"]),
    default="step",
    show_default=True,
    help="What the curves are drawn over.",
)
model_option = click.option(
    "--model",
    "model_path",
    type=PATH,
    help="Run (its best checkpoint) or checkpoint directory.  [default: the newest run under runs/, else the "
    "small model that is installed]",
)


label_option = click.option(
    "--label", metavar="NAME", help="Label of the texts; needed for a model of texts with labels, and only there."
)


def as_argument(
    argument: str, make: Callable[..., Any], *options: Callable[[Any], Any]
) -> Callable[[Command], Command]:
    """Return a decorator that adds some options, and hands the command what `make` returns for their values.

    `make` takes the values as keywords; the command takes its result as `argument`, and none of the values.
    """

    def add(command: Command) -> Command:
        @wraps(command)
        def with_argument(**values: Any) -> Any:
            made = make(**{name: values.pop(name) for name in names})
            return command(**values, **{argument: made})

        wrapped: Any = several(*options)(with_argument)
        # click keeps the parameters of a function in a list, to which these options were added last.
        names = [parameter.name for parameter in wrapped.__click_params__[-len(options) :]]
        return wrapped  # type: ignore[no-any-return]

    return add


def _budget(minutes: float | None, epochs: int | None) -> "Budget | None":
    """Return the budget of a training; None where none is named."""
    from rnnlm.choosing.facts import Budget

    if minutes is not None and epochs is not None:
        raise click.UsageError("Give --minutes or --epochs, not both.")
    if minutes is None and epochs is None:
        return None
    return Budget(None if minutes is None else 60 * minutes, epochs)


budget_options = as_argument(
    "budget",
    _budget,
    click.option(
        "--minutes", type=POSITIVE, help="Time of training that a configuration is chosen for.  [default: 10]"
    ),
    click.option("--epochs", type=COUNT, help="In place of --minutes: passes over the training text."),
)


def _complete_key(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Name the keys of the configuration, or the values of one, that begin with what was typed."""
    from rnnlm.config import SECTIONS

    fields = {
        f"{name}.{key}": field for name, section in SECTIONS.items() for key, field in section.model_fields.items()
    }
    key, equals, value = begun.partition("=")
    if not equals:
        return [CompletionItem(f"{k}=", help=fields[k].description) for k in fields if k.startswith(begun)]
    values = _values(fields[key].annotation) if key in fields else []
    return [CompletionItem(f"{key}={each}") for each in values if each.startswith(value)]


def _values(annotation: Any) -> list[str]:
    """List the values of a type in YAML, where they are few."""
    if annotation is bool:
        return ["true", "false"]
    if annotation is type(None):
        return ["null"]
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in _values(part)]


def _config_options(required: bool) -> Callable[[Command], Command]:
    return several(
        click.option("--config", "config_path", required=required, type=PATH, help="YAML configuration."),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="SECTION.KEY=VALUE",
            shell_complete=_complete_key,
            help="Change a value of the configuration, such as training.epochs=5. May be given again.",
        ),
    )


config_options = _config_options(required=True)
run_options = several(
    _config_options(required=False),
    click.option("--data", type=PATH, help="Dataset directory.  [default: data.path]"),
    click.option("--out", type=PATH, help="Run directory to write.  [default: runs/NAME of the configuration]"),
)
"""What a run consists of, and where it goes; see `chosen_run`."""


def chosen_run(
    config_path: Path | None, overrides: tuple[str, ...], data: Path | None, out: Path | None, quiet: bool
) -> "tuple[Config, Path]":
    """Return the configuration and the run directory that the options of `run_options` name."""
    from rnnlm.config import Config, DataConfig

    if config_path is None:
        raise click.MissingParameter(param_hint="'--config'", param_type="option")
    config = Config.load(config_path, overrides)
    if data is not None:
        config = config.model_copy(update={"data": DataConfig(path=str(data))})
    return config, out or run_called(config_path.stem, quiet)


def run_called(name: str, quiet: bool) -> Path:
    """Return the run directory of a name that no option has named, and say so."""
    out = RUNS / name
    say(f"Run directory: {out}", quiet)
    return out


def say(message: str, quiet: bool) -> None:
    """Print a message to stderr, unless `quiet`, or nobody is there to read it any more."""
    if not quiet:
        with suppress(OSError):
            click.echo(message, err=True)


def print_json(values: dict[str, Any]) -> None:
    """Print one JSON object to stdout."""
    click.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))


def find_model(model_path: Path | None, quiet: bool) -> Path:
    """Return the model named, else the newest run, else the installed one, and say which that is."""
    if model_path is not None:
        return model_path
    from rnnlm.resources import MODEL
    from rnnlm.storage.finding import newest_run

    run = newest_run(RUNS)
    if run is None:
        say(f"Model: the installed one, as there is no run under {RUNS}/", quiet)
        return MODEL
    say(f"Model: {run} (the newest run)", quiet)
    return run


def load_model(model_path: Path | None, quiet: bool) -> "LanguageModel":
    """Load the language model that `find_model` returns."""
    from rnnlm.models.language_model import LanguageModel

    return LanguageModel.load(find_model(model_path, quiet))


def load_any_model(model_path: Path | None, quiet: bool) -> "AnyModel":
    """Load the model that `find_model` returns, whatever it does."""
    from rnnlm.models.kinds import load

    return load(find_model(model_path, quiet))


def load_vocabulary(path: Path) -> "Vocabulary":
    """Load a ``vocabulary.json``, or that of a dataset, run or checkpoint."""
    if not path.exists():
        raise RnnlmError(f"{path}: there is no such vocabulary; name its file, a dataset, a run or a checkpoint.")
    from rnnlm.storage.finding import resolve_checkpoint
    from rnnlm.text.vocabulary import VOCABULARY_FILE, Vocabulary

    holds_one = path.is_file() or (path / VOCABULARY_FILE).is_file()
    return Vocabulary.load(path if holds_one else resolve_checkpoint(path))


def load_tags(path: Path) -> "Tags | None":
    """Load the tags beside the vocabulary that `load_vocabulary` finds; None where there are none."""
    from rnnlm.text.tags import TAGS_FILE, Tags

    file = _beside_vocabulary(path, TAGS_FILE)
    return Tags.load(file) if file else None


def load_source_vocabulary(path: Path) -> "Vocabulary | None":
    """Load the vocabulary of sources beside that of targets; None where there are no sources."""
    from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE, Vocabulary

    file = _beside_vocabulary(path, SOURCE_VOCABULARY_FILE)
    return Vocabulary.load(file) if file else None


def _beside_vocabulary(path: Path, name: str) -> Path | None:
    """Return the file of a name beside the vocabulary that `load_vocabulary` finds; None if there is none."""
    from rnnlm.storage.finding import resolve_checkpoint
    from rnnlm.text.vocabulary import VOCABULARY_FILE

    directory = path.parent if path.is_file() else path
    if path.is_dir() and not (directory / VOCABULARY_FILE).is_file():
        directory = resolve_checkpoint(path)
    file = directory / name
    return file if file.is_file() else None
