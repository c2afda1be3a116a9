"""Records of Parquet files."""

from collections.abc import Iterator
from typing import Any

from rnnlm.errors import RnnlmError
from rnnlm.text.fields import Record, Records, find_field

BATCH_ROWS = 256
"""Rows in memory at a time."""


def parquet_records(path: str, wanted: list[str]) -> Records:
    """Open the rows of a Parquet file as records with the columns `wanted`, whose names may be dotted.

    Raises `RnnlmError` if pyarrow is not installed, or cannot read the file.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise RnnlmError(f"{path}: Parquet needs the package pyarrow; run: pip install pyarrow.") from error
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    columns = list(file.schema_arrow.names)
    return Records("Parquet", columns, _records(file, path, columns, wanted))


def _records(file: Any, path: str, columns: list[str], wanted: list[str]) -> Iterator[Record]:
    import pyarrow

    whole = (find_field(name, columns) or find_field(name.partition(".")[0], columns) for name in wanted)
    needed = columns if len(columns) == 1 else [name for name in dict.fromkeys(whole) if name is not None]
    number = 0
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=needed):
            for values in batch.to_pylist():
                number += 1
                yield Record(
                    values, number, sum(len(value) for value in values.values() if isinstance(value, str))
                )
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> RnnlmError:
    reason = " ".join(str(error).split()).removesuffix(".")
    return RnnlmError(f"{path}: this Parquet file cannot be read ({reason}); is it complete?")
