"""``rnnlm benchmark``."""

from dataclasses import asdict
from pathlib import Path

import click

from rnnlm.cli.common import POSITIVE, config_options, output_options, print_json, say


@click.command()
@config_options
@click.option("--seconds", type=POSITIVE, default=5.0, show_default=True, help="How long to measure.")
@output_options
def benchmark(config_path: Path, overrides: tuple[str, ...], seconds: float, as_json: bool, quiet: bool) -> None:
    """Measure the speed of training steps.

    Steps are made on random tokens of a vocabulary of model.vocabulary_size, else of the dataset's; no text is
    read, and nothing is evaluated or saved.

    \b
    Example:
      rnnlm benchmark --config configs/reddit-word.yaml --set model.vocabulary_size=8000
    """
    from rnnlm import backend, blas
    from rnnlm.checks.benchmark import benchmark as measure
    from rnnlm.config import Config
    from rnnlm.ranks.joining import join

    ranks = join()
    config = ranks.told_by_first(lambda: Config.load(config_path, overrides))
    speed = measure(config, seconds, ranks)
    if not ranks.is_first:
        return
    forcing = blas.forcing_variables()
    if forcing:
        settings = ", ".join(f"{name}={value}" for name, value in forcing.items())
        say(f"The environment sets {settings}: {speed.blas} runs; without, {blas.unforced_kernel()}.", quiet)
    if as_json:
        values = asdict(speed)
        print_json(values if ranks.number > 1 else {key: values[key] for key in values if key != "ranks"})
        return
    several = f"{ranks.number} ranks of " if ranks.number > 1 else ""
    click.echo(
        f"{speed.tokens_per_second:,.0f} tokens/s, {speed.ms_per_step:.2f} ms a step\n"
        f"{speed.model_gflops_per_second:.0f} GFLOP/s, {speed.utilization:.0%} of the measured peak of "
        f"{speed.gemm_peak_gflops_per_second:.0f}\n"
        f"{speed.blas}, {several}{speed.threads} thread{'s' if speed.threads > 1 else ''}; {backend.description()}"
    )
