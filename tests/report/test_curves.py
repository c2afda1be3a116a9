import numpy as np
import pytest

from rnnlm.report.curves import CHARTS, MAX_POINTS, PERPLEXITY, X_AXES, Chart, charts, curves, thin
from rnnlm.report.runlog import RunLog, read_runs

from .conftest import MakeRun, line

LOSS = Chart("loss", "Loss", "nats per token", ("train", "valid"), tasks=("language_model",))
RATE, NORM, SPEED = CHARTS


def test_training_and_validation_have_a_curve_each(short_run: RunLog):
    train, valid = curves(LOSS, [short_run], "step")
    assert (train.split, valid.split, train.label, train.run) == ("train", "valid", "short", 0)
    np.testing.assert_array_equal(train.x, [10, 20, 30, 40])
    np.testing.assert_array_equal(train.y, [4, 3, 2, 1.5])
    np.testing.assert_array_equal(valid.x, [20, 40])
    np.testing.assert_array_equal(valid.y, [2.5, 3])
    assert (train.best, valid.best) == (None, (20, 2.5))
    assert curves(PERPLEXITY, [short_run], "step")[1].best == (20, 12.2)
    for chart, value in ((RATE, 0.5), (NORM, 3), (SPEED, 40)):
        [curve] = curves(chart, [short_run], "step")
        np.testing.assert_array_equal(curve.y, [value] * 4)


def test_each_task_has_its_own_charts(short_run: RunLog, classifier_run: RunLog, tagger_run: RunLog):
    assert charts([short_run]) == [LOSS, PERPLEXITY, *CHARTS]
    loss, accuracy, f1, *others = charts([classifier_run])
    assert (loss.tasks, accuracy.key, f1.key, f1.title) == (("classify",), "accuracy", "macro_f1", "Macro F1")
    assert others == list(CHARTS)
    runs = [short_run, classifier_run, tagger_run]
    keys = [chart.key for chart in charts(runs)]
    assert keys[:7] == [*["loss"] * 3, "perplexity", "accuracy", "macro_f1", "f1"]
    assert [curve.label for curve in curves(loss, runs, "step")] == ["labels"] * 2
    assert [curve.label for curve in curves(PERPLEXITY, runs, "step")] == ["short"] * 2
    of_labels, of_tags = curves(accuracy, runs, "step")
    assert (of_labels.run, of_labels.split, of_labels.best) == (1, "valid", (20, 0.8125))
    np.testing.assert_array_equal(of_labels.y, [0.5, 0.8125, 0.75])
    assert (of_tags.run, of_tags.best) == (2, (10, 0.9))


@pytest.mark.parametrize(("x", "factor"), [("step", 1), ("epoch", 0.01), ("tokens", 10), ("seconds", 0.25)])
def test_the_horizontal_axis_is_what_is_asked_for(short_run: RunLog, x: str, factor: float):
    assert x in X_AXES
    train, valid = curves(LOSS, [short_run], x)
    np.testing.assert_allclose(train.x, factor * np.array([10, 20, 30, 40]))
    assert valid.best == (pytest.approx(20 * factor), 2.5)


def test_what_cannot_be_drawn_is_a_gap_and_what_was_not_logged_no_curve(make_run: MakeRun):
    nan, infinite = float("nan"), float("inf")
    lines = [
        line(k, grad_norm=norm, seconds=None if k == 4 else k) for k, norm in enumerate([1, nan, 0, infinite, 2])
    ]
    [run] = read_runs([make_run("gaps", [*lines, line(9, "valid", loss=nan, perplexity=nan)])])
    [norms] = curves(NORM, [run], "step")
    np.testing.assert_array_equal(norms.y, [1, nan, nan, nan, 2])
    [norms] = curves(NORM, [run], "seconds")
    np.testing.assert_array_equal(norms.x, [0, 1, 2, 3])
    assert [curve.split for curve in curves(LOSS, [run], "step")] == ["train"]


@pytest.mark.parametrize("length", [1, MAX_POINTS, MAX_POINTS + 1, 12_345])
def test_a_long_curve_keeps_its_ends_peaks_and_gaps(length: int):
    x = np.arange(length, dtype=float)
    y = np.random.default_rng(0).random(length)
    if length > 1:
        y[length // 3], y[length // 2], y[length // 4] = 100, -100, np.nan
    thinned_x, thinned = thin(x, y)
    assert len(thinned) == len(thinned_x) <= MAX_POINTS
    assert len(thinned) == length or len(thinned) > MAX_POINTS / 2
    assert (thinned_x[0], thinned_x[-1]) == (0, length - 1)
    assert (np.diff(thinned_x) > 0).all()
    np.testing.assert_array_equal(thinned, y[thinned_x.astype(int)])
    if length > 1:
        assert {length // 3, length // 2, length // 4} <= set(thinned_x.tolist())


def test_a_long_gap_is_thinned_too():
    y = np.full(5000, np.nan)
    y[2500] = 1.0
    _, thinned = thin(np.arange(5000.0), y)
    assert np.nansum(thinned) == 1
    assert len(thinned) <= MAX_POINTS
