"""Building a dataset of a series: numbers in the order of time, cut into three parts."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.publish import new_dataset
from rnnlm.dataset.series import KIND, NUMBERS, Series, SeriesInfo
from rnnlm.dataset.store import FORMAT_VERSION, SPLITS, ids_file, write_metadata
from rnnlm.errors import RnnlmError
from rnnlm.files import fingerprint
from rnnlm.nn.arrays import Floats
from rnnlm.text.dates import Dates
from rnnlm.text.inputs import ReaderSettings
from rnnlm.text.report import ReadReport, counted
from rnnlm.text.series import Table, read_table


@dataclass(frozen=True)
class SeriesSettings:
    """What is forecast, and how many of the last rows are not trained on.

    Attributes
    ----------
    target_column
        The column that is forecast; None for the only one.
    season
        Rows in a season; None for what the dates say.
    valid_rows, test_rows
        Rows of the validation and the test part; None for the shares of the division.
    """

    target_column: str | None = None
    season: int | None = None
    valid_rows: int | None = None
    test_rows: int | None = None


@dataclass(frozen=True)
class SeriesResult:
    """What `build_series` made: the dataset's directory, what its numbers are, and the rows of each part."""

    path: Path
    info: SeriesInfo
    points: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        splits = {name: {"points": points} for name, points in self.points.items()}
        return {"points": sum(self.points.values()), **self.info.to_dict(), "splits": splits}


def build_series(
    source: str,
    out: Path | str,
    *,
    settings: SeriesSettings | None = None,
    reader: ReaderSettings | None = None,
    division: DivisionSettings | None = None,
    overwrite: bool = False,
    report: ReadReport | None = None,
) -> SeriesResult:
    """Build a dataset directory from a CSV file of numbers.

    The parts follow one another in time: training, validation, test.

    Parameters
    ----------
    source
        The file, or ``-`` for standard input.
    out
        The directory to make. It appears only when it is complete.
    settings, reader, division
        What is forecast, how the file is read, and how the rows are divided; files of the division go on where the
        rows before them end.
    overwrite
        Whether a dataset that is already there is replaced.
    report
        Gathers what had to be repaired in the file.

    Raises
    ------
    RnnlmError
        If the file cannot be read, a cell is no number, dates are missing, the series is constant, `out` may not
        be replaced, or the disk is full.
    """
    settings, division = settings or SeriesSettings(), division or DivisionSettings()
    reader, report, out = replace(reader or ReaderSettings(), format="series"), report or ReadReport(), Path(out)
    main = read_table(source, reader, report)
    target, dates = main.target_column(settings.target_column), main.steps()
    parts = _parts(main, dates, settings, division, reader, report)
    order = [target, *(k for k in range(len(main.columns)) if k != target)]
    inputs = tuple(main.columns[k] for k in order[1:])
    season = settings.season or (1 if dates is None else dates.season)
    info = SeriesInfo(main.columns[target], inputs, season, dates)
    _refuse_constant(parts["train"][:, target], info.target, main.source)
    result = SeriesResult(out, info, {name: len(part) for name, part in parts.items()})
    with new_dataset(out, overwrite) as directory:
        for name, part in parts.items():
            part[:, order].astype(NUMBERS).tofile(directory / ids_file(name))
        metadata = {
            "format_version": FORMAT_VERSION,
            "kind": KIND,
            "inputs": [source],
            "reader": reader.to_dict(),
            "series": info.to_dict(),
            "splits": result.to_dict()["splits"],
            "files": {file.name: fingerprint(file) for file in sorted(directory.iterdir())},
        }
        write_metadata(directory, metadata)
    return result


def read_series(source: str, info: SeriesInfo, reader: ReaderSettings, report: ReadReport) -> Series:
    """Read a file with the columns that a model knows; see `text.series.read_table`.

    The target may be empty in the last rows: they are those to come.
    """
    table = read_table(source, replace(reader, format="series"), report, coming=info.target)
    values = table.values[:, [table.target_column(name) for name in (info.target, *info.inputs)]]
    known = int(np.isfinite(values[:, 0]).sum())
    return Series(replace(info, dates=table.steps()), values[:known], values[known:, 1:])


def _parts(
    main: Table,
    dates: Dates | None,
    settings: SeriesSettings,
    division: DivisionSettings,
    reader: ReaderSettings,
    report: ReadReport,
) -> dict[str, Floats]:
    """Cut the main file, and let the files of validation and test follow."""
    parts = _cut(main, settings, division)
    row = len(parts["train"])
    for name, file in (("valid", division.valid_file), ("test", division.test_file)):
        if file is not None:
            table = read_table(file, reader, report)
            _check_goes_on(table, main, dates, row)
            parts[name] = table.values
        row += len(parts[name])
    return parts


def _cut(table: Table, settings: SeriesSettings, division: DivisionSettings) -> dict[str, Floats]:
    """Cut the rows of the main file into the parts that it has."""
    _, valid_share, test_share = division.shares()
    for name, file in (("valid", division.valid_file), ("test", division.test_file or division.valid_file)):
        if file is not None and getattr(settings, f"{name}_rows"):
            raise RnnlmError(
                f"`{name}_rows`: {file} follows the input, so the {name} part is not cut from it; leave it out."
            )
    N = len(table.values)
    valid = round(valid_share * N) if settings.valid_rows is None else settings.valid_rows
    test = round(test_share * N) if settings.test_rows is None else settings.test_rows
    # What follows a file for validation cannot come from before it.
    test = 0 if division.valid_file else test
    if valid + test >= N:
        raise RnnlmError(
            f"{table.source}: it has {counted(N, 'row{s}')}, and {valid + test:,} are for validation and test, so "
            "none is left to train on; make `valid_rows` and `test_rows` smaller."
        )
    parts = np.split(table.values, [N - valid - test, N - test])
    return dict(zip(SPLITS, parts, strict=True))


def _refuse_constant(numbers: Floats, column: str, source: str) -> None:
    if np.ptp(numbers) == 0:
        raise RnnlmError(
            f"{source}: column {column!r} has the same number in all {counted(len(numbers), 'row{s}')} of the "
            "training part, so there is nothing to forecast; choose another `target_column`."
        )


def _check_goes_on(table: Table, main: Table, dates: Dates | None, row: int) -> None:
    """Refuse a file that does not go on where the rows before it end."""
    if table.columns != main.columns or table.date_column != main.date_column:
        raise RnnlmError(f"{table.source}: its columns are not those of {main.source}; give it the same.")
    table.steps()
    if dates is not None and table.dates is not None and dates.row(table.dates[0]) != row:
        raise RnnlmError(
            f"{table.place(0)}: the date is {table.dates[0]}, but the row that follows those before has "
            f"{dates.text(row)}; let the file go on where they end."
        )
