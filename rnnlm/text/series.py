"""Series of numbers: rows that follow one another in time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import RnnlmError, shown
from rnnlm.nn.arrays import Floats
from rnnlm.text.csv_files import csv_records
from rnnlm.text.dates import Dates, GapError, parse
from rnnlm.text.fields import find_field
from rnnlm.text.inputs import InputFile, ReaderSettings
from rnnlm.text.lines import Lines
from rnnlm.text.report import ReadReport

DATE_NAMES = ("date", "time", "datetime", "timestamp", "month", "day", "week", "quarter", "year")
"""Names of a column of dates; of another name it is if its first cell says at least year and month."""


@dataclass(frozen=True)
class Table:
    """The rows of a series.

    Attributes
    ----------
    source
        Where it was read.
    columns
        The names of the columns of numbers.
    values : (N, K)
        The numbers.
    date_column, dates
        The name of the column with dates, and its cells; None where there is none.
    lines
        The number of each row's line.
    """

    source: str
    columns: list[str]
    values: Floats
    date_column: str | None
    dates: list[str] | None
    lines: list[int]

    def place(self, row: int) -> str:
        """Say where a row is."""
        return f"{self.source}, line {self.lines[row]:,}"

    def steps(self) -> Dates | None:
        """Find out in which steps the dates go on; None where there are none.

        Raises
        ------
        RnnlmError
            If a cell is not a date, or the dates do not go on in equal steps.
        """
        if self.dates is None or len(self.dates) < 2:
            return None
        try:
            return Dates.of(self.dates)
        except GapError as gap:
            before, date = self.dates[gap.row - 1], self.dates[gap.row]
            raise RnnlmError(
                f"{self.place(gap.row)}: {date} does not follow {before} by {gap.step} as other rows do; put the "
                f"rows in the order of column {self.date_column!r} and fill in those that are missing."
            ) from gap
        except ValueError as error:
            row = error.args[0]
            raise RnnlmError(
                f"{self.place(row)}: {shown(self.dates[row])} in column {self.date_column!r} is not a date like "
                f"{self.dates[0]}; write all dates alike, such as 2020-01-31."
            ) from error

    def target_column(self, wanted: str | None) -> int:
        """Return the place of the column that is forecast: that of a name, or the only one."""
        names = ", ".join(map(repr, self.columns))
        if wanted is not None:
            found = find_field(wanted, self.columns)
            if found is None:
                raise RnnlmError(f"{self.source}: there is no column {wanted!r} of numbers, only {names}.")
            return self.columns.index(found)
        if len(self.columns) > 1:
            raise RnnlmError(
                f"{self.source}: there are {len(self.columns)} columns of numbers, {names}; choose the one that "
                "is forecast with `target_column`."
            )
        return 0


def read_table(name: str, reader: ReaderSettings, report: ReadReport, *, coming: str | None = None) -> Table:
    """Read a CSV file of numbers, perhaps with a column of dates; the first row names the columns.

    The cells of the column `coming` may be empty in the last rows, which are still to come; their numbers are NaN.

    Raises
    ------
    RnnlmError
        If a cell is empty or not a number, a row has other columns than the first one, or there are no numbers.
    """
    with InputFile(name, reader, report).open(report) as (_, lines):
        assert lines is not None
        return _read(lines, reader, coming)


def _read(lines: Lines, reader: ReaderSettings, coming: str | None) -> Table:
    source = lines.source
    records = csv_records(lines, reader.separator, reader.quoting, reader.header, (), of_texts=False)
    columns = [] if records.columns is None else [name.strip() for name in records.columns]
    cells: list[list[str]] = []
    numbers: list[int] = []
    for record in records.records:
        row = [str(value).strip() for value in record.values.values()]
        if len(row) < len(columns) or record.characters > sum(map(len, record.values.values())):
            raise RnnlmError(
                f"{source}, line {record.number:,}: the row has not {len(columns)} cells as the first one has; "
                "mend it."
            )
        cells.append(row)
        numbers.append(record.number)
    if not cells:
        raise RnnlmError(f"{source}: there is no row of numbers in it; the first row names the columns.")
    date = _date_column(columns, cells[0])
    if date is None and len(columns) > 0 and all(map(_is_number, columns)) and reader.header:
        raise RnnlmError(
            f"{source}, line 1: {shown(columns[0])} is a number where a column is named; name the columns in the "
            "first row, or say that there are no names with `header=False`."
        )
    of_numbers = [k for k in range(len(columns)) if k != date]
    if not of_numbers:
        raise RnnlmError(f"{source}: it has dates but no column of numbers; add one.")
    return Table(
        source,
        [columns[k] for k in of_numbers],
        _values(cells, columns, of_numbers, source, numbers, coming),
        None if date is None else columns[date],
        None if date is None else [line[date] for line in cells],
        numbers,
    )


def _values(
    cells: Sequence[Sequence[str]],
    columns: Sequence[str],
    of_numbers: Sequence[int],
    source: str,
    lines: Sequence[int],
    coming: str | None,
) -> Floats:
    """Return the numbers in the cells of some columns."""
    open_column = None if coming is None else find_field(coming, columns)
    known = len(cells)
    if open_column is not None:
        while known > 0 and not cells[known - 1][columns.index(open_column)]:
            known -= 1
    values = np.full((len(cells), len(of_numbers)), np.nan)
    for row, line in enumerate(cells):
        for place, column in enumerate(of_numbers):
            if row < known or columns[column] != open_column:
                values[row, place] = _number(line[column], source, lines[row], columns[column])
    return values


def _date_column(columns: Sequence[str], first: Sequence[str]) -> int | None:
    """Return the place of the column of dates, by the first row."""
    for k, (name, cell) in enumerate(zip(columns, first, strict=True)):
        found = parse(cell)
        if found is not None and (found[1] > 1 or name.casefold() in DATE_NAMES):
            return k
    return None


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _number(cell: str, source: str, line: int, column: str) -> float:
    if not _is_number(cell):
        what = "is empty" if not cell else f"is {shown(cell)}, not a number"
        raise RnnlmError(
            f"{source}, line {line:,}: the cell of column {column!r} {what}; fill in a number such as 1234.5, or "
            "leave the column out."
        )
    return float(cell)
