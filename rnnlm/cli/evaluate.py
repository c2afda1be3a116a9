"""``rnnlm evaluate``."""

from pathlib import Path

import click

from rnnlm.cli.common import find_model, json_option, model_option, print_json, quiet_option, say


@click.command()
@model_option
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Dataset with the model's vocabulary.  [default: the one it was trained on]",
)
@click.option(
    "--split",
    type=click.Choice(["train", "valid", "test"]),
    help="Part of the dataset.  [default: test]",
)
@click.option(
    "--text",
    type=click.Path(path_type=Path),
    help="Text file instead of a dataset: txt, or csv or jsonl with the text in body or text.",
)
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
    from rnnlm.dataset.store import Dataset
    from rnnlm.errors import RnnlmError
    from rnnlm.model import LanguageModel

    if data is not None and text is not None:
        raise click.UsageError("give --data or --text, not both.")
    if split is not None and text is not None:
        raise click.UsageError("--split is for a dataset; leave it out with --text.")
    model = LanguageModel.load(find_model(model_path, quiet))
    if text is not None:
        result = model.evaluate_file(text)
    else:
        path = data or model.config.data.path
        if path is None:
            raise click.UsageError("give --data DIR or --text FILE.")
        split = split or "test"
        say(f"Dataset: {path}, {split} split", quiet)
        dataset = Dataset.open(path)
        if dataset.vocabulary != model.vocabulary:
            raise RnnlmError(f"{path}: its vocabulary is not the model's; preprocess with --vocab, or use --text.")
        result = model.evaluate(dataset.split(split))
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
