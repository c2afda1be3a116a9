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

    The examples are the lines for ~/.bashrc, ~/.zshrc and ~/.config/fish/config.fish, after those that put rnnlm
    on the PATH, in zsh also after 'autoload -Uz compinit && compinit'. Where rnnlm is not always there, begin the
    line with 'command -v rnnlm > /dev/null &&', in fish with 'type -q rnnlm; and'.

    \b
    Examples:
      eval "$(rnnlm completion bash)"
      eval "$(rnnlm completion zsh)"
      rnnlm completion fish | source
    """
    shell_class = get_completion_class(shell)
    assert shell_class is not None  # click knows these three
    program = context.find_root()
    script = shell_class(program.command, {}, "rnnlm", "_RNNLM_COMPLETE").source()
    # In click's script for fish a description ends at its first comma.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))
