"""Dates in rows that follow one another in equal steps."""

import calendar
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np

from rnnlm.errors import RnnlmError

Unit = Literal["months", "weekdays", "seconds"]

DATE = re.compile(
    r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?)?)?\s*", re.ASCII
)
LENGTHS = {1: 4, 2: 7, 3: 10, 5: 16, 6: 19}
"""Characters of a date that says so many of year, month, day, hour, minute and second."""

DAY = 86_400
SEASONS = {DAY: 7, 7 * DAY: 52}
"""Rows in a season by the seconds between them: a week of days, a year of weeks; of parts of a day a day."""


class GapError(ValueError):
    """The steps between the dates are not equal.

    Attributes
    ----------
    row
        The first date that does not follow the one before it as the others do, from 0.
    step
        How the others do, such as ``1 month``.
    """

    def __init__(self, row: int, step: str) -> None:
        super().__init__(row, step)
        self.row, self.step = row, step


@dataclass(frozen=True)
class Dates:
    """The dates of rows: the first one, and the step from each to the next.

    Attributes
    ----------
    first
        The first date, such as ``1949-01``.
    unit, step
        How many months, weekdays or seconds later the next date is.
    month_ends
        Whether all of them are the last days of their months.
    """

    first: str
    unit: Unit
    step: int
    month_ends: bool = False

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Dates":
        """Find out in which steps at least two dates go on.

        Raises
        ------
        ValueError
            If one is not a date, or says more or less than the first one; `args` holds its row.
        GapError
            If the steps differ.
        """
        parsed = [parse(text) for text in texts]
        for row, found in enumerate(parsed):
            if found is None or parsed[0] is None or found[1] != parsed[0][1]:
                raise ValueError(row)
        dates, precision = [found[0] for found in parsed if found], parsed[0][1] if parsed[0] else 0
        month_ends = precision > 2 and all((date + timedelta(days=1)).day == 1 for date in dates)
        numbers: dict[Unit, Any] = {}
        months = [12 * date.year + date.month for date in dates]
        # Of two dates, one a month after the other, nobody means that the next is 31 days later.
        if precision <= 2 or (months[0] < months[1] and (month_ends or len({date.day for date in dates}) == 1)):
            numbers["months"] = months
        if precision > 2:
            numbers["seconds"] = [(date - dates[0]) // timedelta(seconds=1) for date in dates]
        if precision == 3 and all(date.weekday() < 5 for date in dates):
            numbers["weekdays"] = np.busday_count(_day(dates[0]), [_day(date) for date in dates]).tolist()
        # The unit in which most steps are alike.
        found_steps = {unit: np.diff(values) for unit, values in numbers.items()}
        most = {unit: Counter(steps.tolist()).most_common(1)[0] for unit, steps in found_steps.items()}
        unit = max(most, key=lambda unit: most[unit][1])
        step = most[unit][0]
        made = cls(_written(dates[0], precision), unit, step, month_ends and unit == "months")
        wrong = np.flatnonzero(found_steps[unit] != step)
        if step <= 0 or len(wrong):
            raise GapError(int(wrong[0]) + 1 if step > 0 else 1, made.in_words)
        return made

    @property
    def in_words(self) -> str:
        """The step, such as ``1 month`` or ``2 days``."""
        step, unit = self.step, self.unit.removesuffix("s")
        if self.unit == "seconds":
            for size, name in ((DAY, "day"), (3600, "hour"), (60, "minute")):
                if step % size == 0:
                    step, unit = step // size, name
                    break
        return f"{step} {unit}" + ("" if step == 1 else "s")

    @property
    def season(self) -> int:
        """Rows in a year of months, in a week of days, in a year of weeks, in a day of hours; else 1."""
        if self.unit == "weekdays":
            return 5 if self.step == 1 else 1
        if self.unit == "months":
            return 12 // self.step if 12 % self.step == 0 else 1
        return SEASONS.get(self.step, DAY // self.step if DAY % self.step == 0 else 1)

    @property
    def has_days(self) -> bool:
        """Whether the dates say the day."""
        return len(self.first) > len("1949-01")

    def date(self, row: int) -> datetime:
        """Return the date of a row, from 0; it may be one that is still to come.

        Raises
        ------
        RnnlmError
            If it is after the year 9999.
        """
        found = parse(self.first)
        assert found is not None
        try:
            return self._later(found[0], self.step * row)
        except (OverflowError, ValueError) as error:
            raise RnnlmError(
                f"Row {row + 1:,} after {self.first} is later than the year 9999; forecast less."
            ) from error

    def _later(self, first: datetime, distance: int) -> datetime:
        """Return the date so many units after the first one; OverflowError or ValueError if there is none."""
        if self.unit == "seconds":
            return first + timedelta(seconds=distance)
        if self.unit == "weekdays":
            return datetime.fromisoformat(str(np.busday_offset(_day(first), distance)))
        year, month = divmod(12 * first.year + first.month - 1 + distance, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return first.replace(year=year, month=month + 1, day=last if self.month_ends else min(first.day, last))

    def text(self, row: int) -> str:
        """Return the date of a row as it is written."""
        found = parse(self.first)
        assert found is not None
        return _written(self.date(row), found[1])

    def row(self, text: str) -> int | None:
        """Return the row of a date, before the first or after the last one too; None if it is none of a row."""
        found = parse(text)
        if found is None:
            return None
        first = self.date(0)
        if self.unit == "seconds":
            distance = (found[0] - first) // timedelta(seconds=1)
        elif self.unit == "weekdays":
            distance = int(np.busday_count(_day(first), _day(found[0])))
        else:
            distance = 12 * (found[0].year - first.year) + found[0].month - first.month
        row = distance // self.step
        return row if self.date(row) == found[0] else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def parse(text: str) -> tuple[datetime, int] | None:
    """Read a date such as ``1949``, ``1949-01``, ``1949/1/31`` or ``1949-01-31 12:00``.

    Returns
    -------
    The date, and how many of year, month, day, hour, minute and second it says; None if it is no date.
    """
    match = DATE.fullmatch(text.strip())
    if match is None:
        return None
    parts = [int(part) for part in match.groups() if part is not None]
    try:
        year, month, day, hour, minute, second = (*parts, *(1, 1, 1, 0, 0, 0)[len(parts) :])
        return datetime(year, month, day, hour, minute, second), len(parts)
    except ValueError:
        return None


def _written(date: datetime, precision: int) -> str:
    return date.isoformat(sep=" ")[: LENGTHS[precision]]


def _day(date: datetime) -> "np.datetime64":
    return np.datetime64(date.date())
