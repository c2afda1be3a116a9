"""The texts of records, whatever file they come from."""

from collections.abc import Iterator, Sequence
from itertools import chain

from rnnlm.text.fields import Conditions, Path, Record, Records, has_field, missing_field, text_of, text_paths
from rnnlm.text.report import Source

FIRST_CHARACTERS = 65_536
"""Characters of the records that are searched for the fields with the text."""


def record_texts(
    records: Records, source: Source, wanted: str | None, conditions: Conditions
) -> tuple[str, Iterator[str]]:
    """Return how records are read, for messages, and their texts; none is empty.

    The file `source` reports what is left out. For `wanted` and for errors see `text_paths`.
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
    whole: Iterator[Record] = chain(first, records.records)
    if not is_table and not any(has_field(record.values, path) for record in first for path in paths):
        whole = _found_later(whole, source, paths, wanted, columns)

    def texts() -> Iterator[str]:
        one, field = ("row", "column") if is_table else ("record", "field")
        for record in whole:
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

    return f"{records.reading}, text from {names}", texts()


def _found_later(
    records: Iterator[Record], source: Source, paths: Sequence[Path], wanted: str | None, columns: Sequence[str]
) -> Iterator[Record]:
    """Yield records; raise the error at the end if none of them has a field with the text."""
    found = False
    for record in records:
        found = found or any(has_field(record.values, path) for path in paths)
        yield record
    if not found:
        raise missing_field(wanted, columns, (), False, source.source)


def _beginning(records: Iterator[Record]) -> Iterator[Record]:
    characters = 0
    for record in records:
        yield record
        characters += record.characters
        if characters > FIRST_CHARACTERS:
            return
