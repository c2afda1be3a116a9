"""The forecaster: the next numbers of a series."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.scaling import Scaling
from rnnlm.dataset.series import Series, SeriesDataset, SeriesInfo, SeriesSplit
from rnnlm.dataset.series_batches import SeriesBatches
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.forecasts import Errors, ForecastEvaluation, baseline_errors, naive_error
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.models.least_squares import fit_least_squares
from rnnlm.models.model import Model
from rnnlm.models.networks import make_forecasting_network, restored_forecasting_network
from rnnlm.models.series_reader import CALENDARS, SeriesReader, overflowed
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.text.report import counted

SERIES_FILE = "series.json"

PATHS = 2000
"""Futures that are simulated side by side."""

MOST_STEPS = 10_000

LEVELS = (80, 95)
"""How many of a hundred numbers should be within each interval."""


@dataclass(frozen=True)
class Forecast:
    """The next numbers of a series.

    Attributes
    ----------
    values
        The numbers.
    dates
        When they are; where the series has no dates, their numbers.
    intervals
        By how many of a hundred numbers should be within: the lower and the upper ends.
    """

    values: list[float]
    dates: list[str]
    intervals: dict[int, tuple[list[float], list[float]]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        ends = {str(level): {"lower": low, "upper": high} for level, (low, high) in self.intervals.items()}
        return {"values": self.values, "dates": self.dates, "intervals": ends}

    def __str__(self) -> str:
        columns = [self.values, *(end for ends in self.intervals.values() for end in ends)]
        rows = zip(*columns, strict=True)
        return "\n".join(
            "\t".join([date, *(f"{number:.6g}" for number in row)])
            for date, row in zip(self.dates, rows, strict=True)
        )


class Forecaster(Model[SeriesDataset, SeriesSplit]):
    """A network that reads a series of numbers and says the next.

    To forecast row t it reads row t - 1 (the target's scaled number, see `dataset.scaling`, and those of the other
    columns), and what it is told of the date of row t. Its state is carried along the whole series.

    Parameters
    ----------
    network
        Reads numbers, and has a `Regression` for its head.
    info
        What the numbers are.
    scaling
        How they are read.
    naive
        What MASE divides by.
    config
        The configuration of its training.
    """

    task = "forecast"
    called = "forecaster"

    def __init__(self, network: Network, info: SeriesInfo, scaling: Scaling, naive: float, config: Config) -> None:
        self.network, self.info, self.scaling, self.naive, self.config = network, info, scaling, naive, config
        model = config.model
        # What a time delay has not read yet is no input of zeros.
        unread = (model.width - 1) * model.num_layers if model.cell == "time_delay" else 0
        self.reader = SeriesReader(network, scaling, config.task.calendar, unread)
        if config.task.fit == "least_squares":
            network.trained = []

    @classmethod
    def open(cls, path: str | Path) -> SeriesDataset:
        """Open a dataset of a series; see `Model.open`."""
        return SeriesDataset.open(path)

    @classmethod
    def create(cls, config: Config, dataset: SeriesDataset) -> "Forecaster":
        """Make a model whose scaling is fitted on the training part, untrained or the exact solution.

        See `Model.create`.
        """
        info, training = dataset.series.info, dataset.train.known
        network = make_forecasting_network(config, _num_inputs(config, info))
        scaling, naive = _fitted_scaling(config, dataset), naive_error(training.target, info.season)
        model = cls(network, info, scaling, naive, config)
        first = model.reader.first + (config.training.batch_size - 1) * (model.reader.unread + 1)
        if len(training.values) <= first:
            raise _too_few(f"{dataset.path}: the training part has", len(training.values), first + 1)
        if config.task.fit == "least_squares":
            inputs, targets = model.reader.arrays(training)
            fit_least_squares(network, inputs[:-1], targets)
        return model

    @classmethod
    def restore(cls, checkpoint: Checkpoint) -> "Forecaster":
        """Make the trained model of a checkpoint, which has the scaling of its series; see `Model.restore`."""
        config, file = checkpoint.config, checkpoint.directory / SERIES_FILE
        try:
            values = json.loads(checkpoint.file(SERIES_FILE))
            info = SeriesInfo.from_dict(values["series"])
            task, columns = config.task, 1 + len(info.inputs)
            scaling = Scaling.from_dict(values["scaling"], columns, log=task.log, differences=task.differences)
            naive = float(values["naive_error"])
            if not math.isfinite(naive) or naive < 0 or (task.calendar and info.dates is None):
                raise ValueError("naive_error" if info.dates is not None else "dates")
        except (KeyError, TypeError, ValueError, RecursionError, OverflowError) as error:
            raise RnnlmError(f"{file}: does not describe a series ({error}); use another checkpoint.") from error
        network = restored_forecasting_network(checkpoint, _num_inputs(config, info))
        return cls(network, info, scaling, naive, config)

    def files(self) -> dict[str, bytes]:
        """Return what the series is and how it is scaled; see `Model.files`."""
        values = {"series": self.info.to_dict(), "scaling": self.scaling.to_dict(), "naive_error": self.naive}
        return {SERIES_FILE: json.dumps(values, indent=1, ensure_ascii=False).encode()}

    def batches(self, split: SeriesSplit) -> SeriesBatches:
        """Return windows of the series in their order."""
        training = self.config.training
        inputs, targets = self.reader.arrays(split.known)
        return SeriesBatches(
            inputs[:-1], targets, training.batch_size, training.bptt_steps, unread=self.reader.unread
        )

    def evaluate(
        self, split: SeriesSplit, *, watch: Callable[[], None] = lambda: None, share: Share = ALL
    ) -> ForecastEvaluation:
        """Measure the forecasts of the rows of a part, each from all rows before it; see `Model.evaluate`.

        Rows of the training part for which the model has not enough rows before them are left out. Every share is
        the whole: a series is read from its beginning.
        """
        if split.num_tokens == 0:
            raise RnnlmError(f"The {split.name} split of the dataset is empty; choose another with `split`.")
        season, known = self.info.season, split.known
        begin = max(split.begin, self.reader.first)
        if begin >= split.end:
            raise _too_few(f"The {split.name} part ends after", split.end, begin + 1)
        self._refuse_other_series(split.series)
        values, scaled = self.reader.fitted(known, watch)
        with np.errstate(over="ignore"):
            errors = Errors.of(known.target[begin:] - values[begin:-1], self.naive)
        if not math.isfinite(errors.rmse):
            raise overflowed()
        squares = (scaled[begin:-1] - self.scaling.scaled(known.values)[begin:, 0]) ** 2
        return ForecastEvaluation(
            errors,
            baseline_errors(known.target, begin, season, self.naive),
            split.end - begin,
            season,
            float(squares.mean()),
        )

    def predict(
        self, series: Series | SeriesDataset | Sequence[float], steps: int = 1, *, seed: int = 0
    ) -> Forecast:
        """Forecast the rows after the end of a series, each from those before it and the forecasts between.

        The intervals are quantiles of 2,000 futures in which each step's error is one of the model's one-step
        errors over the series, drawn anew (the bootstrap), and what comes of it is read on.

        Parameters
        ----------
        series
            What is known: a dataset, all of it, a `Series`, or the numbers alone of one without dates. Where the
            model reads other columns, more than one step needs those of the rows between (`Series.coming`).
        steps
            How many rows to forecast, at most 10,000.
        seed
            Seed of the futures.

        Raises
        ------
        RnnlmError
            If the series has other columns or fewer rows than the model needs, or the forecasts are not finite.
        """
        series = self._as_series(series)
        if not 1 <= steps <= MOST_STEPS:
            raise RnnlmError(f"`steps={steps}` must be from 1 to {MOST_STEPS:,}.")
        known = 1 + len(series.coming)
        if self.info.inputs and steps > known:
            raise RnnlmError(
                f"`steps={steps}`: the model reads {', '.join(self.info.inputs)}, known for "
                f"{counted(known, 'step{s}')}; give rows to come with these columns and an empty "
                f"{self.info.target}, or forecast less."
            )
        if len(series.values) < self.reader.first:
            raise _too_few("The series has", len(series.values), self.reader.first)
        _, scaled = self.reader.fitted(series)
        true = self.scaling.scaled(series.values)[:, 0]
        residuals = (true - scaled[:-1])[self.reader.first :]
        # The first path is the forecast; without a residual nothing is known of its errors.
        paths = 1 + (PATHS if len(residuals) else 0)
        noise = np.zeros((steps, paths))
        if len(residuals):
            noise[:, 1:] = np.random.default_rng(seed).choice(residuals - residuals.mean(), (steps, paths - 1))
        with np.errstate(all="ignore"):
            futures = np.array([*self.reader.futures(series, noise)])
        if not np.isfinite(futures[:, 0]).all():
            raise overflowed()
        rows = range(len(series.values), len(series.values) + steps)
        return Forecast(
            futures[:, 0].tolist(), [series.info.when(row) for row in rows], _intervals(futures[:, 1:])
        )

    def preview(self, split: SeriesSplit, rng: np.random.Generator, length: int) -> str:
        """Forecast one of the rows."""
        begin = max(split.begin, self.reader.first)
        if begin >= split.end:
            return ""
        row = int(rng.integers(begin, split.end))
        series = split.series
        values, _ = self.reader.fitted(Series(series.info, series.values[:row]))
        return f"{series.info.when(row)}: {series.target[row]:.6g}, forecast {values[-1]:.6g}"

    @property
    def guessing_loss(self) -> float:
        """No loss is worse than guessing: the baselines are measured with the model."""
        return math.inf

    @property
    def token_names(self) -> list[str]:
        """The names of the inputs: the columns, and what is told of a date."""
        names = [f"{kind} {k + 1}" for kind in self.config.task.calendar for k in range(CALENDARS[kind])]
        return ["target", *(f"column {name}" for name in self.info.inputs), *names]

    def entries(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Return the first layer's weights, which have a column for each input; see `Model.entries`."""
        names = ("rnn.weight_l0", "rnn.weight_ih_l0")
        return {name: (1, self.token_names) for name in names if name in self.network.parameters}

    def _source_description(self) -> str:
        return counted(len(self.token_names), "input{s}")

    def data_description(self) -> str:
        """Say what is forecast."""
        season = f", {self.info.season} rows in a season" if self.info.season > 1 else ""
        return f"the next {self.info.target}{season}"

    def _as_series(self, series: Series | SeriesDataset | Sequence[float]) -> Series:
        if isinstance(series, SeriesDataset):
            series = series.series
        elif not isinstance(series, Series):
            values = np.array(series, np.float64).reshape(len(series), -1)
            series = Series(SeriesInfo(self.info.target, self.info.inputs, self.info.season, None), values)
        self._refuse_other_series(series)
        return series

    def _refuse_other_series(self, series: Series) -> None:
        """Refuse a series that has not what the model reads."""
        info = series.info
        if series.values.shape[1] != 1 + len(self.info.inputs) or info.inputs != self.info.inputs:
            wanted = ", ".join([self.info.target, *self.info.inputs])
            raise RnnlmError(f"The series has other columns than those that the model reads; give it {wanted}.")
        if self.config.task.calendar and info.dates is None:
            raise RnnlmError("The series has no dates, and the model reads them; add a column of dates.")
        _refuse_without_logarithm(self.config, series, "the series")


