"""``rnnlm neighbors``."""

from pathlib import Path

import click

from rnnlm.cli.common import COUNT, load_any_model, model_option, output_options, print_json
from rnnlm.errors import RnnlmError


@click.command()
@click.argument("word")
@model_option
@click.option("--num", type=COUNT, default=10, show_default=True, help="How many neighbors to list.")
@output_options
def neighbors(word: str, model_path: Path | None, num: int, as_json: bool, quiet: bool) -> None:
    """List the words whose learned vectors are nearest to that of WORD.

    The vectors are the model's embeddings, or, where its input is one-hot, the columns of U; nearness is the
    cosine of the angle between two. Classifiers and taggers have such vectors, too, and of a translator
    those of the words that it writes are compared. WORD is one token of the
    vocabulary: a word, or in a model of characters a character.

    \b
    Examples:
      rnnlm neighbors good --model runs/comments
      rnnlm neighbors e --model runs/book --num 5
    """
    from rnnlm.evaluation.neighbors import nearest_words
    from rnnlm.models.forecaster import Forecaster

    model = load_any_model(model_path, quiet)
    if isinstance(model, Forecaster):
        raise RnnlmError("A forecaster reads numbers and knows no words; name a model of text.")
    found = nearest_words(model.network, model.vocabulary, word, num)
    if as_json:
        pairs = [{"word": neighbor, "similarity": similarity} for neighbor, similarity in found]
        print_json({"word": word, "neighbors": pairs})
        return
    for neighbor, similarity in found:
        click.echo(f"{similarity:7.4f}  {model.vocabulary.visible(neighbor)}")
