"""Documents streamed from files, directories and standard input, in bounded memory whatever is in them."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.lines import MAX_RECORD, PIECE_SIZE, STDIN, Lines, ReadReport, open_text

FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "txt"}
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
USUAL_COLUMNS = ("body", "text")

# How much of JSON lines is looked at for the field with the text.
FIRST_CHARACTERS = 65_536

# Put after the last line of a CSV file; no line can hold it, because lone surrogates are repaired.
END_OF_FILE = "\ud800"


class Piece(NamedTuple):
    """A part of a document: at most 65,536 characters, cut at a line end or a space if there is one."""

    text: str
    begins_document: bool


@dataclass(frozen=True)
class ReaderSettings:
    """How inputs are read.

    Attributes
    ----------
    format
        ``csv``, ``jsonl`` or ``txt``; ``auto`` goes by the file's name, and takes an unknown one for text.
    documents
        What one document of a text file is: a ``line``, a ``paragraph`` (up to an empty line) or the
        ``file``. None for what suits the tokens where they are known (`TextSettings.default_documents`), else
        for a line.
    text_column
        The CSV column (the first row names them) or JSON field (of the first records) that holds the text; None
        for ``body``, else ``text``, else the only one.
    """

    format: str = "auto"
    documents: str | None = None
    text_column: str | None = None


def find_files(inputs: Sequence[str]) -> list[str]:
    """Return the files that inputs name; directories are walked for files of known extensions, sorted.

    Raises
    ------
    RnnlmError
        If an input does not exist, or a directory holds no file of a known extension.
    """
    files = []
    for name in inputs:
        path = Path(name)
        if name == STDIN or path.is_file() or path.is_fifo() or path.is_char_device():
            files.append(name)
        elif path.is_dir():
            found = sorted(str(file) for file in path.rglob("*") if file.is_file() and format_of(file.name))
            if not found:
                raise RnnlmError(
                    f"{name}: there is no {', '.join(FORMATS)} file (or a compressed one) in this directory."
                )
            files += found
        else:
            raise RnnlmError(f"{name}: there is no such file or directory.")
    return files


def format_of(name: str) -> str | None:
    """Return ``csv``, ``jsonl`` or ``txt`` by a file's name, or None if its extension is not a known one."""
    return FORMATS.get(Path(strip_compression(name)).suffix.lower())


def formats_of(inputs: Sequence[str], file_format: str = "auto") -> list[str]:
    """Return how each file that the inputs name is read: as ``csv``, ``jsonl`` or ``txt``.

    Raises
    ------
    RnnlmError
        If an input does not exist, or a directory holds no file of a known extension.
    """
    return [_resolve(file_format, name) for name in find_files(inputs)]


def _resolve(file_format: str, name: str) -> str:
    return file_format if file_format != "auto" else format_of(name) or "txt"


def strip_compression(name: str) -> str:
    """Return a file's name without ``.gz``, ``.bz2``, ``.xz`` or ``.zst``."""
    path = Path(name)
    return str(path.with_suffix("")) if path.suffix.lower() in COMPRESSIONS else name


def read_documents(inputs: Sequence[str], settings: ReaderSettings, report: ReadReport) -> Iterator[Piece]:
    """Yield the documents of the inputs, in pieces.

    What is no character (bytes that are not UTF-8, lone surrogates in JSON) becomes U+FFFD; NUL characters,
    rows without the text column, lines that are not JSON and records that are too long are left out; all are
    counted in the report.

    Parameters
    ----------
    inputs
        Files, directories, or ``-`` for standard input.
    settings
        How they are read.
    report
        Gathers what was repaired or skipped.

    Raises
    ------
    RnnlmError
        If an input does not exist, cannot be read or decompressed, or lacks the text column.
    """
    for name in find_files(inputs):
        kind = _resolve(settings.format, name)
        with open_text(name, report) as lines:
            if kind == "csv":
                delimiter = "\t" if strip_compression(name).lower().endswith(".tsv") else ","
                yield from _csv_documents(lines, delimiter, settings.text_column)
            elif kind == "jsonl":
                yield from _json_documents(lines, settings.text_column)
            else:
                yield from TEXT_DOCUMENTS[settings.documents or "line"](lines)


def _pieces(parts: Iterable[str]) -> Iterator[Piece]:
    """Cut one document into pieces at line ends, else at spaces, else anywhere."""
    begins, rest = True, ""
    for part in parts:
        rest += part
        while len(rest) > PIECE_SIZE:
            cut = rest.rfind("\n", 0, PIECE_SIZE) + 1 or rest.rfind(" ", 0, PIECE_SIZE) + 1 or PIECE_SIZE
            yield Piece(rest[:cut], begins)
            begins, rest = False, rest[cut:]
    if rest:
        yield Piece(rest, begins)


def _record_pieces(text: str) -> Iterator[Piece]:
    return _pieces(text[start : start + PIECE_SIZE] for start in range(0, len(text), PIECE_SIZE))


def _line_documents(lines: Lines) -> Iterator[Piece]:
    for _, parts in lines.grouped():
        yield from _pieces(part.removesuffix("\n") for part in parts)


