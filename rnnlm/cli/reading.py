"""The options that say how text is read, for every command that reads some."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.common import Command, as_argument, say
from rnnlm.cli.main import with_options

if TYPE_CHECKING:
    from rnnlm.text.inputs import ReaderSettings
    from rnnlm.text.report import ReadReport

FORMATS = ("csv", "tsv", "json", "jsonl", "txt", "parquet")
DOCUMENTS = click.option(
    "--documents",
    metavar="line|paragraph|file|SEPARATOR",
    help="What one document of a txt file is; any other value is the line that stands between documents, such as"
    " '***'.  [default: line for words, paragraph with --keep-lines, file for characters]",
)
ENCODING = click.option(
    "--encoding",
    default="auto",
    show_default=True,
    metavar="auto|NAME",
    callback=lambda context, parameter, value: None if value == "auto" else value,
    help="Encoding of the text, such as windows-1252; auto recognizes it.",
)


def _format_option(names: Iterable[str], more: str = "") -> Callable[[Any], Any]:
    return click.option(
        "--format",
        type=click.Choice(["auto", *names]),
        default="auto",
        show_default=True,
        help=f"Format of the text; auto recognizes it by the content.{more}",
    )


TEXT_COLUMN = click.option(
    "--text-column",
    metavar="NAME",
    help="Column (the first row names them) or JSON field with the text; data.body is one in an object, and"
    " title,selftext are two that are joined.  [default: body, else text, else content, else the only one]",
)
TEXT_OPTIONS = (
    click.option(
        "--where",
        multiple=True,
        metavar="FIELD=VALUE",
        help="Take only records whose field has this value. May be given again; then all must hold.",
    ),
    click.option(
        "--delimiter",
        default="auto",
        show_default=True,
        metavar="auto|CHARACTER",
        help="Separator of csv fields: , ; | tab or another; auto finds it.",
    ),
    click.option(
        "--quoting/--no-quoting",
        default=None,
        help="Whether quotation marks of csv enclose fields or are text.  [default: as rows show]",
    ),
    click.option(
        "--header/--no-header",
        default=True,
        show_default=True,
        help="Whether the first row of csv names the columns; if not, --text-column is a number, from 1.",
    ),
    ENCODING,
    click.option("--keep-damaged", is_flag=True, help="Keep what comes before the place where a file is damaged."),
)
LINE_OPTIONS = (_format_option(FORMATS), TEXT_COLUMN, *TEXT_OPTIONS)
"""The options of a command that reads text alone; parameters are called as in `ReaderSettings`."""
LABEL_COLUMN = click.option(
    "--label-column",
    metavar="NAME",
    help="Column or JSON field with the label of each text, which a model is to learn or to be told.",
)
DOCUMENT_OPTIONS = (
    DOCUMENTS,
    _format_option(
        [*FORMATS, "tagged", "segmented", "pairs", "series"],
        " For a tagger: tagged has a token, a tab and its tag a line, or is CoNLL-U; segmented has words with"
        " spaces between them, a sentence a line. For a translator: pairs has a source, a tab and its target a"
        " line, or is two files, line by line. For a forecaster: series is csv of numbers, a row after the other"
        " in time, perhaps with a column of dates.",
    ),
    click.option(
        "--tag-column",
        metavar="N|NAME",
        help="With --format tagged: the column with the tag, a number from 1, or in CoNLL-U a name such as xpos."
        "  [default: the last, in CoNLL-U upos]",
    ),
    TEXT_COLUMN,
    LABEL_COLUMN,
    *TEXT_OPTIONS,
)
"""Those of a command that reads documents, and labels and tags, too."""


def reading_options(by_documents: bool = True) -> Callable[[Command], Command]:
    """Add the options of a command that reads documents, or lines, and hand it what they say as `reader`."""
    return as_argument("reader", make_reader, *(DOCUMENT_OPTIONS if by_documents else LINE_OPTIONS))


def make_reader(**values: Any) -> "ReaderSettings":
    """Return what the values of the options say."""
    from rnnlm.text.inputs import ReaderSettings

    reader = ReaderSettings(**values)
    reader.check()
    return reader


def refuse_reading_options(reader: "ReaderSettings", option: str) -> None:
    """Refuse options of reading that have no effect because the option that names a text is missing."""
    from rnnlm.text.inputs import ReaderSettings

    default = ReaderSettings()
    for name in ReaderSettings.__dataclass_fields__:
        if getattr(reader, name) != getattr(default, name):
            given = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{given} says how the text of {option} is read; give that too.")


def say_reading(report: "ReadReport", quiet: bool) -> None:
    """Say how text was read, and what was repaired or left out."""
    for message in (*report.guesses(with_options), *map(with_options, report.messages())):
        say(message, quiet)


def texts_of(path: str, reader: "ReaderSettings", quiet: bool) -> Iterator[str]:
    """Yield the lines of a text file, or the texts of records, and say at the end how they were read."""
    from rnnlm.text.readers import read_texts
    from rnnlm.text.report import ReadReport

    report = ReadReport()
    yield from read_texts(path, reader, report)
    say_reading(report, quiet)
