"""``rnnlm evaluate``."""

from pathlib import Path

import click

from rnnlm.cli.common import POSITIVE, load_model, model_option, output_options, print_json, say
from rnnlm.cli.measuring import Measured, Mixture, measured_options, mixture_options

MOST_UNKNOWN = 0.3
"""Share of unknown tokens above which a perplexity says little."""


@click.command()
@model_option
@measured_options(default_split="test")
@mixture_options("an ARPA n-gram model, or a file with the probability of every token")
@click.option(
    "--dynamic",
    type=POSITIVE,
    metavar="RATE",
    help="Let the model go on learning from the text, at this rate. The saved model stays as it is.",
)
@output_options
def evaluate(
    model_path: Path | None,
    measured: Measured,
    mixture: Mixture,
    dynamic: float | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure a model's perplexity on a dataset or a text.

    Words outside the vocabulary are predicted as the unknown token, as in the literature; the perplexity without
    them is printed too. Bits per character compare models with different tokens. A model trained with batching:
    stream reads the text as one stream, or as a few side by side; 'rnnlm score' begins every line afresh.

    With --interpolate the probability of a token is W times the network's and 1 - W times another model's. An
    n-gram model (ARPA, also .gz) must have the model's vocabulary, with <s>, </s> and <unk>. A file of
    probabilities has a line for each predicted token, ends of sentences included, that begins with its
    probability. W is --weight, else fitted by EM on the validation split; for a file of probabilities, which
    belongs to one text, fit it with --split valid first.

    With --dynamic each window of bptt_steps tokens is first measured and then trained on by gradient descent
    (dynamic evaluation). Try 0.03, and choose the rate on the validation split.

    \b
    Examples:
      rnnlm evaluate --model runs/comments
      rnnlm evaluate --model runs/comments --data data/comments --split valid
      rnnlm evaluate --model runs/comments --text other-comments.csv --json
      rnnlm evaluate --model runs/comments --interpolate comments.arpa.gz --dynamic 0.03
    """
    from rnnlm.evaluation.interpolation import open_predictor
    from rnnlm.evaluation.perplexity import rounded

    model = load_model(model_path, quiet)
    interpolation = mixture.of(model, open_predictor, quiet, measured.data, dynamic)
    with measured.open(model, quiet) as part:
        result = model.evaluate(part, dynamic=dynamic, interpolation=interpolation)
    if result.unknown_tokens > MOST_UNKNOWN * result.tokens:
        say(
            f"{result.unknown_tokens / result.tokens:.0%} of the tokens are not in the vocabulary, so the"
            " perplexity is mostly that of the unknown token and says little. Is this the model's language?",
            quiet,
        )
    if as_json:
        fitted = {} if interpolation is None else {"weight": interpolation.weight}
        print_json({"vocabulary_size": len(model.vocabulary), **result.to_dict(), **fitted})
        return
    click.echo(
        f"perplexity          {rounded(result.perplexity)}"
        f" (without unknown tokens {rounded(result.perplexity_without_unknown)})\n"
        f"cross-entropy       {result.cross_entropy:.4f} nats, {result.bits_per_token:.4f} bits a token\n"
        f"bits per character  {result.bits_per_character:.4f}\n"
        f"tokens              {result.tokens:,}, of which {result.unknown_tokens:,}"
        f" ({result.unknown_tokens / result.tokens:.1%}) unknown"
    )
