import math
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from rnnlm.report.curves import Chart, Curve, charts, curves
from rnnlm.report.runlog import RunLog
from rnnlm.report.svg import BOTTOM, LEFT, MAX_MARKS, RIGHT, TOP, Axis, draw

LINEAR = Chart("loss", "Loss", "nats per token", ("train", "valid"))
LOGARITHMIC = Chart("perplexity", "Perplexity", "", ("train", "valid"), log=True)


def curve(x: list[float], y: list[float], split: str = "train", run: int = 0, best: int | None = None) -> Curve:
    points = np.array(x, float), np.array(y, float)
    return Curve(run, f"run {run}", split, *points, None if best is None else (x[best], y[best]))


def drawn(chart: Chart, *lines: Curve) -> ElementTree.Element:
    return ElementTree.fromstring(draw(chart, lines, "step"))


def of_class(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in svg.iter() if name in element.get("class", "").split()]


def points(path: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.get("d", ""))]


def scale(svg: ElementTree.Element, axis: str, coordinate: str) -> tuple[list[float], list[float]]:
    """Return the values and the coordinates of the numbers beside an axis."""
    texts = [text for text in of_class(svg, axis) if re.fullmatch(r"-?[\d.]+k?", text.text or "")]
    values = [float((text.text or "").replace("k", "e3")) for text in texts]
    return values, [float(text.get(coordinate, "")) for text in texts]


def test_points_are_where_the_numbers_beside_the_axes_say():
    svg = drawn(LINEAR, curve([500, 1000, 2000], [4, 2, 3]))
    [line] = of_class(svg, "line")
    xs, ys = zip(*points(line), strict=True)
    values, places = scale(svg, "x", "x")
    assert values == [0, 500, 1000, 1500, 2000]
    np.testing.assert_allclose(np.interp(xs, places, values), [500, 1000, 2000], atol=1)
    values, places = scale(svg, "y", "y")
    assert values == [2, 2.5, 3, 3.5, 4]
    # Numbers stand 4.5 below the middle of their line; up is less in SVG.
    np.testing.assert_allclose(np.interp(ys, np.array(places)[::-1] - 4.5, values[::-1]), [4, 2, 3], atol=0.01)
    assert TOP < min(ys) < max(ys) < BOTTOM
    assert LEFT < min(xs) < max(xs) < RIGHT
    grid = [float(re.findall(r"M\d+ ([\d.]+)", path.get("d", ""))[0]) for path in of_class(svg, "grid")]
    np.testing.assert_allclose(grid, np.array(places) - 4.5, atol=0.06)


def test_on_a_logarithmic_axis_equal_factors_are_equal_distances():
    svg = drawn(LOGARITHMIC, curve([1, 2, 3], [1, 10, 100]))
    low, middle, high = (y for _, y in points(of_class(svg, "line")[0]))
    assert low - middle == pytest.approx(middle - high, abs=0.11)
    values, places = scale(svg, "y", "y")
    assert values == [1, 2, 5, 10, 20, 50, 100]
    assert places[0] - places[3] == pytest.approx(places[3] - places[6], abs=0.11)
    assert places[3] - 4.5 == pytest.approx(middle, abs=0.11)


@pytest.mark.parametrize(
    "values",
    [
        [1e308, sys.float_info.max],
        [sys.float_info.max] * 2,
        [1e307, 1e308],
        [2, 1e308],
        [5e-324] * 2,
        [1.78e308, 1.79e308],
    ],
)
@pytest.mark.parametrize("chart", [LINEAR, LOGARITHMIC, Chart("rate", "Rate", "", from_zero=True)])
def test_the_largest_and_the_smallest_numbers_have_a_place(chart: Chart, values: list[float]):
    svg = drawn(chart, curve([1, 2], values))
    places = [y for _, y in points(of_class(svg, "line")[0])]
    assert len(places) == 2
    assert TOP <= min(places) <= max(places) <= BOTTOM
    for text in of_class(svg, "y"):
        assert TOP <= float(text.get("y", "")) <= BOTTOM + 5
        assert math.isfinite(float(text.text or "nan"))


