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

    Parameters
    ----------
    records
        The records of a file.
    source
        The file; it reports what is left out.
    wanted
        The field with the text, or several with commas between them; None for a usual one.
    conditions
        Which records are chosen.

    Raises
    ------
    RnnlmError
        If the fields are not there, or it is not clear which they are.
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
    if not any(has_field(record.values, path) for record in first for path in paths) and not is_table:
        chosen = _found_later(chain(first, records.records), source, paths, wanted, columns)
    else:
        chosen = chain(first, records.records)
    noun = ("row", "column") if is_table else ("record", "field")
    kept = (record for record in chosen if _is_kept(record, where, conditions, source))
    return f"{records.reading}, text from {names}", _texts(kept, paths, noun, source)


def _is_kept(record: Record, where: Sequence[Path], conditions: Conditions, source: Source) -> bool:
    kept = not where or conditions.hold(record.values, where)
    if not kept:
        source.report("record{s} left out by `where`", record.number)
    return kept


def _texts(
    records: Iterator[Record], paths: Sequence[Path], noun: tuple[str, str], source: Source
) -> Iterator[str]:
    one, field = noun
    for record in records:
        text = text_of(record.values, paths)
        if text is None:
            source.report(f"{one}{{s}} without the text {field} skipped", record.number)
        elif text := source.repair(text, record.number, "lone surrogate{s}"):
            yield text
        else:
            source.report(f"{one}{{s}} whose text is empty skipped", record.number)


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
    """Yield the records that are searched for the fields."""
    characters = 0
    for record in records:
        yield record
        characters += record.characters
        if characters > FIRST_CHARACTERS:
            return
