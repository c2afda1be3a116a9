"""``rnnlm info``."""

from pathlib import Path

import click

from rnnlm.cli.common import PATH, output_options, print_json


@click.command()
@click.argument("path", type=PATH)
@output_options
def info(path: Path, as_json: bool, quiet: bool) -> None:
    """Describe a dataset, a run or a checkpoint, after checking its files.

    \b
    Examples:
      rnnlm info data/comments
      rnnlm info runs/comments --json
    """
    import yaml

    from rnnlm.report.info import describe

    description = describe(path)
    if as_json:
        print_json(description)
    else:
        click.echo(
            yaml.safe_dump(description, sort_keys=False, allow_unicode=True, default_flow_style=None).rstrip()
        )
