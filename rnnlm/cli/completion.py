"""``rnnlm completion``, and the answers to the Tab key."""

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

from rnnlm.cli.common import quiet_option
from rnnlm.cli.main import COMPLETION


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@quiet_option
@click.pass_context
def completion(context: click.Context, shell: str, quiet: bool) -> None:
    """Print what lets a shell complete commands, options, values and paths with the Tab key.

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
    click.echo(shell_class(program.command, {}, "rnnlm", COMPLETION).source())


class _WithValues(ShellComplete):
    """Completes ``--option=value`` too, where click tells the shell only the value."""

    def complete(self) -> str:
        """Return what the script is told."""
        args, word = self.get_completion_args()
        *args, begun = _rejoined([*args, word]) if word else [*_rejoined(args), ""]
        option = begun[: begun.index("=") + 1] if begun.startswith("-") and "=" in begun else ""
        # The part before the word that the shell completes: bash cuts words at "=".
        before = len(begun) - len("" if word == "=" else word)
        items = self.get_completions(args, begun)
        for item in items:
            item.value = f"{option}{item.value}"[before:]
        return "\n".join(map(self.format_completion, items))


def _rejoined(words: list[str]) -> list[str]:
    """Put ``--option``, ``=`` and ``value`` together, as they were typed."""
    joined: list[str] = []
    begins = True
    for word in words:
        if joined and (word == "=" or not begins):
            joined[-1] += word
        else:
            joined.append(word)
        begins = word != "="
    return joined


@add_completion_class
class _Bash(_WithValues, BashComplete):
    def source(self) -> str:
        # A key ends in "="; its value is to follow.
        return (
            super()
            .source()
            .replace("COMPREPLY+=($value)", "COMPREPLY+=($value); [[ $value == *= ]] && compopt -o nospace")
        )


@add_completion_class
class _Zsh(_WithValues, ZshComplete):
    def source(self) -> str:
        script = super().source()
        for old, new in (
            ("_path_files", "compset -P '--*='; _path_files"),
            # A key ends in "="; its value is to follow.
            ('("$key":"$descr")', '("$key":"$descr"); [[ "$key" == *= ]] && no_space=(-S "")'),
            ("completions_with_descriptions -U", 'completions_with_descriptions -U "${no_space[@]}"'),
            ("local -a completions\n", "local -a completions no_space\n"),
        ):
            script = script.replace(old, new)
        return script


@add_completion_class
class _Fish(_WithValues, FishComplete):
    def source(self) -> str:
        # In click's script a description ends at its first comma, and paths are completed without their option.
        script = super().source().replace('string split ","', 'string split --max 1 ","')
        paths = "string replace --regex '^--[^=]*=' '' -- $metadata[2]"
        option = "string match --regex '^--[^=]*=' -- $metadata[2]"
        return script.replace(
            "__fish_complete_path $metadata[2]",
            f'set -l option ({option}); string replace --regex -- "^" "$option" (__fish_complete_path ({paths}))',
        )
