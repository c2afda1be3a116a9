"""``rnnlm predict``."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import (
    COUNT,
    PATH,
    json_lines_option,
    load_any_model,
    model_option,
    print_json,
    quiet_option,
    say,
)
from rnnlm.cli.reading import reading_options, refuse_reading_options, say_reading
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.dataset.series import Series
    from rnnlm.models.classifier import Classified
    from rnnlm.models.forecaster import Forecast, Forecaster
    from rnnlm.models.tagger import Tagged
    from rnnlm.models.translator import Alignment, Translated, Translator
    from rnnlm.text.inputs import ReaderSettings

    Answer = Classified | Tagged | Translated | Forecast

LINES_TOGETHER = 64
"""Most lines from a pipe that are answered side by side."""

MOST_ALIGNED = 100
"""Most sentences on a page of attention."""


@click.command()
@click.argument("file", metavar="[INPUT]", required=False, type=click.Path(allow_dash=True))
@model_option
@click.option("--text", help="A text to answer in place of a file.")
@click.option(
    "--steps",
    type=COUNT,
    metavar="N",
    help="A forecaster: rows to forecast.  [default: those to come in INPUT, else a season]",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="A forecaster: seed of the simulated futures."
)
@click.option(
    "--beam-width", type=COUNT, metavar="N", help="A translator: hypotheses kept, at most 1,000.  [default: 5]"
)
@click.option(
    "--attention",
    type=PATH,
    metavar="PAGE.html",
    help="A translator: write a page of where it looks in the first 100 sentences.",
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
    beam_width: int | None,
    attention: Path | None,
    reader: "ReaderSettings",
    as_jsonl: bool,
    quiet: bool,
) -> None:
    """Print what a classifier, tagger, translator or forecaster says of INPUT; - is standard input.

    All but a forecaster answer to each line. A classifier gives a line with the label and its probability, a tab
    between them; with --jsonl also the probabilities of all labels. A tagger gives the text with the tag of each
    word, as word/TAG, or with spaces between the words that it found. A translator gives the translation that a
    beam search finds; it reads the first 1,024 tokens of a line. With --attention it also draws, for a model that
    was trained with attention, how much each word that it read counted for each that it wrote. A line without a
    token gets an empty answer. Records of csv, json and the like count as lines. Lines from a pipe or a
    terminal are answered as they come.

    A forecaster goes on with INPUT, a csv file with the columns of the series that it was trained on, or without
    INPUT with that series, --steps rows; each forecast is read for the next. It gives a line a row: the date (or
    number), the forecast, and the ends of the 80 % and of the 95 % interval, tabs between them; with --jsonl one
    object of all. Rows to come may stand in INPUT, with the target left empty; where the model reads other
    columns, it needs these for more than one step. The intervals are quantiles of 2,000 simulated futures, whose
    errors are drawn from those that the model makes one step ahead in the series.

    \b
    Examples:
      rnnlm predict --model runs/questions --text "Who wrote Hamlet ?"
      rnnlm predict comments.csv --model runs/subreddits --jsonl
      tail -f chat.log | rnnlm predict - --quiet
      rnnlm predict german.txt --model runs/translate
      rnnlm predict --model runs/translate-attention --text "ein hund im schnee ." --attention page.html
      rnnlm predict --model runs/airline-narx --steps 24
    """
    from rnnlm.models.forecaster import Forecaster
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.models.translator import BEAM_WIDTH, Translator
    from rnnlm.report.alignment import write_page
    from rnnlm.text.arrival import as_they_come
    from rnnlm.text.readers import read_texts
    from rnnlm.text.report import ReadReport

    model = load_any_model(model_path, quiet)
    if not isinstance(model, Translator) and (attention is not None or beam_width is not None):
        option = "--beam-width" if attention is None else "--attention"
        raise click.UsageError(f"{option} is for a translator, and this is a {model.called}; leave it out.")
    if isinstance(model, Forecaster):
        if text is not None:
            raise click.UsageError("--text is for models of text, and this is a forecaster; leave it out.")
        series = _series(model, file, reader, quiet)
        by_default = len(series.coming) or (1 if model.info.inputs else model.info.season)
        forecast = model.predict(series, steps or by_default, seed=seed)
        _print(forecast, as_jsonl)
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
            " it; name a model of another kind."
        )
    alignments: list[Alignment] = []
    if not isinstance(model, Translator):
        answer: Callable[[Iterable[str]], Iterable[Answer]] = model.predict
    elif attention is None:
        answer = partial(model.predict, beam_width=beam_width or BEAM_WIDTH)
    else:
        answer = partial(_aligned, model, beam_width or BEAM_WIDTH, alignments)
    report = ReadReport()
    if file is None:
        parts: Iterator[Iterable[str]] = iter([[text or ""]])
    else:
        parts = as_they_come(file, read_texts(file, reader, report), LINES_TOGETHER, len)
    for of_text in chain.from_iterable(map(answer, parts)):
        _print(of_text, as_jsonl)
    say_reading(report, quiet)
    if attention is not None:
        write_page(attention, alignments)
        say(f"Wrote {attention}.", quiet)


def _print(answer: "Answer", as_jsonl: bool) -> None:
    if as_jsonl:
        print_json(answer.to_dict())
    else:
        click.echo(str(answer))


def _aligned(
    model: "Translator", beam_width: int, alignments: "list[Alignment]", texts: Iterable[str]
) -> Iterator["Translated"]:
    """Yield the translation of each text, and keep where the model looked in the first of them."""
    texts = iter(texts)
    for text in islice(texts, MOST_ALIGNED - len(alignments)):
        alignments.append(model.align(text, beam_width=beam_width))
        yield alignments[-1].translated
    yield from model.predict(texts, beam_width=beam_width)


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
