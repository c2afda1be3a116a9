"""``rnnlm preprocess``: text to a dataset."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import COUNT, PATH, load_tags, output_options, print_json, say
from rnnlm.cli.preprocess_options import (
    Given,
    chosen_source_vocabulary,
    chosen_text,
    chosen_vocabulary,
    division_options,
    refuse_options_of_the_other_kind,
    refuse_options_without_effect,
    say_of_mixture,
    text_options,
    vocabulary_options,
)
from rnnlm.cli.preprocess_series import make_series, series_options
from rnnlm.cli.preprocess_summary import as_options, summary
from rnnlm.cli.reading import reading_options, say_reading
from rnnlm.errors import RnnlmError
from rnnlm.ranks.joining import join
from rnnlm.resources import SAMPLE_CORPUS, SAMPLE_SERIES
from rnnlm.signals import handled

if TYPE_CHECKING:
    from rnnlm.dataset.building.build import BuildResult
    from rnnlm.dataset.building.division import DivisionSettings
    from rnnlm.dataset.building.series import SeriesSettings
    from rnnlm.text.inputs import ReaderSettings


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=click.Path(allow_dash=True))
@click.option("--out", type=PATH, help="Dataset directory.  [default: data/NAME OF INPUT]")
@text_options
@reading_options()
@vocabulary_options
@division_options
@series_options
@click.option("--workers", type=COUNT, default=1, show_default=True, help="Processes that tokenize.")
@click.option(
    "--write-text",
    type=PATH,
    metavar="DIR",
    help="Also write train.txt, valid.txt and test.txt: tokens with spaces between them, unknown words replaced, a"
    " sentence a line, for lmplz and others.",
)
@click.option("--overwrite", is_flag=True, help="Replace the dataset in --out, and the files of --write-text.")
@output_options
def preprocess(
    inputs: tuple[str, ...],
    out: Path | None,
    text: Given,
    reader: "ReaderSettings",
    vocabulary: Given,
    division: "DivisionSettings",
    series: "SeriesSettings",
    workers: int,
    write_text: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Turn text into a dataset: clean, tokenize, build the vocabulary, split.

    INPUT: files or directories, or - for standard input: .csv .tsv .json .jsonl .ndjson .txt, each also .gz .bz2
    .xz .zst .zip, and .parquet; other names are fine too, because the content of a file decides. Without any, the
    sample corpus that comes with rnnlm.

    With --format series INPUT is a csv file of numbers, its first row the names of the columns; without any, the
    monthly airline passengers that come with rnnlm. A column of dates is recognized. The parts follow one another
    in time.

    \b
    Examples:
      rnnlm preprocess comments.csv
      rnnlm preprocess book.txt --level char --out data/book
      rnnlm preprocess questions.csv --label-column kind --test test.csv
      rnnlm preprocess train.de train.en --format pairs --valid valid.de,valid.en --min-count 2
      rnnlm preprocess RC_2026-01.zst --where subreddit=askscience --workers 2
      rnnlm preprocess sales.csv --format series --target-column sold --test-rows 24
      zcat dump.gz | rnnlm preprocess - --format jsonl --out data/dump
    """
    from rnnlm.dataset.building.build import build_dataset
    from rnnlm.dataset.building.crew import Crew
    from rnnlm.dataset.building.learning import settings_of
    from rnnlm.dataset.building.publish import check_destination
    from rnnlm.dataset.store import Dataset
    from rnnlm.dataset.write_text import check_text_destination
    from rnnlm.dataset.write_text import write_text as save_text
    from rnnlm.text.lines import source_name
    from rnnlm.text.readers import Inputs
    from rnnlm.text.report import ReadReport

    is_series = reader.format == "series"
    inputs = inputs or (str(SAMPLE_SERIES if is_series else SAMPLE_CORPUS),)
    out = out or Path("data", _stem(inputs[0]))
    refuse_options_of_the_other_kind(is_series, series, {**text, **vocabulary}, reader, workers, write_text)
    if is_series:
        if len(inputs) > 1:
            raise click.UsageError("A series is one file; give one INPUT.")
        if not join().is_first:
            return
        say(f"Reading {inputs[0]}, writing {out}.", quiet)
        make_series(inputs[0], out, series, reader, division, overwrite=overwrite, as_json=as_json, quiet=quiet)
        return
    stop = _Stop()
    with Crew(workers, join()) as crew, handled([signal.SIGTERM], stop.end):
        if not crew.leads:
            crew.serve(out)
            return
        check_destination(out, overwrite)
        if write_text:
            check_text_destination(write_text, out, overwrite)
        report = ReadReport()
        read = Inputs(inputs, reader, report)
        formats = {*read.formats, *Inputs(_others(division, reader), reader, report).formats}
        refuse_options_without_effect(formats, reader, text)
        chosen = chosen_vocabulary(vocabulary, text)
        settings = settings_of(chosen) or chosen_text(text, read.formats, reader.label_column is not None)
        say(f"Reading {', '.join(map(source_name, inputs))}, writing {out}.", quiet)
        documents = (reader.documents or settings.default_documents) if "txt" in formats else None
        say(f"Text settings: {as_options(settings, documents)}", quiet)
        if "vocabulary" not in vocabulary:
            say_of_mixture(read.files, text, quiet)
        try:
            with _progress(stop, quiet) as progress:
                result = build_dataset(
                    read,
                    out,
                    reader=reader,
                    text=settings,
                    vocabulary=chosen,
                    source_vocabulary=chosen_source_vocabulary(vocabulary),
                    tags=load_tags(vocabulary["vocabulary"]) if "vocabulary" in vocabulary else None,
                    division=division,
                    crew=crew,
                    overwrite=overwrite,
                    report=report,
                    progress=progress,
                )
        except RnnlmError:
            say_reading(report, quiet)  # which may be the reason
            raise
        if write_text:
            save_text(Dataset.open(out), write_text, overwrite)
            without = "tags" if result.tags is not None else "sources" if result.source is not None else None
            left_out = f", without {without}" if without else ""
            say(f"Wrote {write_text}: train.txt, valid.txt, test.txt{left_out}.", quiet)
    say_reading(report, quiet)
    for message in summary(result, by_default="sentences" not in text):
        say(message, quiet)
    if as_json:
        print_json(result.to_dict())
    else:
        click.echo(f"{out}: {_counts(result)}")


