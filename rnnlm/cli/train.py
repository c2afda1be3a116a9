"""``rnnlm train``."""

import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rnnlm.cli.common import (
    PATH,
    budget_options,
    chosen_run,
    output_options,
    print_json,
    run_called,
    run_options,
    say,
)
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.choosing.facts import Budget
    from rnnlm.config import Config

AUTO = Path("auto")
"""The configuration that is chosen for the dataset; a file of this name is ``./auto``."""


@click.command()
@run_options
@budget_options
@click.option(
    "--init-from",
    type=PATH,
    help="Run or checkpoint to begin with: its network and weights. New words of the dataset begin at random.",
)
@click.option(
    "--tune",
    "trials",
    type=click.IntRange(min=2),
    metavar="N",
    help="First try N variants of the configuration, which together take as long as the run itself, and train the "
    "best; needs optuna.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out from its last checkpoint.")
@output_options
def train(
    config_path: Path | None,
    overrides: tuple[str, ...],
    data: Path | None,
    out: Path | None,
    init_from: Path | None,
    trials: int | None,
    resume: bool,
    as_json: bool,
    quiet: bool,
    budget: "Budget | None",
) -> None:
    """Train a network on a dataset: a language model, or what task.name of the configuration says.

    --config auto chooses a configuration for --data and --minutes as `rnnlm config --for` does.

    Ctrl-C stops after the step and saves; --resume goes on from there as if nothing had happened; without --config
    it takes that of the run. Of --tune, the trial that was stopped begins anew. Started by mpiexec, several
    processes train together.

    \b
    Examples:
      rnnlm train --config configs/sample-word.yaml
      rnnlm train --config configs/reddit-word.yaml --data data/comments --out runs/comments
      rnnlm train --config configs/reddit-word.yaml --set training.max_seconds=60
      rnnlm train --config auto --data data/comments --minutes 10
      rnnlm train --config auto --data data/comments --minutes 10 --tune 20
      rnnlm train --resume --out runs/comments
      rnnlm train --config configs/sample-word.yaml --data data/mine --init-from runs/comments --out runs/mine
      mpiexec -n 4 rnnlm train --config configs/reddit-word.yaml --data data/comments --out runs/comments
    """
    from rnnlm.ranks.joining import join
    from rnnlm.training.begin import begin_run
    from rnnlm.tuning.begin import tune_before_run

    if budget is not None and config_path != AUTO:
        raise click.UsageError(
            "--minutes and --epochs go with --config auto; else --set training.max_seconds=600."
        )
    if config_path == AUTO and data is None:
        raise click.UsageError("--config auto needs --data, the dataset that it chooses for.")
    ranks = join()
    quiet = quiet or not ranks.is_first
    chosen = ranks.told_by_first(
        lambda: _chosen(config_path, overrides, data, out, init_from, resume, quiet, budget)
    )
    out = chosen.out
    coming = tune_before_run(chosen.config, out, trials, resume, quiet, init_from, chosen.comments, ranks)
    if coming.stopped_by is not None:
        say("Stopped while tuning; --resume goes on with it.", quiet)
        sys.exit(128 + coming.stopped_by)
    trainer = begin_run(coming.config, out, coming.resume, quiet, coming.init_from, coming.comments, ranks)
    say(trainer.description(), quiet)
    summary = trainer.run()
    stopped_by = trainer.signals.received
    # A terminal that was closed takes no summary.
    with nullcontext() if stopped_by is None else suppress(OSError):
        if ranks.is_first:
            _print_summary(summary, as_json)
    if stopped_by is not None:
        say(f"Stopped and saved at step {summary['steps']:,}; --resume goes on from there.", quiet)
        sys.exit(128 + stopped_by)
    say(f"Saved in {out}", quiet)


class _Chosen(NamedTuple):
    """What is trained with, where it goes, and what is written into the configuration for people."""

    config: "Config"
    out: Path
    comments: dict[str, str]


def _chosen(
    config_path: Path | None,
    overrides: tuple[str, ...],
    data: Path | None,
    out: Path | None,
    init_from: Path | None,
    resume: bool,
    quiet: bool,
    budget: "Budget | None",
) -> _Chosen:
    """Read the configuration that the options name, or choose one."""
    if config_path == AUTO and data is not None:
        out = out or run_called(data.resolve().name, quiet)
    if resume and out is not None and config_path in (None, AUTO):
        overrides = (*(budget.overrides() if budget else ()), *overrides)
        config_path = _config_of_run(out)
    if config_path == AUTO and data is not None and out is not None:
        from rnnlm.choosing.begin import choose_run
        from rnnlm.cli.main import with_options

        config, comments = choose_run(
            data, budget, overrides, init_from, lambda message: say(message, quiet), with_options
        )
        return _Chosen(config, out, comments)
    return _Chosen(*chosen_run(config_path, overrides, data, out, quiet), {})


def _config_of_run(out: Path) -> Path:
    """Return the configuration of a run that is to go on."""
    from rnnlm.storage.run_directory import CONFIG, TUNING, RunDirectory

    run = RunDirectory(out)
    config = (out if run.exists else out / TUNING) / CONFIG
    if not (run.exists or config.is_file()):
        raise RnnlmError(f"{out}: there is no run to resume in it; begin one with --config.")
    return config


def _print_summary(summary: dict[str, Any], as_json: bool) -> None:
    """Print what has come of a training, or its best evaluation alone."""
    from rnnlm.evaluation.perplexity import rounded
    from rnnlm.training.progress import called

    if as_json:
        print_json(summary)
    elif summary["best"]["valid_perplexity"] is not None:
        best = dict(summary["best"])
        step, perplexity = best.pop("step"), rounded(best.pop("valid_perplexity"))
        del best["valid_loss"]
        # Of a task's own measures the first has chosen the best.
        name, value = next(
            ((name, f"{value:.4f}") for name, value in best.items()), ("valid_perplexity", perplexity)
        )
        click.echo(f"best validation {called(name.removeprefix('valid_'))} {value} at step {step:,}")
