from pathlib import Path

import pytest

from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.series import SeriesSettings, build_series
from rnnlm.dataset.series import SeriesDataset
from rnnlm.errors import RnnlmError
from tests.conftest import monthly_rows, write_series


def build(directory: Path, rows: object, head: str = "month,sold", **options: object) -> SeriesDataset:
    file = write_series(directory / "s.csv", rows, head)  # type: ignore[arg-type]
    build_series(str(file), directory / "data", overwrite=True, **options)  # type: ignore[arg-type]
    return SeriesDataset.open(directory / "data")


def test_parts_follow_one_another(tmp_path: Path):
    rows = monthly_rows(40, 0)
    dataset = build(tmp_path, rows)
    assert [part.num_tokens for part in (dataset.train, dataset.valid, dataset.test)] == [36, 2, 2]
    dataset = build(tmp_path, rows, division=DivisionSettings(valid_fraction=0, test_fraction=0.25))
    assert [part.num_tokens for part in (dataset.train, dataset.valid, dataset.test)] == [30, 0, 10]
    assert dataset.series.target.tolist() == [number for _, number in rows]


def test_the_target_comes_first_and_the_others_are_inputs(tmp_path: Path):
    rows = [(month, 2 * k, number, k) for k, (month, number) in enumerate(monthly_rows(30, 0))]
    settings = SeriesSettings(target_column="sold", season=4)
    dataset = build(tmp_path, rows, "month,price,sold,visitors", settings=settings)
    assert dataset.series.info.inputs == ("price", "visitors")
    assert dataset.series.info.season == 4
    assert dataset.series.values[3].tolist() == [rows[3][2], 6, 3]


def test_files_follow(tmp_path: Path):
    rows = monthly_rows(40, 0)
    later = write_series(tmp_path / "later.csv", rows[30:])
    dataset = build(tmp_path, rows[:30], division=DivisionSettings(test_file=str(later), valid_fraction=0.1))
    assert [part.num_tokens for part in (dataset.train, dataset.valid, dataset.test)] == [27, 3, 10]
    assert dataset.series.target.tolist() == [number for _, number in rows]
    with pytest.raises(RnnlmError, match=r"later\.csv, line 2: the date is 2002-07, but .* has 2002-06"):
        build(tmp_path, rows[:29], division=DivisionSettings(test_file=str(later)))
    with pytest.raises(RnnlmError, match=r"later\.csv: its columns are not those of"):
        build(tmp_path, rows[:30], "month,other", division=DivisionSettings(test_file=str(later)))
    with pytest.raises(RnnlmError, match=r"`test_rows`: .* follows the input"):
        build(
            tmp_path,
            rows[:30],
            settings=SeriesSettings(test_rows=3),
            division=DivisionSettings(test_file=str(later)),
        )


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([("2000-01", 1), ("2000-02", 1), ("2000-03", 1)], {}, "column 'sold' has the same number in all 3 rows"),
        ([("2000-01", 1), ("2000-02", 2)], {"test_rows": 2}, "2 are for validation and test, so none is left"),
        ([("2000-01", 1), ("2000-03", 2), ("2000-04", 1), ("2000-05", 1)], {}, "line 3: 2000-03 does not follow"),
    ],
)
def test_what_cannot_be_forecast(tmp_path: Path, rows: object, settings: dict[str, int], message: str):
    with pytest.raises(RnnlmError) as caught:
        build(tmp_path, rows, settings=SeriesSettings(**settings))  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_dataset_is_not_replaced_unasked(tmp_path: Path):
    build(tmp_path, monthly_rows(20, 0))
    with pytest.raises(RnnlmError, match="this dataset exists"):
        build_series(str(tmp_path / "s.csv"), tmp_path / "data")
