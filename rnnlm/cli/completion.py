"""``rnnlm completion``."""

import click
from click.shell_completion import get_completion_class

from rnnlm.cli.common import quiet_option


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@quiet_option
@click.pass_context
def completion(context: click.Context, shell: str, quiet: bool) -> None:
    """Print what lets a shell complete commands, options and paths with the Tab key.

    The examples are the lines for ~/.bashrc, ~/.zshrc and ~/.config/fish/config.fish.

    \b
    Examples:
      eval "$(rnnlm completion bash)"
      eval "$(rnnlm completion zsh)"
      rnnlm completion fish | source
    """
    shell_class = get_completion_class(shell)
    assert shell_class is not None  # click knows these three
    program = context.find_root()
    click.echo(shell_class(program.command, {}, "rnnlm", "_RNNLM_COMPLETE").source())
