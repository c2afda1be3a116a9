"""``rnnlm generate``."""

from dataclasses import asdict
from pathlib import Path

import click

from rnnlm.cli.common import find_model, json_option, model_option, print_json, quiet_option, say


def _as_utf8(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """Refuse an argument with bytes that are not UTF-8: such text can be neither read nor printed."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter("it is not valid UTF-8.") from error
    return text


@click.command()
@model_option
@click.option("--seed-text", default="", callback=_as_utf8, help="How the text begins.  [default: a new sentence]")
@click.option("--num-samples", type=click.IntRange(min=1), help="How many texts.  [default: 5, with --greedy 1]")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    help="Words or characters after which a text is cut.  [default: 100 words, 500 characters]",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Below 1 the likely words gain, above 1 the unlikely ones.",
)
@click.option("--top-k", type=click.IntRange(min=1), help="Choose among the K most likely tokens only.")
@click.option(
    "--top-p",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Choose among the fewest tokens whose probabilities add up to P.",
)
@click.option("--greedy", is_flag=True, help="Take the most likely token every time.")
@click.option("--allow-unknown", is_flag=True, help="Let the unknown token be written.")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed gives the same text.")
@json_option
@quiet_option
def generate(
    model_path: Path | None,
    seed_text: str,
    num_samples: int | None,
    max_tokens: int | None,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    greedy: bool,
    allow_unknown: bool,
    seed: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write text with a trained model, one sample a line.

    \b
    Examples:
      rnnlm generate --seed-text "I think"
      rnnlm generate --model runs/comments --seed-text "i think that" --num-samples 10 --temperature 0.8
      rnnlm generate --model runs/book --max-tokens 2000 --top-p 0.95 --seed 1
    """
    from rnnlm.model import LanguageModel
    from rnnlm.sampling import Sampling

    model = LanguageModel.load(find_model(model_path, quiet))
    unknown = model.unknown_words(seed_text)
    if unknown:
        unknown_token = model.vocabulary.unknown_token
        say(f"Not in the vocabulary, read as {unknown_token}: {', '.join(dict.fromkeys(unknown))}", quiet)
    samples = model.samples(
        seed_text,
        num_samples or (1 if greedy else 5),
        sampling=Sampling(temperature, top_k, top_p, greedy),
        max_tokens=max_tokens,
        allow_unknown=allow_unknown,
        seed=seed,
    )
    if as_json:
        print_json({"samples": [asdict(sample) for sample in samples]})
        return
    # Texts of several lines need more than a line end between them.
    separator = "\n\n" if model.vocabulary.settings.level == "char" else "\n"
    click.echo(separator.join(sample.text for sample in samples))
