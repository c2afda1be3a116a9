"""``rnnlm predict``."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import json_lines_option, load_any_model, model_option, print_json, quiet_option
from rnnlm.cli.reading import reading_options, refuse_reading_options, say_reading
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.models.classifier import Classified
    from rnnlm.models.tagger import Tagged
    from rnnlm.text.inputs import ReaderSettings

LINES_TOGETHER = 64
"""Most lines from a pipe that are answered side by side."""


@click.command()
@click.argument("file", metavar="[INPUT]", required=False, type=click.Path(allow_dash=True))
@model_option
@click.option("--text", help="A text to answer in place of a file.")
@reading_options(by_documents=False)
@json_lines_option
@quiet_option
def predict(
    file: str | None,
    model_path: Path | None,
    text: str | None,
    reader: "ReaderSettings",
    as_jsonl: bool,
    quiet: bool,
) -> None:
    """Print what a classifier or a tagger says of each line of INPUT; - is standard input.

    A classifier gives a line with the label and its probability, a tab between them; with --jsonl also the
    probabilities of all labels. A tagger gives the text with the tag of each word, as word/TAG, or with spaces
    between the words that it found. A line without a token gets an empty one. Records of csv, json and the like
    count as lines. Lines from a pipe or a terminal are answered as they come.

    \b
    Examples:
      rnnlm predict --model runs/questions --text "Who wrote Hamlet ?"
      rnnlm predict comments.csv --model runs/subreddits --jsonl
      tail -f chat.log | rnnlm predict - --quiet
    """
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.text.arrival import as_they_come
    from rnnlm.text.readers import read_texts
    from rnnlm.text.report import ReadReport

    if (file is None) == (text is None):
        raise click.UsageError("Give either a file or --text TEXT.")
    if file is None:
        refuse_reading_options(reader, "INPUT")
    model = load_any_model(model_path, quiet)
    if isinstance(model, LanguageModel):
        raise RnnlmError(
            "A language model has no answer to a text: 'rnnlm generate' goes on with one, 'rnnlm score' measures"
            " it; name a classifier or a tagger."
        )
    report = ReadReport()
    if file is None:
        parts: Iterator[Iterable[str]] = iter([[text or ""]])
    else:
        parts = as_they_come(file, read_texts(file, reader, report), LINES_TOGETHER, len)
    answers: Iterator[Classified | Tagged] = chain.from_iterable(map(model.predict, parts))
    for answer in answers:
        if as_jsonl:
            print_json(answer.to_dict())
        else:
            click.echo(str(answer))
    say_reading(report, quiet)
