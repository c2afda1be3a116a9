import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.report.picture import plot
from rnnlm.report.runlog import RunLog, read_runs

from .conftest import MakeRun, line


def test_a_picture_has_the_charts_and_the_runs(
    short_run: RunLog, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    figure = pytest.importorskip("matplotlib.figure")
    kept = []
    save = figure.Figure.savefig

    def save_small(self: Any, picture: BytesIO, format: str, dpi: int, metadata: None) -> None:
        kept.append(self)
        save(self, picture, format=format, dpi=10)

    monkeypatch.setattr(figure.Figure, "savefig", save_small)
    [odd] = read_runs([make_run("_a$\\b$", [line(7, "valid", loss=1.0)])])
    plot([short_run, odd], tmp_path / "a.png", "tokens")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    loss, perplexity, rate, norm, speed = kept[0].axes
    assert [axes.get_title("left") for axes in kept[0].axes] == [
        "Loss",
        "Perplexity",
        "Learning rate",
        "Gradient norm",
        "Speed",
    ]
    assert (loss.get_ylabel(), loss.get_xlabel()) == ("nats per token", "tokens trained on")
    assert [axes.get_yscale() for axes in (loss, perplexity, norm)] == ["linear", "log", "log"]
    assert rate.get_ylim()[0] == speed.get_ylim()[0] == 0
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "training, short",
        "validation, short",
        r"validation, _a\$\b\$",
    ]
    train, valid, ring, _, other_ring = loss.get_lines()
    assert train.get_xydata().tolist() == [[100, 4], [200, 3], [300, 2], [400, 1.5]]
    assert valid.get_xydata().tolist() == [[200, 2.5], [400, 3]]
    assert ring.get_xydata().tolist() == [[200, 2.5]]
    assert other_ring.get_xydata().tolist() == [[70, 1]]


def test_a_picture_has_the_charts_of_every_task(
    short_run: RunLog, classifier_run: RunLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    figure = pytest.importorskip("matplotlib.figure")
    kept: list[Any] = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *arguments, **options: kept.append(self))
    plot([short_run, classifier_run], tmp_path / "a.png")
    loss, label_loss, perplexity, accuracy, *_ = kept[0].axes
    assert (loss.get_ylabel(), label_loss.get_ylabel()) == ("nats per token", "nats per label")
    assert (perplexity.get_title("left"), accuracy.get_title("left")) == ("Perplexity", "Accuracy")
    curve, ring = accuracy.get_lines()
    assert curve.get_xydata().tolist() == [[10, 0.5], [20, 0.8125], [30, 0.75]]
    assert ring.get_xydata().tolist() == [[20, 0.8125]]


def test_a_format_that_is_not_known_is_refused(short_run: RunLog, tmp_path: Path):
    pytest.importorskip("matplotlib")
    with pytest.raises(RnnlmError, match=r"a\.txt: .* name a \.png file\."):
        plot([short_run], tmp_path / "a.txt")


def test_a_run_without_a_number_has_no_picture(make_run: MakeRun, tmp_path: Path):
    pytest.importorskip("matplotlib")
    runs = read_runs([make_run("nan", [{"step": 1, "split": "train"}])])
    with pytest.raises(RnnlmError, match=r"nothing to draw"):
        plot(runs, tmp_path / "a.png")


def test_without_matplotlib_the_package_is_named(
    short_run: RunLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(RnnlmError, match=r"Plotting needs matplotlib; run: pip install matplotlib\."):
        plot([short_run], tmp_path / "a.png")


def test_an_svg_is_the_same_every_time_and_dark_where_that_is_preferred(short_run: RunLog, tmp_path: Path):
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        plot([short_run], tmp_path / name)
    content = (tmp_path / "a.svg").read_bytes()
    assert content == (tmp_path / "b.svg").read_bytes()
    svg = ElementTree.fromstring(content)
    styles = [style.text for style in svg.iter("{http://www.w3.org/2000/svg}style")]
    assert "@media (prefers-color-scheme: dark)" in str(styles[0])
    assert "validation, short" in [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert len(content) < 100_000


def test_charts_stand_in_two_columns(short_run: RunLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = pytest.importorskip("matplotlib.figure")
    kept: list[Any] = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *arguments, **options: kept.append(self))
    plot([short_run], tmp_path / "a.png")
    places = [axes.get_subplotspec() for axes in kept[0].axes]
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [
        (0, 0), (0, 1), (1, 0), (1, 1), (2, 0)
    ]  # fmt: skip
