"""``rnnlm inspect``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import (
    PATH,
    as_argument,
    label_option,
    load_any_model,
    model_option,
    output_options,
    print_json,
    say,
)
from rnnlm.cli.reading import (
    DOCUMENTS,
    LABEL_COLUMN,
    LINE_OPTIONS,
    make_reader,
    refuse_reading_options,
    say_reading,
)

if TYPE_CHECKING:
    from rnnlm.text.inputs import ReaderSettings


@click.command()
@click.argument("text", metavar="[TEXT|FILE]", required=False, type=click.Path(allow_dash=True))
@model_option
@click.option("-o", "--out", type=PATH, required=True, metavar="PAGE.html", help="Page to write.")
@label_option
@as_argument("reader", make_reader, DOCUMENTS, LABEL_COLUMN, *LINE_OPTIONS)
@output_options
def inspect(
    text: str | None,
    model_path: Path | None,
    out: Path,
    label: str | None,
    reader: "ReaderSettings",
    as_json: bool,
    quiet: bool,
) -> None:
    """Show how a model reads a TEXT, or a FILE; - is standard input.

    The page colours each token by its surprise, -log2 of the probability that the model gave it, and says what the
    model expected instead. It also colours the text by any unit of the network, and lists the units by how well
    they say something that people can name: whether one is in quotes, where in the line, and so on. It is one file
    that loads nothing, for 20,000 tokens at most.

    Of a classifier the surprise is that of the label, after each token; of a tagger that of each tag; of a
    translator that of its own translation, with where it looked if it has attention.

    \b
    Examples:
      rnnlm inspect hamlet.txt --model runs/shakespeare -o hamlet.html
      rnnlm inspect "I think that you are right." -o page.html
      rnnlm inspect questions.txt --model runs/questions -o questions.html --json
    """
    from rnnlm.inspect.documents import documents_of, is_file, title_of
    from rnnlm.inspect.kinds import read, readable
    from rnnlm.inspect.numbers import to_dict
    from rnnlm.inspect.page import write_page
    from rnnlm.inspect.properties import properties
    from rnnlm.inspect.scores import measure
    from rnnlm.text.report import ReadReport

    if text is None:
        raise click.UsageError("Give a text, or a file with one.")
    if not is_file(text):
        refuse_reading_options(reader, "FILE")
        say(f"Text: {text!r}, as there is no such file", quiet)
    model = readable(load_any_model(model_path, quiet))
    report = ReadReport()
    reading = read(model, documents_of(text, model, reader, report, label))
    say_reading(report, quiet)
    if not reading.is_whole:
        say(f"Read the first {len(reading.tokens):,} tokens; a page shows no more.", quiet)
    scores = measure(reading.layers, properties(reading.tokens))
    write_page(out, reading, scores, title_of(text))
    say(f"Page: {out}", quiet)
    if as_json:
        print_json({"page": str(out), **to_dict(reading, scores)})
