"""Documents streamed from files, directories and standard input, in bounded memory whatever is in them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TypeVar

from rnnlm.errors import RnnlmError
from rnnlm.text.csv_files import csv_records
from rnnlm.text.documents import DOCUMENTS, Piece, text_documents, whole_pieces
from rnnlm.text.fields import Conditions, wanted_names
from rnnlm.text.formats import format_of, has_columns
from rnnlm.text.inputs import InputFile, Inputs, ReaderSettings
from rnnlm.text.json_records import json_document, json_lines
from rnnlm.text.lines import WHOLE, Lines, Span, source_name
from rnnlm.text.pairs import are_parallel, pair_pieces, parallel_pieces
from rnnlm.text.parquet import parquet_records
from rnnlm.text.processor import PAIRS, TAGGED
from rnnlm.text.records import RecordText, record_texts
from rnnlm.text.report import ReadReport, Source
from rnnlm.text.sections import Section, sections
from rnnlm.text.tagged import segmented_pieces, tagged_pieces

__all__ = ["Inputs", "ReaderSettings", "read_documents", "read_texts"]

Part = TypeVar("Part")

SAMPLES = 2
"""How many of the first texts of a file are shown."""


def read_documents(
    inputs: Sequence[str], settings: ReaderSettings, report: ReadReport, *, join_lines: bool = False
) -> Iterator[Piece]:
    """Yield the documents of the inputs, in pieces.

    A few bytes that are not a character, and lone surrogates in JSON, become U+FFFD. NUL characters, rows without
    the text column, lines that are not JSON and records that are too long are left out. The report counts all of
    this, and says what was recognized.

    Parameters
    ----------
    inputs
        Files, directories, or ``-`` for standard input; or `Inputs` made with the same settings.
    join_lines
        Whether the line ends inside the paragraphs of a text become spaces, so that sentences go on over them.

    Raises
    ------
    RnnlmError
        If an input does not exist, cannot be read or decompressed, or lacks the text column, labels, a tag or one
        side of a pair.
    """
    conditions = Conditions(settings.where)
    inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs, settings, report)
    for section in sections(inputs, settings):
        yield from read_section(section, settings, report, conditions, join_lines=join_lines)
    conditions.check_found(names_of(inputs))


def names_of(inputs: Sequence[str]) -> str:
    """Return how messages name several inputs."""
    return ", ".join(source_name(str(name)) for name in inputs)


def read_section(
    section: Section, settings: ReaderSettings, report: ReadReport, conditions: Conditions, *, join_lines: bool
) -> Iterator[Piece]:
    """Yield the documents of a section of the inputs, in pieces; see `read_documents`.

    The conditions are those of the settings; that a field of theirs was found is noted in them.
    """
    if section.are_parallel:
        first, second = section.files
        yield from _pairs_of_two(first, second, report)
        return
    for file in section.files:
        with file.open(report, section.span) as (kind, lines):
            if settings.label_column is not None and kind in ("txt", *TAGGED):
                raise RnnlmError(
                    f"{source_name(file.name)}: this is {kind}, which has no column with labels; give csv"
                    " or jsonl, or leave `label_column` out."
                )
            if lines is not None and kind == "txt":
                documents = settings.documents or "line"
                pieces = text_documents(lines, documents, join_lines)
                by = f"by the {documents}" if documents in DOCUMENTS else f"between lines {documents!r}"
                yield from _shown_if_guessed(pieces, _beginning_of_document, by, lines, settings)
            elif lines is not None and kind == "tagged":
                yield from tagged_pieces(lines, settings.tag_column)
            elif lines is not None and kind == "segmented":
                yield from segmented_pieces(lines)
            elif lines is not None and kind == PAIRS:
                yield from _pairs_of_one(lines)
            else:
                texts = _record_texts(file, kind, lines or Source(file.name, report), conditions, section.span)
                for text, label in texts:
                    yield from whole_pieces(text, label)


def read_texts(name: str, settings: ReaderSettings, report: ReadReport) -> Iterator[str]:
    """Yield the lines of a text file, empty ones too, or the texts of records, each as soon as it is there.

    `name` may be ``-`` for standard input; the setting `documents` has no effect.

    Raises
    ------
    RnnlmError
        If the file cannot be read, or its tags or labels are wanted, it lacks the text column, or a line has more
        than 16,000,000 characters.
    """
    settings.check()
    if settings.format == "series":
        raise RnnlmError("`format=series` has numbers, but text is read here; leave the format out.")
    if settings.has_tags:
        raise RnnlmError(f"`format={settings.format}` has tags, but only text is read here; leave the format out.")
    if settings.has_pairs:
        raise RnnlmError(f"`format={PAIRS}` has pairs, but only text is read here; leave the format out.")
    if settings.label_column is not None:
        raise RnnlmError("`label_column` has labels, but only text is read here; leave it out.")
    conditions = Conditions(settings.where)
    file = InputFile(name, settings, report)
    with file.open(report) as (kind, lines):
        if lines is not None and kind == "txt":
            texts = lines.texts()
            if format_of(name) != "txt" or _looks_like_records(lines.beginning):
                texts = _shown_if_guessed(texts, lambda text: text or None, "by the line", lines, settings)
            yield from texts
        else:
            source = lines or Source(file.name, report)
            yield from (text for text, _ in _record_texts(file, kind, source, conditions))
    conditions.check_found(source_name(name))


def _pairs_of_one(lines: Lines) -> Iterator[Piece]:
    return _first_pair_shown(pair_pieces(lines), "Reading pairs", lines)


def _pairs_of_two(first: InputFile, second: InputFile, report: ReadReport) -> Iterator[Piece]:
    """Yield the pairs of two files: of a source and its target a line each, or parallel ones."""
    with first.open(report) as (_, sources), second.open(report) as (_, targets):
        assert sources is not None
        assert targets is not None
        if are_parallel(sources):
            reading = f"Reading sources, and the line of each number in {targets.source} as the target"
            yield from _first_pair_shown(parallel_pieces(sources, targets), reading, sources)
        else:
            yield from _pairs_of_one(sources)
            yield from _pairs_of_one(targets)


def _first_pair_shown(pieces: Iterator[Piece], reading: str, source: Source) -> Iterator[Piece]:
    """Yield pairs, and show the first, so that people see which side is the source."""
    for first in pieces:
        source.guess(reading, [first.source or "", first.text])
        yield first
        break
    yield from pieces


def _record_texts(
    file: InputFile, kind: str, source: Source, conditions: Conditions, span: Span = WHOLE
) -> Iterator[RecordText]:
    """Yield the texts of records of a file, or of a part of it; the source is its lines, except for Parquet."""
    settings = file.settings
    wanted, by_name = settings.text_column, format_of(file.name)
    if settings.format == "auto" and by_name is not None and {kind, by_name} not in ({kind}, {"json", "jsonl"}):
        source.note(f"read as {kind} by its content, not as {by_name} by its name (`format` decides)")
    if not isinstance(source, Lines):
        labels = [] if settings.label_column is None else [settings.label_column]
        records = parquet_records(file.name, [*wanted_names(wanted), *conditions.names, *labels])
    elif kind == "csv":
        records = csv_records(source, settings.separator, settings.quoting, settings.header, wanted_names(wanted))
    elif kind == "json":
        records = json_document(source, wanted, settings.keep_damaged)
    else:
        records = json_lines(source)
    with ExitStack() as stack:
        beginning = None
        if span != WHOLE:
            _, lines = stack.enter_context(file.open(ReadReport()))
            assert lines is not None
            beginning = json_lines(lines)
        reading, texts = record_texts(records, source, wanted, conditions, settings.label_column, beginning)
    yield from _shown(texts, _text_of, f"Reading {reading}", source)


def _shown_if_guessed(
    parts: Iterator[Part], sample: Callable[[Part], str | None], by: str, lines: Lines, settings: ReaderSettings
) -> Iterator[Part]:
    """Return the parts of a plain text; the first are shown if its format was recognized."""
    if settings.format != "auto":
        return parts
    tabs = ", tabs included (`format=tsv` takes one column)" if has_columns(lines.beginning) else ""
    return _shown(parts, sample, f"Reading plain text {by}{tabs}", lines)


def _looks_like_records(beginning: str) -> bool:
    return has_columns(beginning) or beginning.lstrip().startswith(("{", "["))


def _text_of(record: RecordText) -> str:
    return record.text


def _beginning_of_document(piece: Piece) -> str | None:
    return piece.text if piece.begins_document else None


def _shown(
    parts: Iterator[Part], sample: Callable[[Part], str | None], reading: str, source: Source
) -> Iterator[Part]:
    """Yield parts of a file, and show the first samples, so that people see what is misread."""
    samples: list[str] = []
    for part in parts:
        text = sample(part)
        if text is not None:
            samples.append(text)
        if len(samples) == SAMPLES:
            source.guess(reading, samples)
            yield part
            yield from parts
            return
        yield part
    source.guess(reading, samples)
