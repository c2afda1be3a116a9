"""``rnnlm config``."""

import json

import click

from rnnlm.cli.common import quiet_option


@click.command()
@click.option("--example", is_flag=True, help="Print a commented YAML file of all keys with their defaults.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema by which editors check and complete the YAML.")
@quiet_option
def config(example: bool, schema: bool, quiet: bool) -> None:
    """Show what a configuration can say.

    \b
    Examples:
      rnnlm config --example > my.yaml
      rnnlm config --schema > rnnlm.schema.json
    """
    from rnnlm.config import reference

    if example == schema:
        raise click.UsageError("Give one of --example and --schema.")
    if example:
        click.echo(reference.example(), nl=False)
    else:
        click.echo(json.dumps(reference.schema(), ensure_ascii=False, indent=2))
