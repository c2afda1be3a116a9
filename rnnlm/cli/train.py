"""``rnnlm train``."""

import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import PATH, chosen_run, output_options, print_json, run_options, say
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.config import Config


@click.command()
@run_options
@click.option(
    "--init-from",
    type=PATH,
    help="Run or checkpoint to begin with: its network and weights. New words of the dataset begin at random.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out from its last checkpoint.")
@output_options
def train(
    config_path: Path | None,
    overrides: tuple[str, ...],
    data: Path | None,
    out: Path | None,
    init_from: Path | None,
    resume: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a network on a dataset: a language model, or what task.name of the configuration says.

    Ctrl-C stops after the step and saves; --resume goes on from there as if nothing had happened; without --config
    it takes that of the run. Started by mpiexec, several processes train together.

    \b
    Examples:
      rnnlm train --config configs/sample-word.yaml
      rnnlm train --config configs/reddit-word.yaml --data data/comments --out runs/comments
      rnnlm train --config configs/reddit-word.yaml --set training.max_seconds=60
      rnnlm train --resume --out runs/comments
      rnnlm train --config configs/sample-word.yaml --data data/mine --init-from runs/comments --out runs/mine
      mpiexec -n 4 rnnlm train --config configs/reddit-word.yaml --data data/comments --out runs/comments
    """
    from rnnlm.evaluation.perplexity import rounded
    from rnnlm.ranks.joining import join
    from rnnlm.storage.run_directory import CONFIG, RunDirectory
    from rnnlm.training.begin import begin_run
    from rnnlm.training.progress import called

    def choose() -> "tuple[Config, Path]":
        if resume and out is not None and config_path is None:
            if not RunDirectory(out).exists:
                raise RnnlmError(f"{out}: there is no run to resume in it; begin one with --config.")
            return chosen_run(out / CONFIG, overrides, data, out, quiet)
        return chosen_run(config_path, overrides, data, out, quiet)

    ranks = join()
    quiet = quiet or not ranks.is_first
    config, out = ranks.told_by_first(choose)
    trainer = begin_run(config, out, resume, quiet, init_from, ranks)
    say(trainer.description(), quiet)
    summary = trainer.run()
    stopped_by = trainer.signals.received
    # A terminal that was closed takes no summary.
    with nullcontext() if stopped_by is None else suppress(OSError):
        if not ranks.is_first:
            pass
        elif as_json:
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
    if stopped_by is not None:
        say(f"Stopped and saved at step {summary['steps']:,}; --resume goes on from there.", quiet)
        sys.exit(128 + stopped_by)
    say(f"Saved in {out}", quiet)
