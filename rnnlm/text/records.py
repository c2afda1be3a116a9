"""The texts of records, whatever file they come from."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from rnnlm.errors import RnnlmError
from rnnlm.text.fields import (
    Conditions,
    Record,
    Records,
    find_path,
    has_field,
    label_of,
    missing_field,
    text_of,
    text_paths,
)
from rnnlm.text.report import Source

FIRST_CHARACTERS = 65_536
"""Characters of the records that are searched for the fields with the text."""


class RecordText(NamedTuple):
    """The text of a record, which is not empty, and its label if labels are read."""

    text: str
    label: str | None


def record_texts(
    records: Records,
    source: Source,
    wanted: str | None,
    conditions: Conditions,
    label_column: str | None = None,
    beginning: Records | None = None,
) -> tuple[str, Iterator[RecordText]]:
    """Return how records are read, for messages, and their texts.

    The file `source` reports what is left out. For `wanted` and for errors see `text_paths`; that no record has a
    field with the text, or with the label, is an error at the end.

    Where the records are a part of a file, `beginning` are the file's first ones: they show what is in all of
    them, as `have_fields` has found.
    """
    is_part = beginning is not None
    first = list(_beginning((beginning or records).records))
    is_table = records.columns is not None
    if not is_table and not first:
        return records.reading, iter(())
    columns = records.columns
    if columns is None:
        columns = list(dict.fromkeys(field for record in first for field in record.values))
    paths = text_paths(wanted, columns, first, is_table, source.source)
    where = conditions.paths(columns, first)
    labels = _Labels(label_column, columns, first, is_table, source, is_part)
    names = " and ".join(repr(".".join(path)) for path in paths)

    def texts() -> Iterator[RecordText]:
        one, field = ("row", "column") if is_table else ("record", "field")
        found = is_table or is_part
        for record in records.records if is_part else chain(first, records.records):
            found = found or any(has_field(record.values, path) for path in paths)
            if not conditions.hold(record.values, where):
                source.report("record{s} left out by `where`", record.number)
                continue
            text = text_of(record.values, paths)
            if text is None:
                source.report(f"{one}{{s}} without the text {field} skipped", record.number)
            elif text := source.repair(text, record.number, "lone surrogate{s}"):
                label = labels.take(record)
                if label is not None or label_column is None:
                    yield RecordText(text, label)
            else:
                source.report(f"{one}{{s}} whose text is empty skipped", record.number)
        if not found:
            raise missing_field(wanted, columns, (), False, source.source)
        labels.check_found()

    return f"{records.reading}, text from {names}{labels.reading}", texts()


def have_fields(records: Records, wanted: str | None, label_column: str | None) -> bool:
    """Return whether the first of some records, which have no common columns, show where texts and labels are."""
    first = list(_beginning(records.records))
    fields = list(dict.fromkeys(field for record in first for field in record.values))
    try:
        paths = text_paths(wanted, fields, first, False, "")
    except RnnlmError:
        return False
    if not any(has_field(record.values, path) for record in first for path in paths):
        return False
    path = None if label_column is None else find_path(label_column, fields, first)
    return label_column is None or path is not None


class _Labels:
    """The field of a file's records with the label, if labels are read."""

    def __init__(
        self,
        name: str | None,
        columns: Sequence[str],
        first: Sequence[Record],
        is_table: bool,
        source: Source,
        found: bool,
    ) -> None:
        self._name, self._columns, self._source = name, columns, source
        self._found, self._seen = found, False
        if name is not None:
            # A later record may have it.
            path = find_path(name, columns, first)
            self._path = path or tuple(name.split("."))
            if path is None and is_table:
                raise self._missing()

    @property
    def reading(self) -> str:
        """How they are read, for messages."""
        return "" if self._name is None else f", label from {'.'.join(self._path)!r}"

    def take(self, record: Record) -> str | None:
        """Return the label of a record; report a record without one."""
        if self._name is None:
            return None
        self._seen = True
        try:
            label = label_of(record.values, self._path)
        except ValueError as error:
            raise RnnlmError(
                f"{self._source.source}, line {record.number}: {error}; choose another `label_column`."
            ) from error
        self._found = self._found or has_field(record.values, self._path)
        if label is not None:
            # Labels that differ only in white space are the same.
            label = " ".join(self._source.repair(label, record.number, "lone surrogate{s} in labels").split())
        if not label:
            self._source.report("record{s} without a label left out", record.number)
        return label or None

    def check_found(self) -> None:
        """Refuse a file of which no record had the field."""
        if self._seen and not self._found:
            raise self._missing()

    def _missing(self) -> RnnlmError:
        names = ", ".join(repr(name[:40]) for name in self._columns[:8]) + (
            ", ..." if len(self._columns) > 8 else ""
        )
        return RnnlmError(
            f"{self._source.source}: there is no column {self._name!r} with labels, only {names}; choose one with"
            " `label_column`."
        )


def _beginning(records: Iterator[Record]) -> Iterator[Record]:
    characters = 0
    for record in records:
        yield record
        characters += record.characters
        if characters > FIRST_CHARACTERS:
            return
