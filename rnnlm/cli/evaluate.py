"""``rnnlm evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.answer_tables import class_lines, forecast_lines, tag_lines, translation_lines
from rnnlm.cli.common import POSITIVE, load_any_model, model_option, output_options, print_json, say
from rnnlm.cli.label_table import label_lines
from rnnlm.cli.measuring import Measured, Mixture, measured_options, mixture_options

if TYPE_CHECKING:
    from rnnlm.evaluation.perplexity import Evaluation
    from rnnlm.models.classifier import Classifier
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.models.tagger import Tagger
    from rnnlm.models.translator import Translator

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
    """Measure a model on a dataset or a text: perplexity, accuracy, F1, BLEU, errors of forecasts.

    Of a classifier: accuracy (the share of texts with the right label), macro F1 (the mean F1 of the labels; F1 is
    2 PR / (P + R) of precision P and recall R), and which labels were taken for which. Of a tagger: accuracy over
    tokens and, where tags mark words or spans (B-, I-), precision, recall and F1 of these. Of a translator:
    perplexity of the targets and, where the package sacrebleu is installed, BLEU of the translations that a beam
    search of width 5 finds; --text takes pairs, with --format pairs. Of a forecaster: RMSE
    and MAE of each row forecast from those before it, in the data's units, and MASE (MAE divided by that of the
    value a season before in the training part), beside those of the last value and the last season. What follows
    is about language models.

    Words outside the vocabulary are predicted as the unknown token, as in the literature; the perplexity without
    them is printed too. Bits per character compare models with different tokens. A model trained with batching:
    stream reads the text as one stream, or as a few side by side; 'rnnlm score' begins every line afresh.

    With --interpolate the probability of a token is W times the network's and 1 - W times another model's. An
    n-gram model (ARPA, also .gz) must have the model's vocabulary, with <s>, </s> and <unk>. A file of
    probabilities has a line for each predicted token, ends of sentences included, that begins with its
    probability. W is --weight, else fitted by EM on the validation split; for a file of probabilities, which
    belongs to one text, fit it with --split valid first.

    A model that was trained on texts with labels reads each text's label first and is measured by label too; for
    --text, --label-column names it.

    With --dynamic each window of bptt_steps tokens is first measured and then trained on by gradient descent
    (dynamic evaluation). Try 0.03, and choose the rate on the validation split.

    \b
    Examples:
      rnnlm evaluate --model runs/comments
      rnnlm evaluate --model runs/comments --data data/comments --split valid
      rnnlm evaluate --model runs/comments --text other-comments.csv --json
      rnnlm evaluate --model runs/comments --interpolate comments.arpa.gz --dynamic 0.03
    """
    from rnnlm.models.forecaster import Forecaster
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.models.translator import Translator

    model = load_any_model(model_path, quiet)
    if isinstance(model, LanguageModel):
        result, lines = _of_language_model(model, measured, mixture, dynamic, quiet)
    elif dynamic is not None or mixture.interpolate is not None:
        option = "--interpolate" if dynamic is None else "--dynamic"
        raise click.UsageError(f"{option} is for language models, and this is a {model.called}; leave it out.")
    elif isinstance(model, Forecaster):
        forecasts = model.evaluate(measured.open_series(model, quiet))
        result, lines = forecasts.to_dict(), forecast_lines(forecasts)
    elif isinstance(model, Translator):
        result, lines = _of_translator(model, measured, quiet)
    else:
        result, lines = _of_answers(model, measured, quiet)
    if as_json:
        print_json(result)
    else:
        click.echo("\n".join(lines))


def _of_language_model(
    model: "LanguageModel", measured: Measured, mixture: Mixture, dynamic: float | None, quiet: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return the measures of a language model as plain data, and as lines."""
    from rnnlm.evaluation.interpolation import open_predictor

    interpolation = mixture.of(model, open_predictor, quiet, measured.data, dynamic)
    with measured.open(model, quiet) as part:
        evaluation = model.evaluate(part, dynamic=dynamic, interpolation=interpolation)
    _say_unknown(evaluation, quiet)
    fitted = {} if interpolation is None else {"weight": interpolation.weight}
    result = {"vocabulary_size": len(model.vocabulary), **evaluation.to_dict(), **fitted}
    return result, [*_lines(evaluation), *label_lines(evaluation)]


def _of_answers(model: "Classifier | Tagger", measured: Measured, quiet: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the measures of a classifier or a tagger as plain data, and as lines."""
    from rnnlm.models.classifier import Classifier

    with measured.open(model, quiet) as part:
        if isinstance(model, Classifier):
            classes = model.evaluate(part)
            return classes.to_dict(), class_lines(classes)
        tags = model.evaluate(part)
        return tags.to_dict(), tag_lines(tags)


def _of_translator(model: "Translator", measured: Measured, quiet: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the measures of a translator as plain data, and as lines; without sacrebleu all but BLEU."""
    from importlib.util import find_spec

    with measured.open(model, quiet) as part:
        if find_spec("sacrebleu") is None:
            say("BLEU is left out, as it needs the package sacrebleu; run: pip install sacrebleu.", quiet)
            evaluation = model.evaluate(part)
        else:
            evaluation = model.evaluate_translations(part)
    return evaluation.to_dict(), translation_lines(evaluation)


def _say_unknown(evaluation: "Evaluation", quiet: bool) -> None:
    """Say if most of a text is unknown."""
    if evaluation.unknown_tokens > MOST_UNKNOWN * evaluation.tokens:
        say(
            f"{evaluation.unknown_tokens / evaluation.tokens:.0%} of the tokens are not in the vocabulary, so the"
            " perplexity is mostly that of the unknown token and says little. Is this the model's language?",
            quiet,
        )


def _lines(evaluation: "Evaluation") -> list[str]:
    """Write the measures of a language model."""
    from rnnlm.evaluation.perplexity import rounded

    return [
        f"perplexity          {rounded(evaluation.perplexity)}"
        f" (without unknown tokens {rounded(evaluation.perplexity_without_unknown)})",
        f"cross-entropy       {evaluation.cross_entropy:.4f} nats, {evaluation.bits_per_token:.4f} bits a token",
        f"bits per character  {evaluation.bits_per_character:.4f}",
        f"tokens              {evaluation.tokens:,}, of which {evaluation.unknown_tokens:,}"
        f" ({evaluation.unknown_tokens / evaluation.tokens:.1%}) unknown",
    ]
