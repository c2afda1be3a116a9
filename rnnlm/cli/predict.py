"""``rnnlm predict``."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import COUNT, json_lines_option, load_any_model, model_option, print_json, quiet_option, say
from rnnlm.cli.reading import reading_options, refuse_reading_options, say_reading
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.dataset.series import Series
    from rnnlm.models.classifier import Classified
    from rnnlm.models.forecaster import Forecaster
    from rnnlm.models.tagger import Tagged
    from rnnlm.text.inputs import ReaderSettings

LINES_TOGETHER = 64
"""Most lines from a pipe that are answered side by side."""


@click.command()
@click.argument("file", metavar="[INPUT]", required=False, type=click.Path(allow_dash=True))
@model_option
@click.option("--text", help="A text to answer in place of a file.")
@click.option("--steps", type=COUNT, metavar="N", help="A forecaster: rows to forecast.  [default: a season]")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="A forecaster: seed of the simulated futures."
)
@reading_options(by_documents=False)
@json_lines_option
@quiet_option
def predict(
    file: str | None,
    model_path: Path | None,
    text: str | None,
    steps: int | None,
    seed: int,
    reader: "ReaderSettings",
    as_jsonl: bool,
    quiet: bool,
) -> None:
    """Print what a classifier, a tagger or a forecaster says of INPUT; - is standard input.

    A classifier or a tagger answers to each line. A classifier gives a line with the label and its probability, a
    tab between them; with --jsonl also the probabilities of all labels. A tagger gives the text with the tag of
    each word, as word/TAG, or with spaces between the words that it found. A line without a token gets an empty
    one. Records of csv, json and the like count as lines. Lines from a pipe or a terminal are answered as they
    come.

    A forecaster goes on with INPUT, a csv file with the columns of the series that it was trained on, or without
    INPUT with that series, --steps rows; each forecast is read for the next. It gives a line a row: the date (or
    number), the forecast, and the ends of the 80 % and of the 95 % interval, tabs between them; with --jsonl one
    object of all. The intervals are quantiles of 2,000 simulated futures, whose errors are drawn from those that
    the model makes one step ahead in the series.

    \b
    Examples:
      rnnlm predict --model runs/questions --text "Who wrote Hamlet ?"
      rnnlm predict comments.csv --model runs/subreddits --jsonl
      tail -f chat.log | rnnlm predict - --quiet
      rnnlm predict --model runs/airline-narx --steps 24
    """
    from rnnlm.models.forecaster import Forecaster
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.text.arrival import as_they_come
    from rnnlm.text.readers import read_texts
    from rnnlm.text.report import ReadReport

    model = load_any_model(model_path, quiet)
    if isinstance(model, Forecaster):
        if text is not None:
            raise click.UsageError("--text is for models of text, and this is a forecaster; leave it out.")
        forecast = model.predict(_series(model, file, reader, quiet), steps or model.info.season, seed=seed)
        if as_jsonl:
            print_json(forecast.to_dict())
        else:
            click.echo(str(forecast))
        return
    if steps is not None:
        raise click.UsageError(f"--steps is for a forecaster, and this is a {model.called}; leave it out.")
    if (file is None) == (text is None):
        raise click.UsageError("Give either a file or --text TEXT.")
    if file is None:
        refuse_reading_options(reader, "INPUT")
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


def _series(model: "Forecaster", file: str | None, reader: "ReaderSettings", quiet: bool) -> "Series":
    """Read the series that is to be continued: a file, else what the model was trained on."""
    from rnnlm.dataset.building.series import read_series
    from rnnlm.text.report import ReadReport

    if file is not None:
        report = ReadReport()
        series = read_series(file, model.info, reader, report)
        say_reading(report, quiet)
        return series
    path = model.config.data.path
    if path is None:
        raise click.UsageError("Give INPUT, the series that is to be continued.")
    say(f"Series: {path}", quiet)
    return model.open(path).series
