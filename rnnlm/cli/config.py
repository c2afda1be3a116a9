"""``rnnlm config``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import COUNT, PATH, budget_options, quiet_option, say

if TYPE_CHECKING:
    from rnnlm.choosing.facts import Budget


@click.command()
@click.option(
    "--for",
    "dataset",
    type=PATH,
    help="Dataset of text: print a commented configuration that suits it, the budget and this machine.",
)
@budget_options
@click.option("--hidden-size", type=COUNT, help="With --for: units of the layers.  [default: chosen]")
@click.option("--example", is_flag=True, help="Print a commented YAML file of all keys with their defaults.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema by which editors check and complete the YAML.")
@quiet_option
def config(
    dataset: Path | None,
    hidden_size: int | None,
    example: bool,
    schema: bool,
    quiet: bool,
    budget: "Budget | None",
) -> None:
    """Choose a configuration for a text, or show what one can say.

    \b
    Examples:
      rnnlm config --for data/comments --minutes 10 > my.yaml
      rnnlm train --config my.yaml --out runs/comments
      rnnlm config --example
      rnnlm config --schema > rnnlm.schema.json
    """
    if [dataset is not None, example, schema].count(True) != 1:
        raise click.UsageError("Give one of --for, --example and --schema.")
    if dataset is None and (budget is not None or hidden_size is not None):
        raise click.UsageError("--minutes, --epochs and --hidden-size go with --for.")
    if dataset is not None:
        from rnnlm.choosing.begin import choose

        chosen = choose(dataset, budget, hidden_size, lambda message: say(message, quiet))
        click.echo(chosen.to_yaml(), nl=False)
        return
    from rnnlm.config import reference

    if example:
        click.echo(reference.example(), nl=False)
    else:
        click.echo(json.dumps(reference.schema(), ensure_ascii=False, indent=2))
