"""A series as a network reads and predicts it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlm.nn.arrays import Floats


@dataclass(frozen=True)
class Scaling:
    """The way from a series to numbers of mean 0 and deviation 1 over the rows it was fitted on, and back.

    With the level ``z_t = y_t``, or ``log y_t``, and the lags d of the differences, a network predicts

    ::

        u_t = (w_t - mean) / deviation        w_t = Π_d (1 - B^d) z_t        B z_t = z_{t-1}

    (Box and Jenkins 1976). What the differences take off, ``z_t - w_t``, comes from rows before t alone.

    Attributes
    ----------
    log, differences
        Whether the target's logarithm is taken, and the lags of its differences.
    means, deviations : (1 + K,)
        Of the target's w and of each other column.
    """

    log: bool
    differences: tuple[int, ...]
    means: Floats
    deviations: Floats

    @classmethod
    def fit(cls, values: Floats, *, log: bool = False, differences: Sequence[int] = ()) -> "Scaling":
        """Fit it to rows (N, 1 + K); N is more than the lags of the differences together.

        Raises
        ------
        ValueError
            If the target, or what the differences leave of it, is constant.
        """
        raw = cls(log, tuple(differences), np.zeros(values.shape[1]), np.ones(values.shape[1]))
        rows = raw.scaled(values)[raw.lags :]
        means, deviations = rows.mean(axis=0), rows.std(axis=0)
        if deviations[0] <= 1e-12 * max(1.0, abs(means[0])):
            raise ValueError("constant")
        return cls(log, tuple(differences), means, np.where(deviations > 0, deviations, 1.0))

    @property
    def lags(self) -> int:
        """How many rows the differences go back."""
        return sum(self.differences)

    @property
    def _past_weights(self) -> Floats:
        """The weights, (lags,), of the levels before, the oldest first, in ``z_t - w_t``."""
        polynomial = np.ones(1)
        for lag in self.differences:
            polynomial = np.convolve(polynomial, [1.0, *np.zeros(lag - 1), -1.0])
        return -polynomial[:0:-1]

    def levels(self, target: Floats) -> Floats:
        """Return z of the target's values."""
        return np.log(target) if self.log else target

    def scaled(self, values: Floats) -> Floats:
        """Return u and the other columns scaled, (N, 1 + K); u of the first `lags` rows is NaN."""
        scaled = np.array(values, np.float64)
        levels = self.levels(values[:, 0])
        scaled[: self.lags, 0] = np.nan
        scaled[self.lags :, 0] = levels[self.lags :] - self.past(levels)[:-1]
        return (scaled - self.means) / self.deviations

    def past(self, levels: Floats) -> Floats:
        """Return ``z_t - w_t`` for t from `lags` to N, from the levels (N,) before."""
        if not self.lags:
            return np.zeros(len(levels) + 1)
        windows = np.lib.stride_tricks.sliding_window_view(levels, self.lags)
        past: Floats = windows @ self._past_weights
        return past

    def values(self, scaled: Floats, past: Floats) -> Floats:
        """Return the target's values of some u, from ``z_t - w_t`` of each."""
        levels = self.level(scaled, past)
        return np.exp(levels) if self.log else levels

    def level(self, scaled: Floats, past: Floats) -> Floats:
        """Return z of some u, from ``z_t - w_t`` of each."""
        level: Floats = past + self.means[0] + self.deviations[0] * scaled
        return level

    def next_past(self, levels: Floats) -> Floats:
        """Return ``z_t - w_t`` of the next row of series side by side, from their last `lags` levels (lags, B)."""
        past: Floats = self._past_weights @ levels
        return past

    def to_dict(self) -> dict[str, Any]:
        """Return what was fitted as plain data."""
        return {"means": self.means.tolist(), "deviations": self.deviations.tolist()}

    @classmethod
    def from_dict(
        cls, fitted: Mapping[str, Any], columns: int, *, log: bool, differences: Sequence[int]
    ) -> "Scaling":
        """Make it of what `to_dict` returned, for so many columns.

        Raises
        ------
        ValueError
            If it is not that.
        """
        try:
            means, deviations = (np.array(fitted[key], np.float64) for key in ("means", "deviations"))
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error
        fits = means.shape == deviations.shape == (columns,)
        if not (fits and np.isfinite(means).all() and np.isfinite(deviations).all() and (deviations > 0).all()):
            raise ValueError("scaling")
        return cls(log, tuple(differences), means, deviations)
