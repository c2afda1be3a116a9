import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from rnnlm.dataset.series import SeriesDataset
from rnnlm.dataset.store import Dataset, write_metadata
from rnnlm.errors import RnnlmError
from tests.conftest import monthly_rows


@pytest.fixture
def path(series_dataset: Path, tmp_path: Path) -> Path:
    return shutil.copytree(series_dataset, tmp_path / "data")


def test_what_was_built_is_opened(series_dataset: Path):
    dataset = SeriesDataset.open(series_dataset)
    numbers = [number for _, number in monthly_rows(120, 0)]
    assert dataset.series.target.tolist() == numbers
    assert [part.num_tokens for part in (dataset.train, dataset.valid, dataset.test)] == [84, 12, 24]
    assert dataset.valid.known.target.tolist() == numbers[:96]
    info = dataset.series.info
    assert (info.target, info.inputs, info.season, info.when(120)) == ("sold", (), 12, "2010-01")
    with pytest.raises(RnnlmError, match="'all' is not a part of a dataset"):
        dataset.split("all")


@pytest.mark.parametrize("name", ["train.bin", "valid.bin", "test.bin"])
@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_damaged_numbers_are_refused_by_name(path: Path, name: str, damage: str):
    content = bytearray((path / name).read_bytes())
    content[3] ^= 1
    if damage == "missing":
        (path / name).unlink()
    else:
        (path / name).write_bytes(content[:-8] if damage == "cut" else content)
    with pytest.raises(RnnlmError, match=f"{name}: this file .* the dataset is damaged"):
        SeriesDataset.open(path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("series",), None),
        (("series", "target"), 3),
        (("series", "inputs"), ["a", 4]),
        (("series", "season"), 0),
        (("series", "season"), 10**30),
        (("series", "dates", "unit"), "moons"),
        (("series", "dates", "step"), -1),
        (("series", "dates", "first"), "x"),
        (("series", "dates"), 7),
        (("splits", "train", "points"), "many"),
        (("files", "test.bin"), None),
    ],
)
def test_damaged_descriptions_are_refused(path: Path, keys: tuple[str, ...], value: object):
    metadata = yaml.safe_load((path / "dataset.yaml").read_text())
    inner = metadata
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    del metadata["sha256"]
    write_metadata(path, metadata)
    with pytest.raises(RnnlmError, match=r"dataset\.yaml: this file has no valid description of a series"):
        SeriesDataset.open(path)


def test_another_number_of_columns_is_refused(path: Path):
    metadata = yaml.safe_load((path / "dataset.yaml").read_text())
    metadata["series"]["inputs"] = list("abcdefghijklmnopqrstuvw")  # 84 numbers are no rows of 24
    del metadata["sha256"]
    write_metadata(path, metadata)
    with pytest.raises(RnnlmError, match=r"train\.bin: this file does not hold rows of 24 numbers"):
        SeriesDataset.open(path)


def test_datasets_of_text_and_of_series_are_told_apart(series_dataset: Path, word_dataset: Path):
    with pytest.raises(RnnlmError, match=r"a dataset of a series, not of text; .* task\.name=forecast"):
        Dataset.open(series_dataset)
    with pytest.raises(RnnlmError, match="a dataset of text, and a forecaster needs a series"):
        SeriesDataset.open(word_dataset)


def test_numbers_that_are_not_finite_are_refused(path: Path):
    from rnnlm.files import fingerprint

    np.full(12, np.nan).tofile(path / "valid.bin")
    metadata = yaml.safe_load((path / "dataset.yaml").read_text())
    metadata["files"]["valid.bin"] = fingerprint(path / "valid.bin")
    del metadata["sha256"]
    write_metadata(path, metadata)
    with pytest.raises(RnnlmError, match=r"valid\.bin: this file does not hold rows of 1 numbers"):
        SeriesDataset.open(path)
