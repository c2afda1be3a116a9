"""Charts as SVG."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.report.curves import SPLIT_NAMES, Chart, Curve
from rnnlm.report.markup import escape, number, short

WIDTH, HEIGHT = 480, 290
LEFT, RIGHT, TOP, BOTTOM = 56, 468, 14, 240
"""The frame that the curves are drawn in; the numbers are outside of it."""

COLOURS, DASHES = 7, 4
"""How many of each ``page.css`` has; without a common factor, they make 28 different lines."""

MAX_MARKS = 60
"""A curve of more evaluations than this has no marks."""


@dataclass(frozen=True)
class Axis:
    """The way from values to coordinates.

    Attributes
    ----------
    low, high
        The values at the ends; their logarithms to base 10 on a logarithmic axis.
    start, end
        The coordinates of `low` and `high`.
    log
        Whether the axis is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def around(
        cls, values: Floats, start: float, end: float, log: bool = False, from_zero: bool = False
    ) -> "Axis":
        """Make an axis with room for values; NaN is passed over.

        There must be a number; on a logarithmic axis they must be positive.
        """
        if log:
            values = np.log10(values)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if from_zero:
            low = min(low, 0.0)
        margin = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
        return cls(low if from_zero else low - margin, min(high + margin, sys.float_info.max), start, end, log)

    def place(self, values: Floats) -> Floats:
        """Return the coordinates of values."""
        share = ((np.log10(values) if self.log else values) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return a few round values that are on the axis."""
        if not self.log:
            return _round_values(self.low, self.high)
        # Beyond 300 the powers of ten soon leave the numbers of the machine.
        exponents = range(max(math.floor(self.low), -300), min(math.ceil(self.high), 300) + 1)
        for digits in ((1, 2, 5), (1,)):
            ticks = [d * 10.0**k for k in exponents for d in digits if self.low <= k + math.log10(d) <= self.high]
            if len(ticks) < 3:
                whole = math.floor(self.low)
                values = _round_values(10 ** (self.low - whole), 10 ** (self.high - whole))
                ticks = [10.0**whole * value for value in values]
                return [tick for tick in ticks if 0 < tick < math.inf]
            if len(ticks) <= 8:
                return ticks
        return ticks[:: math.ceil(len(ticks) / 8)]


def _round_values(low: float, high: float) -> list[float]:
    """Return two to seven multiples of 1, 2 or 5 times a power of ten between two numbers."""
    unit = 10.0 ** math.floor(math.log10((high - low) / 6))
    step = next(unit * digit for digit in (1, 2, 5, 10) if (high - low) / (unit * digit) <= 6)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def draw(chart: Chart, curves: Sequence[Curve], x_label: str) -> str:
    """Draw a chart with its curves as an ``<svg>`` element, for a page with the style sheet ``page.css``."""
    x = Axis.around(np.concatenate([curve.x for curve in curves]), LEFT, RIGHT, from_zero=True)
    y = Axis.around(np.concatenate([curve.y for curve in curves]), BOTTOM, TOP, chart.log, chart.from_zero)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(describe(chart, curves, x_label))}">'
    ]
    for value, place in _placed(y):
        parts.append(f'<path class="grid" d="M{LEFT} {place:.1f}H{RIGHT}"/>')
        parts.append(f'<text class="y" x="{LEFT - 6}" y="{place + 4.5:.1f}">{short(value)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>')
    for value, place in _placed(x):
        parts.append(f'<text class="x" x="{place:.1f}" y="{BOTTOM + 18}">{short(value)}</text>')
    parts.append(f'<text class="x" x="{(LEFT + RIGHT) / 2:g}" y="{HEIGHT - 8}">{escape(x_label)}</text>')
    for curve in curves:
        parts.extend(_curve(curve, x, y))
    # Over all lines, not only over its own.
    parts.extend(_ring(curve, *curve.best, x, y) for curve in curves if curve.best is not None)
    return "\n".join([*parts, "</svg>"])


def line_classes(curve: Curve) -> str:
    """Return the classes that give a curve its colour, dashes and weight."""
    return f"c{curve.run % COLOURS} d{curve.run % DASHES} {curve.split}"


def describe(chart: Chart, curves: Sequence[Curve], x_label: str) -> str:
    """Say in words what a chart shows."""
    sentences = [f"{chart.title} ({chart.unit}) by {x_label}."]
    for curve in curves:
        drawn = np.flatnonzero(np.isfinite(curve.y))
        (x1, y1), (x2, y2) = ((curve.x[k], curve.y[k]) for k in drawn[[0, -1]])
        best = "" if curve.best is None else f"; best {curve.best[1]:.5g} at {number(curve.best[0])}"
        ends = f"{y1:.5g} at {number(x1)} to {y2:.5g} at {number(x2)}"
        sentences.append(f"{curve.label}, {SPLIT_NAMES[curve.split]}: {ends}{best}.")
    return " ".join(sentences)


def _placed(axis: Axis) -> Iterator[tuple[float, float]]:
    ticks = axis.ticks()
    return zip(ticks, axis.place(np.array(ticks)).tolist(), strict=True)


def _curve(curve: Curve, x: Axis, y: Axis) -> Iterator[str]:
    """Draw a line, broken where there is a gap, and marks if there is room for them."""
    points = list(zip(x.place(curve.x).tolist(), y.place(curve.y).tolist(), strict=True))
    pieces = []
    drawing = False
    for px, py in points:
        if math.isfinite(py):
            # The line of length 0 shows a point that has no neighbour.
            pieces.append(f"L{px:.1f} {py:.1f}" if drawing else f"M{px:.1f} {py:.1f}h0")
        drawing = math.isfinite(py)
    yield f'<path class="line {line_classes(curve)}" d="{"".join(pieces)}"/>'
    if curve.split == "valid" and len(points) <= MAX_MARKS:
        for (px, py), vx, vy in zip(points, curve.x, curve.y, strict=True):
            if math.isfinite(py):
                yield (
                    f'<circle class="mark c{curve.run % COLOURS}" cx="{px:.1f}" cy="{py:.1f}" r="3">'
                    f"<title>{escape(curve.label)}: {vy:.5g} at {number(vx)}</title></circle>"
                )


def _ring(curve: Curve, best_x: float, best_y: float, x: Axis, y: Axis) -> str:
    """Draw a ring around the best evaluation."""
    [px], [py] = x.place(np.array([best_x])), y.place(np.array([best_y]))
    return (
        f'<circle class="best c{curve.run % COLOURS}" cx="{px:.1f}" cy="{py:.1f}" r="7">'
        f"<title>{escape(curve.label)}: best evaluation {best_y:.5g} at {number(best_x)}</title></circle>"
    )