def _paragraph_documents(lines: Lines) -> Iterator[Piece]:
    for blank, parts in groupby(lines.parts(), str.isspace):
        if not blank:
            yield from _pieces(parts)


def _file_documents(lines: Lines) -> Iterator[Piece]:
    return _pieces(lines.parts())


TEXT_DOCUMENTS = {"line": _line_documents, "paragraph": _paragraph_documents, "file": _file_documents}


def _csv_documents(lines: Lines, delimiter: str, column: str | None) -> Iterator[Piece]:
    rows = _csv_rows(lines, delimiter)
    _, header = next(rows, (0, []))
    if not header:
        return
    name = _text_column(header, column, lines.source)
    if len(header) == 1 and name not in (column, *USUAL_COLUMNS):
        lines.report(f"row taken for the name of the only column, {shown(name)}", 1)
    index = header.index(name)
    for line, row in rows:
        if index >= len(row):
            lines.report("rows without the text column skipped", line)
        elif not row[index]:
            lines.report("rows whose text is empty skipped", line)
        else:
            yield from _record_pieces(row[index])


def _csv_rows(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, with the number of the line where each begins.

    The mark of the end of the file is a row of its own, unless a quote is still open there.
    """
    csv.field_size_limit(MAX_RECORD)
    row_lines = _RowLines(lines)
    rows = csv.reader(row_lines, delimiter=delimiter)
    while True:
        first_line = row_lines.begin_row()
        try:
            row = next(rows, None)
        except csv.Error:
            lines.report(f"rows skipped whose quotes are not closed in {MAX_RECORD:,} characters", first_line)
            continue
        if row is None or row == [END_OF_FILE]:
            return
        if row and row[-1].endswith(END_OF_FILE):
            row[-1] = row[-1].removesuffix(END_OF_FILE)
            count = lines.number - first_line + 1
            lines.report("lines read as one row, whose quote is never closed", first_line, count)
        if row:
            yield first_line, row


class _RowLines:
    """The lines of a CSV file for its parser, which gets a bounded number of characters for a row."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._whole = chain(lines.whole(), [END_OF_FILE])
        self._put_back: str | None = None
        self._length = 0
        self._after_long_row = False

    def begin_row(self) -> int:
        """Begin to count the characters of a row; return the number of its first line."""
        self._length = 0
        return self._lines.number + (self._put_back is None)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._whole) if self._put_back is None else self._put_back
        self._put_back = None
        self._length += len(line)
        if self._length > MAX_RECORD:
            self._put_back = line
            self._after_long_row = True
            raise csv.Error
        if self._after_long_row and line.count('"') % 2:
            # If the long row was one of many lines, and no quote forgotten, this is where it is closed.
            line = line.partition('"')[2]
            self._after_long_row = False
        return line


class _Record(NamedTuple):
    """The JSON object of a line, the line's number and its length."""

    values: dict[str, Any]
    number: int
    characters: int


def _json_documents(lines: Lines, column: str | None) -> Iterator[Piece]:
    records = _json_records(lines)
    first = list(_beginning(records))
    if not first:
        return
    fields = list(dict.fromkeys(field for record in first for field in record.values))
    if column is None:
        # What holds no text, such as the header of an export, does not decide.
        texts = {field for record in first for field, value in record.values.items() if isinstance(value, str)}
        usual = [name for name in USUAL_COLUMNS if name in texts]
        column = usual[0] if usual else _text_column(fields, None, lines.source)
    found = False
    for record in chain(first, records):
        text = record.values.get(column)
        found = found or column in record.values
        if not isinstance(text, str):
            lines.report("records without the text field skipped", record.number)
        elif text := lines.repair(text, record.number, "lone surrogates"):
            yield from _record_pieces(text)
        else:
            lines.report("records whose text is empty skipped", record.number)
    if not found:
        _text_column(fields, column, lines.source)


def _json_records(lines: Lines) -> Iterator[_Record]:
    for line in lines.whole():
        if line.isspace():
            continue
        try:
            values = json.loads(line, parse_int=float)  # Python refuses integers of thousands of digits
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, dict):
            yield _Record(values, lines.number, len(line))
        else:
            lines.report("lines that are not JSON objects skipped", lines.number)


def _beginning(records: Iterator[_Record]) -> Iterator[_Record]:
    """Yield the records in which the text field is looked for."""
    characters = 0
    for record in records:
        yield record
        characters += record.characters
        if characters > FIRST_CHARACTERS:
            return


def _text_column(columns: Sequence[str], wanted: str | None, source: str) -> str:
    """Return the name of the column that holds the text.

    Raises
    ------
    RnnlmError
        If the wanted one is not there, or none is wanted and it is not clear which one it is.
    """
    for name in (wanted,) if wanted else USUAL_COLUMNS:
        if name in columns:
            return name
    if not wanted and len(columns) == 1:
        return columns[0]
    names = ", ".join(repr(name[:40]) for name in columns[:8]) + (", ..." if len(columns) > 8 else "")
    there = f", only {names}" if columns else ""
    missing = repr(wanted) if wanted else "'body' or 'text'"
    raise RnnlmError(
        f"{source}: there is no column {missing}{there}; rename the one with the text to 'text', or choose"
        " it with 'rnnlm preprocess --text-column'."
    )
