"""What a file is: recognized by its content, and by its name only where the content may be anything."""

import re
from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.text.csv_files import is_table
from rnnlm.text.fields import wanted_names
from rnnlm.text.json_records import may_be_json, recognize_json
from rnnlm.text.lines import Lines

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".txt": "txt",
}
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst", ".zip")
DUMP = re.compile(r"R[CS](?:_v\d)?_\d{4}-\d\d(?:-\d\d)?")
"""The names of the dumps of Reddit."""
PARQUET_SIGNATURE = b"PAR1"
FIRST_LINES = 10
"""Lines that show whether a text has columns."""
CHECKSUM = re.compile(r"(?:[0-9a-f]{32,128} [ *].+|\w+ \(.+\) = [0-9a-f]{32,128})", re.IGNORECASE)
"""A line of a file of checksums."""


def format_of(name: str) -> str | None:
    """Return ``csv``, ``json``, ``jsonl``, ``txt`` or ``parquet`` by a file's name, or None for other names."""
    return FORMATS.get(Path(strip_compression(name)).suffix.lower())


def are_checksums(beginning: str) -> bool:
    """Return whether a text consists of checksums of files, as ``sha256sum`` writes them."""
    lines = beginning.splitlines()
    return len(lines) > 0 and all(CHECKSUM.fullmatch(line) for line in lines[:FIRST_LINES])


def strip_compression(name: str) -> str:
    """Return a file's name without ``.gz``, ``.bz2``, ``.xz``, ``.zst`` or ``.zip``."""
    path = Path(name)
    return str(path.with_suffix("")) if path.suffix.lower() in COMPRESSIONS else name


def is_dump(name: str) -> bool:
    """Return whether a file is named as the dumps of Reddit are, such as ``RC_2015-01.bz2``."""
    return DUMP.fullmatch(Path(strip_compression(name)).name) is not None


def has_columns(beginning: str) -> bool:
    """Return whether the first lines of a text all have the same number of tabs."""
    first = [line.strip() for line in beginning.split("\n")[:FIRST_LINES] if line.strip()]
    tabs = {line.count("\t") for line in first}
    return len(first) > 2 and len(tabs) == 1 and tabs != {0}


def recognize(lines: Lines, name: str, text_column: str | None) -> str:
    """Return whether a file is ``csv``, ``json``, ``jsonl`` or ``txt``, by its first lines.

    Text that only looks like records is text, unless the name says otherwise. `text_column` is the column that
    holds the text, if it is known. No line is taken.

    Raises
    ------
    RnnlmError
        If the name says that it is JSON, and it is not.
    """
    by_name = format_of(name)
    first = next((part.lstrip() for part in lines.first_parts() if not part.isspace()), "")
    if first.startswith(("{", "[")) or may_be_json(lines.beginning):
        found = recognize_json(lines, named_lines=by_name == "jsonl")
        if found:
            return found
    if by_name == "json" and first:
        raise RnnlmError(
            f"{lines.source}: this is not JSON that holds records or texts; `format=txt` reads it as it is."
        )
    if by_name in ("csv", "json", "jsonl"):
        return by_name
    if by_name == "parquet":
        raise RnnlmError(
            f"{lines.source}: this is not a Parquet file; name its format with `format`, or rename it."
        )
    return "csv" if is_table(lines, first, wanted_names(text_column)) else "txt"
