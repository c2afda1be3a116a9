"""``rnnlm evaluate``."""

from pathlib import Path

import click

from rnnlm.cli.common import (
    check_source,
    chosen_split,
    find_model,
    json_option,
    model_option,
    print_json,
    quiet_option,
    source_options,
)


@click.command()
@model_option
@source_options(default_split="test")
@json_option
@quiet_option
def evaluate(
    model_path: Path | None, data: Path | None, split: str | None, text: Path | None, as_json: bool, quiet: bool
) -> None:
    """Measure a model's perplexity on a dataset or a text.

    Words outside the vocabulary are predicted as the unknown token, as in the literature; the perplexity without
    them is printed too. Bits per character compare models with different tokens.

    \b
    Examples:
      rnnlm evaluate --model runs/comments
      rnnlm evaluate --model runs/comments --data data/comments --split valid
      rnnlm evaluate --model runs/comments --text other-comments.csv --json
    """
    from rnnlm.model import LanguageModel

    check_source(data, split, text)
    model = LanguageModel.load(find_model(model_path, quiet))
    with chosen_split(model, data, split or "test", text, quiet) as part:
        result = model.evaluate(part)
    if as_json:
        print_json({"vocabulary_size": len(model.vocabulary), **result.to_dict()})
        return
    without = result.perplexity_without_unknown
    click.echo(
        f"perplexity          {result.perplexity:.2f}"
        f" (without unknown tokens {'-' if without is None else format(without, '.2f')})\n"
        f"cross-entropy       {result.cross_entropy:.4f} nats, {result.bits_per_token:.4f} bits a token\n"
        f"bits per character  {result.bits_per_character:.4f}\n"
        f"tokens              {result.tokens:,}, of which {result.unknown_tokens:,} unknown"
    )
