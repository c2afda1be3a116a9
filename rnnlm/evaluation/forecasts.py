"""How well the numbers of a series are forecast."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlm.nn.arrays import Floats


@dataclass(frozen=True)
class Errors:
    """The errors of some forecasts.

    Attributes
    ----------
    rmse, mae
        The root of the mean of their squares, and the mean of their sizes, in the data's units.
    mase
        The mean of their sizes, divided by that of a forecast of the value a season before over the training part
        (Hyndman and Koehler 2006); None where that one is never wrong.
    """

    rmse: float
    mae: float
    mase: float | None

    @classmethod
    def of(cls, errors: Floats, naive_error: float) -> "Errors":
        """Measure errors (N,); `naive_error` is the mean size that MASE divides by."""
        mae = float(np.abs(errors).mean())
        return cls(float(np.sqrt(np.mean(errors**2))), mae, mae / naive_error if naive_error else None)

    def to_dict(self) -> dict[str, float]:
        """Return them by their names in JSON."""
        mase = {} if self.mase is None else {"mase": self.mase}
        return {"rmse": self.rmse, "mae": self.mae, **mase}


@dataclass(frozen=True)
class ForecastEvaluation:
    """How well a part of a series is forecast, each row from those before it.

    Attributes
    ----------
    errors
        Those of the model.
    baselines
        Those of who knows nothing but a few rows: ``last_value``, and where there is a season, and it is before
        all of the rows, ``last_season`` (the value a season before) and ``last_value_and_season`` (the last value
        and its change a season before).
    points, season
        How many rows are forecast, and how many there are in a season.
    squared_error
        The mean squared error of the scaled numbers, which training minimizes.
    """

    errors: Errors
    baselines: dict[str, Errors]
    points: int
    season: int
    squared_error: float

    def __add__(self, other: "ForecastEvaluation") -> "ForecastEvaluation":
        return self  # every share is the whole

    @property
    def cross_entropy(self) -> float:
        """The squared error, in the place of other models' cross-entropy."""
        return self.squared_error

    def measures(self) -> dict[str, float]:
        """Return RMSE, MAE and MASE."""
        return self.errors.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Return the measures, and those of the baselines, by their names in JSON."""
        return {
            **self.measures(),
            "points": self.points,
            "season": self.season,
            "squared_error": self.squared_error,
            "baselines": {name: errors.to_dict() for name, errors in self.baselines.items()},
        }


def naive_error(target: Floats, season: int) -> float:
    """Return the mean size of the errors of a forecast of the value a season before, over a training part (N,).

    It is that of the last value where the part is no longer than a season.
    """
    lag = season if season < len(target) else 1
    return float(np.abs(target[lag:] - target[:-lag]).mean())


def baseline_errors(target: Floats, begin: int, season: int, naive: float) -> dict[str, Errors]:
    """Measure the baselines that there are on the rows of a series (N,) from `begin` on, which is at least 1."""

    def before(lag: int) -> Floats:
        return target[begin - lag : len(target) - lag]

    forecasts = {"last_value": before(1)}
    if 1 < season <= begin:
        forecasts["last_season"] = before(season)
    if 1 < season < begin:
        forecasts["last_value_and_season"] = before(1) + before(season) - before(season + 1)
    return {name: Errors.of(target[begin:] - values, naive) for name, values in forecasts.items()}
