"""A dataset of numbers that follow one another in time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.dataset.store import (
    METADATA_FILE,
    SPLITS,
    check_files,
    damaged,
    ids_file,
    read_described,
    read_unchecked,
)
from rnnlm.errors import RnnlmError
from rnnlm.files import explaining
from rnnlm.nn.arrays import Floats
from rnnlm.text.dates import Dates, Unit

KIND = "series"
NUMBERS = np.dtype("<f8")
FILES = tuple(ids_file(name) for name in SPLITS)


@dataclass(frozen=True)
class SeriesInfo:
    """What the numbers of a series are.

    Attributes
    ----------
    target
        The column that is forecast.
    inputs
        The other columns.
    season
        Rows in a season; 1 where there is none.
    dates
        When the rows are; None where there are no dates.
    """

    target: str
    inputs: tuple[str, ...]
    season: int
    dates: Dates | None

    def when(self, row: int) -> str:
        """Return the date of a row or, where there are no dates, its number from 1."""
        return str(row + 1) if self.dates is None else self.dates.text(row)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        dates = None if self.dates is None else self.dates.to_dict()
        return {"target": self.target, "inputs": list(self.inputs), "season": self.season, "dates": dates}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SeriesInfo":
        """Make it of what `to_dict` returned.

        Raises
        ------
        ValueError
            If it is not that.
        """
        try:
            target, inputs, season, dates = (values[key] for key in ("target", "inputs", "season", "dates"))
            if not (
                isinstance(target, str) and isinstance(inputs, list) and all(isinstance(i, str) for i in inputs)
            ):
                raise ValueError("columns")
            if not _is_count(season):
                raise ValueError("season")
            return cls(target, tuple(inputs), season, None if dates is None else _dates(**dates))
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error


def _dates(first: str, unit: Unit, step: int, month_ends: bool) -> Dates:
    if unit not in ("months", "weekdays", "seconds") or not _is_count(step) or not isinstance(month_ends, bool):
        raise ValueError("dates")
    dates = Dates(first, unit, step, month_ends)
    try:
        dates.text(0)
    except (AssertionError, TypeError, RnnlmError) as error:
        raise ValueError("dates") from error
    return dates


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


@dataclass(frozen=True)
class Series:
    """Numbers that follow one another in time.

    Attributes
    ----------
    info
        What they are.
    values : (N, 1 + K)
        The target, and the other columns.
    coming : (M, K)
        The other columns of rows to come, as far as they are known.
    """

    info: SeriesInfo
    values: Floats
    coming: Floats = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def target(self) -> Floats:
        """What is forecast, (N,)."""
        return self.values[:, 0]


@dataclass(frozen=True)
class SeriesSplit:
    """A part of a series: the rows from `begin` to before `end`, and those before them.

    Attributes
    ----------
    name
        ``train``, ``valid`` or ``test``.
    series
        The whole series.
    begin, end
        The rows of the part.
    """

    name: str
    series: Series
    begin: int
    end: int

    @property
    def num_tokens(self) -> int:
        """How many rows the part has."""
        return self.end - self.begin

    @property
    def known(self) -> Series:
        """The rows of the part and those before it."""
        return Series(self.series.info, self.series.values[: self.end])


@dataclass(frozen=True)
class SeriesDataset:
    """An opened dataset of a series.

    Attributes
    ----------
    path
        Its directory.
    metadata
        What ``dataset.yaml`` holds.
    train, valid, test
        Its parts, which follow one another; a part may be empty.
    """

    path: Path
    metadata: dict[str, Any]
    train: SeriesSplit
    valid: SeriesSplit
    test: SeriesSplit

    @classmethod
    def open(cls, path: Path | str) -> "SeriesDataset":
        """Open a dataset directory and check all of it: format, sizes, checksums and numbers.

        Parameters
        ----------
        path
            What ``rnnlm preprocess --format series --out`` wrote.

        Raises
        ------
        RnnlmError
            If it is not a dataset of a series, or any of its files is damaged.
        """
        path = Path(path)
        metadata = read_series_metadata(path)
        info = SeriesInfo.from_dict(metadata["series"])
        check_files(path, metadata["files"], FILES)
        parts = [_numbers(path / file, 1 + len(info.inputs)) for file in FILES]
        for name, part in zip(SPLITS, parts, strict=True):
            if len(part) != metadata["splits"][name]["points"]:
                raise damaged(path / ids_file(name), "has not as many rows as dataset.yaml counts")
        series = Series(info, np.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts]).tolist()
        splits = (SeriesSplit(*each) for each in zip(SPLITS, 3 * [series], [0, *ends], ends, strict=False))
        return cls(path, metadata, *splits)

    @property
    def series(self) -> Series:
        """All parts together."""
        return self.train.series

    def split(self, name: str) -> SeriesSplit:
        """Return the part called ``train``, ``valid`` or ``test``; refuse another name."""
        if name not in SPLITS:
            raise RnnlmError(f"{name!r} is not a part of a dataset; choose train, valid or test.")
        part: SeriesSplit = getattr(self, name)
        return part


def is_series(path: Path | str) -> bool:
    """Whether a dataset is one of a series."""
    return read_unchecked(Path(path))[0].get("kind") == KIND


def read_series_metadata(path: Path) -> dict[str, Any]:
    """Read and check ``dataset.yaml`` alone; see `store.read_metadata`."""
    return read_described(path, partial(_check_series, path))


def _check_series(path: Path, metadata: Mapping[str, Any]) -> None:
    """Refuse the description of a dataset that is not one of a series, or not whole."""
    file = path / METADATA_FILE
    if metadata.get("kind") != KIND:
        raise RnnlmError(
            f"{file}: a dataset of text, and a forecaster needs a series; preprocess with `format=series`."
        )
    try:
        SeriesInfo.from_dict(metadata["series"])
        counts = [metadata["splits"][name]["points"] for name in SPLITS]
        fingerprints = [metadata["files"][name][key] for name in FILES for key in ("bytes", "sha256")]
        if not all(isinstance(count, int) and count >= 0 for count in counts + fingerprints[::2]):
            raise ValueError("counts")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(file, f"has no valid description of a series ({error})") from error


def _numbers(file: Path, columns: int) -> Floats:
    with explaining(file, "cannot be read"):
        values = np.fromfile(file, NUMBERS)
    if len(values) % columns or not np.isfinite(values).all():
        raise damaged(file, f"does not hold rows of {columns} numbers")
    return values.reshape(-1, columns).astype(np.float64)
