"""Which curves are drawn of runs, and their points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnlm.evaluation.perplexity import TASKS_OF_PERPLEXITY
from rnnlm.nn.arrays import Floats
from rnnlm.report.markup import capitalized
from rnnlm.report.runlog import Measurement, RunLog
from rnnlm.training.progress import called, is_error

X_AXES = {"step": "step", "epoch": "epoch", "tokens": "tokens trained on", "seconds": "seconds of training"}
"""What curves can be drawn over, by the name in ``metrics.jsonl``, and how the axis is labelled."""

SPLIT_NAMES = {"train": "training", "valid": "validation"}

MAX_POINTS = 600
"""A curve has no more points than this, about what a screen can show; see `thin`."""


@dataclass(frozen=True)
class Chart:
    """A chart of one value of ``metrics.jsonl``.

    Attributes
    ----------
    key
        Its name there.
    title, unit
        What a reader calls it.
    splits
        The lines it is taken from: a curve for each.
    log
        Whether the axis is logarithmic; values that are not positive have no place there.
    from_zero
        Whether the axis begins at zero.
    tasks
        Only runs of these tasks have a curve; None lets all have one.
    """

    key: str
    title: str
    unit: str
    splits: tuple[str, ...] = ("train",)
    log: bool = False
    from_zero: bool = False
    tasks: tuple[str, ...] | None = None


PREDICTED = {"language_model": "token", "classify": "label", "tag": "tag", "translate": "token"}
"""What one prediction of a model is, by its task."""

PERPLEXITY = Chart(
    "perplexity", "Perplexity", "logarithmic scale", ("train", "valid"), log=True, tasks=TASKS_OF_PERPLEXITY
)

CHARTS = (
    Chart("learning_rate", "Learning rate", "step size", from_zero=True),
    Chart("grad_norm", "Gradient norm", "before clipping, logarithmic scale", log=True),
    Chart("tokens_per_second", "Speed", "tokens per second", from_zero=True),
)


def charts(runs: Sequence[RunLog]) -> list[Chart]:
    """Return the charts that runs are shown in: of each task the loss and what judges it, then `CHARTS`.

    Losses of different tasks are not to be compared, and have a chart each.
    """
    tasks = dict.fromkeys(run.task for run in runs)
    losses = [
        Chart("loss", "Loss", f"nats per {PREDICTED[task]}", ("train", "valid"), tasks=(task,))
        if task in PREDICTED
        else Chart("loss", "Loss", "squared error, scaled", ("train", "valid"), tasks=(task,))
        for task in tasks
    ]
    names = dict.fromkeys(name for run in runs for name in run.measures)
    return [*losses, *map(_chart_of_measure, names), *CHARTS]


def _chart_of_measure(name: str) -> Chart:
    if name == PERPLEXITY.key:
        return PERPLEXITY
    unit = "at most 1"
    if is_error(name):
        unit = "1 is the season before" if name == "mase" else "in the data's units"
    return Chart(name, capitalized(called(name)), unit, ("valid",))


@dataclass(frozen=True)
class Curve:
    """A curve in a chart.

    Attributes
    ----------
    run
        The number of the run, from 0, which gives the curve its colour.
    label
        The run's name.
    split
        "train" or "valid".
    x, y
        Its points; a `y` that is NaN is a gap.
    best
        The point of the best evaluation, where the curve goes through it.
    """

    run: int
    label: str
    split: str
    x: Floats
    y: Floats
    best: tuple[float, float] | None


def curves(chart: Chart, runs: Sequence[RunLog], x: str) -> list[Curve]:
    """Return the curves of a chart over one of `X_AXES`, run after run; none for what a run did not log."""
    found = []
    for number, run in enumerate(runs):
        if chart.tasks is not None and run.task not in chart.tasks:
            continue
        for split in chart.splits:
            lines = [line for line in run.measurements if line.split == split]
            points = np.array([_point(line, chart, x) for line in lines]).reshape(-1, 2)
            points = points[np.isfinite(points[:, 0])]
            if not np.isfinite(points[:, 1]).any():
                continue
            best = _point(run.best, chart, x) if split == "valid" and run.best is not None else (np.nan, np.nan)
            drawn = best if np.isfinite(best).all() else None
            found.append(Curve(number, run.label, split, *thin(points[:, 0], points[:, 1]), drawn))
    return found


def thin(x: Floats, y: Floats, limit: int = MAX_POINTS) -> tuple[Floats, Floats]:
    """Leave points of a long curve out, without a visible difference.

    The curve is cut into pieces of like length; of each, the lowest and the highest point stay, and the first
    that is a gap. So no peak is lost, however narrow. The ends of the curve stay too.
    """
    if len(y) <= limit:
        return x, y
    kept = {0, len(y) - 1}
    for piece in np.array_split(np.arange(len(y)), (limit - 2) // 3):
        gaps = np.isnan(y[piece])
        if gaps.any():
            kept.add(int(piece[gaps.argmax()]))
        if not gaps.all():
            kept |= {int(piece[np.nanargmin(y[piece])]), int(piece[np.nanargmax(y[piece])])}
    chosen = sorted(kept)
    return x[chosen], y[chosen]


def _point(line: Measurement, chart: Chart, x: str) -> tuple[float, float]:
    """Return where a measurement is in a chart; NaN where it has no place."""
    value = line.value(chart.key)
    drawn = np.isfinite(value) and (value > 0 or not chart.log)
    return getattr(line, x), value if drawn else np.nan