def test_the_best_evaluation_has_a_ring(short_run: RunLog):
    svg = drawn(LINEAR, *curves(charts([short_run])[0], [short_run], "step"))
    [ring] = of_class(svg, "best")
    valid = points(of_class(svg, "valid")[0])
    assert (float(ring.get("cx", "")), float(ring.get("cy", ""))) == valid[0]
    assert ring[0].text == "short: best evaluation 2.5 at 20"
    marks = of_class(svg, "mark")
    assert [(float(mark.get("cx", "")), float(mark.get("cy", ""))) for mark in marks] == valid
    assert [mark[0].text for mark in marks] == ["short: 2.5 at 20", "short: 3 at 40"]


def test_runs_differ_in_colour_and_dashes():
    svg = drawn(LINEAR, *(curve([1, 2], [1, 2], run=k) for k in range(28)))
    assert len({line.get("class") for line in of_class(svg, "line")}) == 28


def test_all_evaluations_of_all_runs_share_the_axes():
    svg = drawn(LINEAR, curve([0, 10], [5, 1], run=0), curve([0, 20], [3, 2], run=1))
    first, second = map(points, of_class(svg, "line"))
    assert first[1][0] == pytest.approx((LEFT + second[1][0]) / 2, abs=0.1)
    assert first[0][1] < second[0][1] < second[1][1] < first[1][1]


def test_a_gap_breaks_the_line_and_a_lone_point_is_seen():
    nan = float("nan")
    svg = drawn(LINEAR, curve([1, 2, 3, 4, 5], [1, 2, nan, 3, nan]))
    [line] = of_class(svg, "line")
    assert re.sub(r"[\d. ]+", "", line.get("d", "").replace("h0", "H")) == "MHLMH"
    assert "nan" not in ElementTree.tostring(svg, "unicode")


@pytest.mark.parametrize("chart", [LINEAR, LOGARITHMIC])
@pytest.mark.parametrize("value", [1e-300, 0.5, 1, 148.3, 1e18, 1.7e308 / 2])
def test_one_evaluation_is_a_point_in_the_frame(chart: Chart, value: float):
    svg = drawn(chart, curve([844], [value], "valid", best=0))
    for element in of_class(svg, "mark") + of_class(svg, "best"):
        assert LEFT < float(element.get("cx", "")) < RIGHT
        assert TOP < float(element.get("cy", "")) < BOTTOM


def test_many_evaluations_have_no_marks():
    steps = [float(k) for k in range(MAX_MARKS + 1)]
    assert len(of_class(drawn(LINEAR, curve(steps[1:], steps[1:], "valid")), "mark")) == MAX_MARKS
    assert of_class(drawn(LINEAR, curve(steps, steps, "valid")), "mark") == []


def test_the_chart_is_told_in_words():
    svg = drawn(LINEAR, curve([10, 40], [4, 1.5]), curve([20, 15000], [2.5, 3], "valid", best=0))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == (
        "Loss (nats per token) by step. run 0, training: 4 at 10 to 1.5 at 40. "
        "run 0, validation: 2.5 at 20 to 3 at 15,000; best 2.5 at 20."
    )


@pytest.mark.parametrize(
    ("low", "high", "log", "expected"),
    [
        (0, 1, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (4.3, 6.9, False, [4.5, 5, 5.5, 6, 6.5]),
        (0, 15468, False, [0, 5000, 10000, 15000]),
        (-3, 3, False, [-3, -2, -1, 0, 1, 2, 3]),
        (80, 1500, True, [100, 200, 500, 1000]),
        (0.5, 50000, True, [1, 10, 100, 1000, 10000]),
        (2.9, 8.1, True, [3, 4, 5, 6, 7, 8]),
    ],
)
def test_numbers_beside_an_axis_are_round(low: float, high: float, log: bool, expected: list[float]):
    ends = np.log10([low, high]) if log else (low, high)
    assert Axis(*ends, 0, 1, log).ticks() == pytest.approx(expected)


@pytest.mark.parametrize("high", [1e-290, 1e-9, 1.0, 1e9, 1e290])
@pytest.mark.parametrize("factor", [1.0001, 1.1, 3, 1e4, 1e10])
def test_there_are_a_few_numbers_on_every_axis(high: float, factor: float):
    for log in (False, True):
        axis = Axis.around(np.array([high / factor, high]), 0, 1, log)
        ticks = axis.ticks()
        assert 2 <= len(ticks) <= 8
        places = axis.place(np.array(ticks))
        assert ((places > -1e-9) & (places < 1 + 1e-9)).all()
        assert (np.diff(places) > 0).all()
