"""What a network reads of a series of numbers, and what it says of it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rnnlm.dataset.scaling import Scaling
from rnnlm.dataset.series import Series, SeriesInfo
from rnnlm.generation.sampler import OverflowedError
from rnnlm.nn.arrays import Floats
from rnnlm.nn.heads.regression import Regression
from rnnlm.nn.network import Network

WINDOW = 1024
"""Rows that are read at a time, so that memory stays bounded."""

CALENDARS = {"month": 12, "weekday": 7}
"""How many numbers tell what is told of a date: 1 for that of the date, 0 for the others."""


class SeriesReader:
    """Lets a network read series, row after row, and forecast the next.

    To forecast row t the network reads row t - 1, scaled, and what it is told of the date of row t.

    Parameters
    ----------
    network
        Reads numbers, and has a `Regression` for its head.
    scaling
        How rows become what it reads.
    calendar
        What it is told of dates, of `CALENDARS`.
    unread
        Rows that it reads before its first forecast, beside those that the scaling needs.

    Attributes
    ----------
    first
        The first row that is forecast.
    """

    def __init__(self, network: Network, scaling: Scaling, calendar: Sequence[str], unread: int) -> None:
        self.network, self.scaling, self.calendar, self.unread = network, scaling, calendar, unread
        self.first = scaling.lags + 1 + unread

    def arrays(self, series: Series) -> tuple[Floats, Floats]:
        """Return what is read and what is to be predicted, from the first row that has a scaled one before it.

        Returns
        -------
        inputs : (N - lags, D)
            For each row after the first `lags` + 1, and the one after the last.
        targets : (N - lags - 1,)
            The scaled target of these rows, all but the one after the last.
        """
        lags, N = self.scaling.lags, len(series.values)
        scaled = self.scaling.scaled(series.values)[lags:]
        told = [_told(kind, series.info, range(lags + 1, N + 1)) for kind in self.calendar]
        return np.hstack([scaled, *told]), scaled[1:, 0]

    def fitted(self, series: Series, watch: Callable[[], None] = lambda: None) -> tuple[Floats, Floats]:
        """Forecast every row of a series from those before it, and the row after the last.

        Returns
        -------
        values, scaled : (N + 1,)
            The forecasts in the data's units and as the network makes them; NaN where there are too few rows
            before.
        """
        inputs, _ = self.arrays(series)
        state, outputs = self.network.initial_state(1), []
        with np.errstate(all="ignore"):
            for start in range(0, len(inputs), WINDOW):
                watch()
                output, state = self._read(inputs[start : start + WINDOW], state)
                outputs.append(output[:, 0])
            scaled = np.concatenate([np.full(self.scaling.lags + 1, np.nan), *outputs])
            scaled[: self.first] = np.nan
            lags = self.scaling.lags
            values = np.full(len(scaled), np.nan)
            values[lags:] = self.scaling.values(
                scaled[lags:], self.scaling.past(self.scaling.levels(series.target))
            )
        if not np.isfinite(values[self.first :]).all():
            raise overflowed()
        return values, scaled

    def futures(self, series: Series, noise: Floats) -> Iterator[Floats]:
        """Yield the values (P,) of each step of some paths, whose scaled errors are `noise` (steps, P)."""
        steps, paths = noise.shape
        scaling, lags, N = self.scaling, self.scaling.lags, len(series.values)
        inputs, _ = self.arrays(series)
        state = self.network.initial_state(1)
        for start in range(0, len(inputs) - 1, WINDOW):
            _, state = self._read(inputs[start : min(start + WINDOW, len(inputs) - 1)], state)
        state = np.repeat(state, paths, axis=2)
        levels = np.repeat(scaling.levels(series.target)[N - lags :, None], paths, axis=1)
        row = np.repeat(inputs[-1:, None], paths, axis=1)
        for step in range(steps):
            output, state = self._read(row, state)
            scaled = output[0] + noise[step]
            past = scaling.next_past(levels) if lags else np.zeros(paths)
            yield scaling.values(scaled, past)
            levels = np.vstack([levels, scaling.level(scaled, past)])[1:]
            if step + 1 < steps:
                row = self._row(series, step, scaled)

    def _row(self, series: Series, step: int, scaled: Floats) -> Floats:
        """Return what is read after a step into the future, (1, P, D), where the target is `scaled` (P,)."""
        row = len(series.values) + step + 1
        parts = [_told(kind, series.info, range(row, row + 1))[0] for kind in self.calendar]
        if series.values.shape[1] > 1:
            others = (series.coming[step] - self.scaling.means[1:]) / self.scaling.deviations[1:]
            parts = [others, *parts]
        same = np.concatenate([np.empty(0), *parts])
        return np.hstack([scaled[:, None], np.broadcast_to(same, (len(scaled), len(same)))])[None]

    def _read(self, inputs: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Read a window (T, D), or (T, B, D), and return the scaled forecasts (T, B) and the state after."""
        window = inputs[:, None] if inputs.ndim == 2 else inputs
        hidden, state = self.network.forward(window, state)
        head = self.network.head
        assert isinstance(head, Regression)
        return head.numbers(hidden.reshape(-1, hidden.shape[2])).reshape(hidden.shape[:2]).astype(float), state


def overflowed() -> OverflowedError:
    """Return the error of forecasts that are not finite."""
    return OverflowedError(
        "The model's forecasts are not finite numbers; use an earlier checkpoint, or train with a smaller "
        "optimizer.learning_rate."
    )


def _told(kind: str, info: SeriesInfo, rows: range) -> Floats:
    """Return what a network is told of the dates of rows, (rows, 12) or (rows, 7)."""
    assert info.dates is not None
    dates = [info.dates.date(row) for row in rows]
    numbers = [date.month - 1 if kind == "month" else date.weekday() for date in dates]
    return np.eye(CALENDARS[kind])[numbers]
