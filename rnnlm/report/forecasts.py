"""A series, what a forecaster makes of it, and its forecast."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.models.forecaster import Forecaster
from rnnlm.nn.arrays import Floats
from rnnlm.report.markup import escape, short
from rnnlm.report.runlog import RunLog
from rnnlm.report.svg import Axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 400
"""The last rows of a series that are shown."""

FEW_STEPS = 12
"""Rows that are forecast where there is no season; else two seasons."""

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 948, 14, 270
MOST_DATES = 10
"""Dates under the picture, at most."""


@dataclass(frozen=True)
class SeriesPicture:
    """What is drawn of a forecaster.

    Attributes
    ----------
    label
        The name of its run.
    target
        What is forecast.
    dates
        When the rows are, those of the forecast included.
    actual, fitted : (N,)
        The rows, and their forecasts one step ahead; NaN for rows with too few before them.
    forecast : (S,)
        The rows after the last.
    bounds : (levels, 2, S)
        The ends of its intervals, the widest last.
    trained
        The first of the rows that was not trained on.
    """

    label: str
    target: str
    dates: list[str]
    actual: Floats
    fitted: Floats
    forecast: Floats
    bounds: Floats
    trained: int

    @classmethod
    def of(cls, run: RunLog) -> "SeriesPicture | None":
        """Make it of a run; None where it is no forecaster's.

        Raises
        ------
        RnnlmError
            If the dataset is no longer there, or its forecast cannot be made.
        """
        if run.task != "forecast" or run.config.data.path is None:
            return None
        model, dataset = Forecaster.load(run.path), Forecaster.open(run.config.data.path)
        steps = 1 if model.info.inputs else 2 * model.info.season if model.info.season > 1 else FEW_STEPS
        values, _ = model.reader.fitted(dataset.series)
        forecast = model.predict(dataset, steps)
        N = len(dataset.series.values)
        first = max(0, N - MOST_ROWS)
        bounds = np.array([*forecast.intervals.values()]).reshape(-1, 2, steps)
        return cls(
            run.label,
            model.info.target,
            [*(dataset.series.info.when(row) for row in range(first, N)), *forecast.dates],
            dataset.series.target[first:],
            values[first:-1],
            np.array(forecast.values),
            bounds,
            max(0, dataset.train.end - first),
        )

    @property
    def later(self) -> Floats:
        """The numbers of the rows of the forecast."""
        return np.arange(len(self.actual), len(self.dates), dtype=float)

    @property
    def ticks(self) -> list[int]:
        """The rows whose dates are written."""
        step = max(1, -(-len(self.dates) // MOST_DATES))
        # Where years are of twelve rows, they begin at a tick.
        step = -(-step // 12) * 12 if len(self.dates) > 36 else step
        return list(range(0, len(self.dates), step))

    def describe(self) -> str:
        """Say in words what is shown."""
        return (
            f"{self.label}: {self.target} from {self.dates[0]} to {self.dates[len(self.actual) - 1]}, each row "
            f"forecast from those before it, and the forecast to {self.dates[-1]}, {self.forecast[-1]:.5g}."
        )


def draw_on(axes: "Axes", picture: SeriesPicture) -> None:
    """Draw a picture with matplotlib."""
    axes.plot(picture.actual, color="0.2", linewidth=1.2, label=picture.target.replace("$", r"\$"))
    axes.plot(picture.fitted, color="C0", linewidth=1, label="one step ahead")
    axes.plot(picture.later, picture.forecast, color="C3", linewidth=1.5, label="forecast")
    for low, high in picture.bounds:
        axes.fill_between(picture.later, low, high, color="C3", alpha=0.15, linewidth=0)
    if 0 < picture.trained < len(picture.actual):
        axes.axvline(picture.trained - 0.5, color="0.6", linewidth=0.8, linestyle="--")
    axes.set_xticks(picture.ticks, [picture.dates[row] for row in picture.ticks])
    axes.set_title(f"Forecast, {picture.label}".replace("$", r"\$"), loc="left")
    axes.grid(alpha=0.3)
    axes.legend()


def draw_svg(picture: SeriesPicture) -> str:
    """Draw a picture as an ``<svg>`` element, for a page with the style sheet ``page.css``."""
    y = Axis.around(
        np.concatenate([picture.actual, picture.fitted, picture.forecast, picture.bounds.ravel()]), BOTTOM, TOP
    )
    x = Axis(0, max(1, len(picture.dates) - 1), LEFT, RIGHT)
    parts = [
        f'<svg class="chart forecast" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(picture.describe())}">',
        *_frame(picture, x, y),
        *_bands(picture, x, y),
    ]
    rows = np.arange(len(picture.actual), dtype=float)
    lines = (
        ("actual", rows, picture.actual),
        ("fitted", rows, picture.fitted),
        ("later", picture.later, picture.forecast),
    )
    for name, where, values in lines:
        known = np.isfinite(values)
        points = zip(x.place(where[known]).tolist(), y.place(values[known]).tolist(), strict=True)
        path = "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
        parts.append(f'<path class="series {name}" d="M{path}"/>')
    return "\n".join([*parts, "</svg>"])


def _frame(picture: SeriesPicture, x: Axis, y: Axis) -> Iterator[str]:
    """Draw the axes with their numbers and dates, and where the training part ends."""
    ticks = y.ticks()
    for value, place in zip(ticks, y.place(np.array(ticks)).tolist(), strict=True):
        yield f'<path class="grid" d="M{LEFT} {place:.1f}H{RIGHT}"/>'
        yield f'<text class="y" x="{LEFT - 6}" y="{place + 4.5:.1f}">{short(value)}</text>'
    yield f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>'
    for row, place in zip(picture.ticks, x.place(np.array(picture.ticks)).tolist(), strict=True):
        yield f'<text class="x" x="{place:.1f}" y="{BOTTOM + 18}">{escape(picture.dates[row])}</text>'
    if 0 < picture.trained < len(picture.actual):
        [place] = x.place(np.array([picture.trained - 0.5])).tolist()
        yield f'<path class="grid" stroke-dasharray="4 4" d="M{place:.1f} {TOP}V{BOTTOM}"/>'


def _bands(picture: SeriesPicture, x: Axis, y: Axis) -> Iterator[str]:
    """Draw the intervals."""
    across = x.place(picture.later).tolist()
    for low, high in picture.bounds:
        there = zip(across, y.place(high).tolist(), strict=True)
        back = zip(across[::-1], y.place(low[::-1]).tolist(), strict=True)
        yield f'<path class="band" d="M{"L".join(f"{px:.1f} {py:.1f}" for px, py in (*there, *back))}Z"/>'