def _others(division: "DivisionSettings", reader: "ReaderSettings") -> list[str]:
    """Return the files of the other parts that can be looked at before: a pipe can be opened only once."""
    files = [name for file in (division.valid_file, division.test_file) if file for name in reader.names(file)]
    return [file for file in files if file != "-" and not Path(file).is_fifo()]


@contextmanager
def _progress(stop: "_Stop", quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function that shows that so many more characters are done, and leaves if there was a signal."""
    from tqdm import tqdm

    with tqdm(desc="Processing", unit=" characters", unit_scale=True, disable=quiet or None, leave=False) as bar:

        def progress(characters: int) -> None:
            stop.check()
            bar.update(characters)

        yield progress


def _counts(result: "BuildResult") -> str:
    """Say how much text there is."""
    from rnnlm.text.report import counted

    total = result.total
    parts = (result.documents, "document{s}"), (total.sentences, "sentence{s}"), (total.tokens, "token{s}")
    return ", ".join(counted(number, things) for number, things in parts)


def _stem(name: str) -> str:
    """Name a dataset after an input."""
    from rnnlm.text.formats import format_of, strip_compression
    from rnnlm.text.lines import STDIN

    if name == STDIN:
        return "stdin"
    path = Path(name).resolve()
    if path.is_dir():
        return path.name
    plain = strip_compression(path.name)
    return Path(plain).stem if format_of(plain) else plain


class _Stop:
    """Ends the command by a signal as Ctrl-C does, everything cleaned up."""

    exit_code: int | None = None

    def end(self, number: int, frame: FrameType | None) -> None:
        """Leave, at the first signal; some senders send it twice, and the clean-up goes on."""
        if self.exit_code is None:
            self.exit_code = 128 + number
            sys.exit(self.exit_code)

    def check(self) -> None:
        """Leave if there was a signal: what is raised while Python destroys an object is lost."""
        if self.exit_code is not None:
            sys.exit(self.exit_code)