def _fitted_scaling(config: Config, dataset: SeriesDataset) -> Scaling:
    """Fit the scaling on the training part of a dataset; refuse one that does not fit the configuration."""
    info, task, values = dataset.series.info, config.task, dataset.train.known.values
    if task.calendar and info.dates is None:
        raise RnnlmError(f"task.calendar: {dataset.path} has no dates; leave it out, or add a column of dates.")
    if "weekday" in task.calendar and info.dates is not None and not info.dates.has_days:
        raise RnnlmError(f"task.calendar: the dates of {dataset.path} have no days; leave weekday out.")
    _refuse_without_logarithm(config, dataset.series, str(dataset.path))
    needed = sum(task.differences) + 2
    if len(values) < needed:
        raise _too_few(f"{dataset.path}: the training part has", len(values), needed)
    try:
        return Scaling.fit(values, log=task.log, differences=task.differences)
    except ValueError as error:
        what = f"after task.differences {task.differences}" if task.differences else "in the training part"
        raise RnnlmError(
            f"{dataset.path}: {info.target!r} is constant {what}, so there is nothing to learn; choose another "
            "series or other differences."
        ) from error


def _num_inputs(config: Config, info: SeriesInfo) -> int:
    return 1 + len(info.inputs) + sum(CALENDARS[kind] for kind in config.task.calendar)


def _refuse_without_logarithm(config: Config, series: Series, source: str) -> None:
    if config.task.log and (series.target <= 0).any():
        row = int(np.flatnonzero(series.target <= 0)[0])
        raise RnnlmError(
            f"{source}: {series.info.target!r} of row {series.info.when(row)} is {series.target[row]:g}, which "
            "has no logarithm; leave task.log out."
        )


def _too_few(what: str, rows: int, needed: int) -> RnnlmError:
    return RnnlmError(
        f"{what} {counted(rows, 'row{s}')}, but with its lags the model needs {needed:,}; give a longer series, "
        "or make model.width or task.differences smaller."
    )


def _intervals(futures: Floats) -> dict[int, tuple[list[float], list[float]]]:
    """Return the ends of the intervals of each step from its values (steps, P)."""
    if not futures.shape[1]:
        return {}
    ends = {}
    for level in LEVELS:
        tail = (100 - level) / 2
        low, high = np.percentile(np.nan_to_num(futures, nan=0.0), [tail, 100 - tail], axis=1)
        ends[level] = low.tolist(), high.tolist()
    return ends
