"""``rnnlm gradcheck``."""

import sys
from pathlib import Path

import click

from rnnlm.cli.common import config_options, output_options, print_json, say

TOLERANCE = 1e-6


@click.command()
@config_options
@output_options
def gradcheck(config_path: Path, overrides: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """Check back-propagation against central differences.

    The configuration's network is made in double precision, its layers of 160 units at most, and for each of its
    parameters the derivatives of the loss are compared with what small changes of the parameter do to the loss, in
    every way that training and dynamic evaluation compute them. The check passes where the relative error is below
    1e-6.

    \b
    Example:
      rnnlm gradcheck --config configs/tutorial.yaml --set model.nonlinearity=relu
    """
    from rnnlm.checks.gradient_check import check_gradients
    from rnnlm.config import Config

    errors = check_gradients(Config.load(config_path, overrides))
    worst = max(errors.values())
    passed = worst < TOLERANCE
    if as_json:
        print_json({"passed": passed, "max_relative_error": worst, "parameters": errors})
    else:
        for name, error in errors.items():
            click.echo(f"{name:<24} {error:.2e}")
        click.echo(f"{'passed' if passed else 'FAILED'}: largest relative error {worst:.2e}")
    if not passed:
        say(f"rnnlm: a gradient is off by more than {TOLERANCE:g}.", quiet)
        sys.exit(1)
