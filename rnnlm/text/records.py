"""The texts of records, whatever file they come from."""

from collections.abc import Iterator
from itertools import chain

from rnnlm.text.fields import Conditions, Record, Records, has_field, missing_field, text_of, text_paths
from rnnlm.text.report import Source

FIRST_CHARACTERS = 65_536
"""Characters of the records that are searched for the fields with the text."""


def record_texts(
    records: Records, source: Source, wanted: str | None, conditions: Conditions
) -> tuple[str, Iterator[str]]:
    """Return how records are read, for messages, and their texts; none is empty.

    The file `source` reports what is left out. For `wanted` and for errors see `text_paths`; that no record has a
    field with the text is an error at the end.
    """
    first = list(_beginning(records.records))
    is_table = records.columns is not None
    if not is_table and not first:
        return records.reading, iter(())
    columns = records.columns
    if columns is None:
        columns = list(dict.fromkeys(field for record in first for field in record.values))
    paths = text_paths(wanted, columns, first, is_table, source.source)
    where = conditions.paths(columns, first)
    names = " and ".join(repr(".".join(path)) for path in paths)

    def texts() -> Iterator[str]:
        one, field = ("row", "column") if is_table else ("record", "field")
        found = is_table
        for record in chain(first, records.records):
            found = found or any(has_field(record.values, path) for path in paths)
            if not conditions.hold(record.values, where):
                source.report("record{s} left out by `where`", record.number)
                continue
            text = text_of(record.values, paths)
            if text is None:
                source.report(f"{one}{{s}} without the text {field} skipped", record.number)
            elif text := source.repair(text, record.number, "lone surrogate{s}"):
                yield text
            else:
                source.report(f"{one}{{s}} whose text is empty skipped", record.number)
        if not found:
            raise missing_field(wanted, columns, (), False, source.source)

    return f"{records.reading}, text from {names}", texts()


def _beginning(records: Iterator[Record]) -> Iterator[Record]:
    characters = 0
    for record in records:
        yield record
        characters += record.characters
        if characters > FIRST_CHARACTERS:
            return
