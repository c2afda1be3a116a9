"""The curves of runs, and the forecasts of forecasters, as a picture."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.errors import RnnlmError
from rnnlm.files import explaining, write_atomically
from rnnlm.report.curves import SPLIT_NAMES, X_AXES, Chart, Curve, charts, curves
from rnnlm.report.forecasts import SeriesPicture, draw_on
from rnnlm.report.runlog import RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DARK = b"<style>@media (prefers-color-scheme: dark) {svg {filter: invert(.9) hue-rotate(180deg)}}</style>\n "
"""What makes an SVG with a white background dark where that is preferred, and leaves colours what they are."""


def plot(runs: Sequence[RunLog], path: Path, x: str = "step") -> None:
    """Draw the forecast of each forecaster, and the charts of the page for other runs, a colour for each run.

    Two stand side by side, unless there is only one.

    Parameters
    ----------
    runs
        The runs, at least one.
    path
        The picture, in the format that its ending names, such as ``.png`` or ``.svg``.
    x
        What the curves are drawn over, one of `X_AXES`.

    Raises
    ------
    RnnlmError
        If there is nothing to draw, matplotlib is not installed, or it does not know the format.
    """
    of_series = {run.path: SeriesPicture.of(run) for run in runs}
    pictures = [picture for picture in of_series.values() if picture is not None]
    others = [run for run in runs if of_series[run.path] is None]
    drawn = {chart: found for chart in charts(others) if (found := curves(chart, others, x))}
    if not drawn and not pictures:
        raise RnnlmError(f"{runs[0].path}: there is nothing to draw, no number is in its log; name another run.")
    number = len(drawn) + len(pictures)
    columns = min(number, 2)
    rows = -(-number // columns)
    figure = new_figure(8 if columns == 1 else 12, 3 * rows)
    every = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in every[number:]:
        axes.remove()
    for axes, picture in zip(every, pictures, strict=False):
        draw_on(axes, picture)
    for axes, (chart, found) in zip(every[len(pictures) : number], drawn.items(), strict=True):
        _draw_chart(axes, chart, found)
        axes.set_xlabel(X_AXES[x])
    save(figure, path)


def _draw_chart(axes: "Axes", chart: Chart, found: Sequence[Curve]) -> None:
    """Draw the curves of a chart."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    for curve in found:
        colour, valid = f"C{curve.run}", curve.split == "valid"
        # Between dollars matplotlib reads mathematics, and what begins with _ it leaves out.
        label = f"{SPLIT_NAMES[curve.split]}, {curve.label}".replace("$", r"\$")
        axes.plot(
            curve.x,
            curve.y,
            color=colour,
            linewidth=2 if valid else 1,
            alpha=1 if valid else 0.6,
            marker="." if valid or len(curve.y) == 1 else None,
            label=label,
        )
        if curve.best is not None:
            axes.plot(*curve.best, "o", color=colour, fillstyle="none", markersize=10)
    axes.set_title(chart.title, loc="left")
    axes.set_ylabel(chart.unit)
    if chart.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
    if chart.from_zero:
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()


def new_figure(width: float, height: float) -> "Figure":
    """Make an empty figure, so many inches wide and high, if matplotlib is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RnnlmError("Plotting needs matplotlib; run: pip install matplotlib.") from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as a picture, in the format that the path's ending names; refuse one that is unknown.

    The same figure has the same bytes. In SVG, texts stay texts, and where dark pages are preferred it is dark.
    """
    from matplotlib import rc_context

    picture, form = BytesIO(), path.suffix[1:]
    is_svg = form.lower() == "svg"
    try:
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "rnnlm"}):
            figure.savefig(picture, format=form, dpi=150, metadata={"Date": None} if is_svg else None)
    except ValueError as error:
        raise RnnlmError(f"{path}: {' '.join(str(error).split())}; name a .png file.") from error
    content = picture.getvalue()
    with explaining(path, "the picture cannot be written", "; choose another place"):
        write_atomically(path, content.replace(b"<defs>", DARK + b"<defs>", 1) if is_svg else content)
