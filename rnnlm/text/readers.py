"""Documents streamed from files, directories and standard input, in bounded memory whatever is in them."""

from collections.abc import Iterator, Sequence

from rnnlm.text.csv_files import csv_records
from rnnlm.text.documents import Piece, text_documents
from rnnlm.text.fields import Conditions, wanted_names
from rnnlm.text.formats import format_of
from rnnlm.text.inputs import InputFile, Inputs, ReaderSettings
from rnnlm.text.json_records import json_document, json_lines
from rnnlm.text.lines import Lines, ReadReport, Source, source_name
from rnnlm.text.parquet import parquet_records
from rnnlm.text.records import record_documents, record_texts

__all__ = ["Inputs", "ReaderSettings", "read_documents", "read_texts"]

# The first texts of a file that are shown.
SAMPLES = 2


def read_documents(
    inputs: Sequence[str], settings: ReaderSettings, report: ReadReport, *, join_lines: bool = False
) -> Iterator[Piece]:
    """Yield the documents of the inputs, in pieces.

    A few bytes that are no character, and lone surrogates in JSON, become U+FFFD; NUL characters, rows without the
    text column, lines that are not JSON and records that are too long are left out; all are counted in the report,
    which also says what was recognized.

    Parameters
    ----------
    inputs
        Files, directories, or ``-`` for standard input; or `Inputs`, which were made of the same settings.
    settings
        How they are read.
    report
        Gathers what was repaired or skipped.
    join_lines
        Whether the line ends inside the paragraphs of a text become spaces, so that sentences go on over them.

    Raises
    ------
    RnnlmError
        If an input does not exist, cannot be read or decompressed, or lacks the text column.
    """
    conditions = Conditions(settings.where)
    inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs, settings, report)
    for file in inputs.files:
        with file.open() as (kind, lines):
            if lines is not None and kind == "txt":
                documents = settings.documents or "line"
                pieces = text_documents(lines, documents, join_lines)
                if settings.format == "auto" and format_of(file.name) != "txt":
                    pieces = _shown(pieces, f"Reading plain text by the {documents}", lines.source, report)
            else:
                pieces = _record_pieces(file.name, kind, lines, settings, conditions, report)
            yield from pieces
    conditions.check_found(", ".join(map(str, inputs)))


def read_texts(name: str, settings: ReaderSettings, report: ReadReport) -> Iterator[str]:
    """Yield the lines of a text file, empty ones too, each as soon as it is there, or the texts of records.

    Parameters
    ----------
    name
        The file, or ``-`` for standard input.
    settings
        How it is read; `documents` says nothing here.
    report
        Gathers what was repaired or skipped.

    Raises
    ------
    RnnlmError
        If the file cannot be read, lacks the text column, or a line has more than 16,000,000 characters.
    """
    settings.check()
    conditions = Conditions(settings.where)
    with InputFile(name, settings, report).open() as (kind, lines):
        if lines is not None and kind == "txt":
            yield from lines.texts()
        else:
            _, texts = _texts(name, kind, lines, settings, conditions, report)
            yield from texts
    conditions.check_found(source_name(name))


def _record_pieces(
    name: str,
    kind: str,
    lines: Lines | None,
    settings: ReaderSettings,
    conditions: Conditions,
    report: ReadReport,
) -> Iterator[Piece]:
    reading, texts = _texts(name, kind, lines, settings, conditions, report)
    return _shown(record_documents(texts), f"Reading {reading}", source_name(name), report)


def _texts(
    name: str,
    kind: str,
    lines: Lines | None,
    settings: ReaderSettings,
    conditions: Conditions,
    report: ReadReport,
) -> tuple[str, Iterator[str]]:
    """Return how the records of a file are read, and their texts."""
    wanted = settings.text_column
    if lines is None:
        records = parquet_records(name, [*wanted_names(wanted), *conditions.names])
    elif kind == "csv":
        records = csv_records(lines, settings.separator, settings.quoting, settings.header, wanted_names(wanted))
    elif kind == "json":
        records = json_document(lines, wanted, settings.keep_damaged)
    else:
        records = json_lines(lines)
    by_name = format_of(name)
    if settings.format == "auto" and by_name not in (None, kind):
        report.note(f"{name}: read as {kind} by its content, not as {by_name} by its name (--format decides).")
    return record_texts(records, lines or Source(name, report), wanted, conditions)


def _shown(pieces: Iterator[Piece], reading: str, source: str, report: ReadReport) -> Iterator[Piece]:
    """Yield pieces, and show the first documents, so that one sees what is misread."""
    samples: list[str] = []
    for piece in pieces:
        if piece.begins_document:
            samples.append(piece.text)
            if len(samples) == SAMPLES:
                report.guess(source, reading, samples)
                yield piece
                yield from pieces
                return
        yield piece
    report.guess(source, reading, samples)
