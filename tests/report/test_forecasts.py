import shutil
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.report.forecasts import SeriesPicture, draw_svg
from rnnlm.report.page import render
from rnnlm.report.picture import plot
from rnnlm.report.runlog import read_runs


def test_what_is_drawn(series_run: Path):
    [run] = read_runs([series_run])
    picture = SeriesPicture.of(run)
    assert picture is not None
    assert (len(picture.actual), len(picture.forecast), picture.trained) == (120, 24, 84)
    assert (picture.dates[0], picture.dates[-1]) == ("2000-01", "2011-12")
    assert picture.bounds.shape == (2, 2, 24)
    assert np.isnan(picture.fitted[:2]).all()
    assert np.isfinite(picture.fitted[2:]).all()
    assert [picture.dates[row][-2:] for row in picture.ticks] == ["01"] * len(picture.ticks)
    assert "2009-12" in picture.describe()


def test_the_page_has_it(series_run: Path):
    page = render(read_runs([series_run]))
    assert "<h2>Forecast</h2>" in page
    assert page.count('class="chart forecast"') == 1
    assert page.count('class="band"') == 2
    assert "nan" not in page.lower().split("<h2>forecast</h2>")[1].split("</section>")[0]
    assert "RMSE" in page


def test_a_page_of_several_tasks(series_run: Path, word_run: Path):
    page = render(read_runs([series_run, word_run]))
    assert "<h2>Forecast</h2>" in page
    assert "squared error, scaled" in page


def test_without_the_dataset_the_page_says_so(series_run: Path, tmp_path: Path):
    shutil.copytree(series_run, tmp_path / "run")
    for file in [tmp_path / "run" / "config.yaml"]:
        text = file.read_text()
        start = text.index("path: ")
        file.write_text(text[:start] + "path: nowhere" + text[text.index("\n", start) :])
    [run] = read_runs([tmp_path / "run"])
    assert "run: nowhere: no such directory; name a dataset" in render([run])
    with pytest.raises(RnnlmError, match="nowhere: no such directory"):
        SeriesPicture.of(run)


def test_labels_are_escaped(series_run: Path):
    [run] = read_runs([series_run])
    picture = SeriesPicture.of(run)
    assert picture is not None
    object.__setattr__(picture, "target", "<script>")
    assert "<script>" not in draw_svg(picture)


def test_a_picture(series_run: Path, word_run: Path, tmp_path: Path):
    pytest.importorskip("matplotlib")
    plot(read_runs([series_run]), tmp_path / "forecast.png")
    plot(read_runs([series_run, word_run]), tmp_path / "both.svg")
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "both.svg").read_bytes()
