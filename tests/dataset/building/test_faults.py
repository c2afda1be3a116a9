"""A dataset is built whole or not at all, and the one before it is kept, whatever call to the disk fails."""

import errno
import gc
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from tests.faults import ERRORS, Faults, Killed

NEW = "a b\nc\n\nb a\n"


def build(out: Path, content: str) -> dict[str, bytes]:
    """Build a dataset of a text, in place of any other, and return its files."""
    text = out.with_suffix(".txt")
    if not text.exists() or text.read_text() != content:
        text.write_text(content)
    division = DivisionSettings(valid_fraction=0.3, test_fraction=0.3)
    build_dataset([str(text)], out, text=TextSettings("whitespace"), division=division, overwrite=True)
    return files(out)


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def fail_everywhere(faults: Faults, tmp_path: Path, errors: Sequence[int | None], every: int) -> None:
    """Fail at some calls of a build, with one error after the other, and build without faults."""
    out = tmp_path / "data"
    old = build(out, "d e\nf\n\ng h i\n")
    new = build(out, NEW)
    faults.arm(None)
    build(out, NEW)
    for number, call in enumerate(range(0, len(faults.calls), every)):
        for name, content in old.items():
            (out / name).write_bytes(content)
        error = errors[number % len(errors)]
        faults.arm(call, error)
        with pytest.raises(Killed if error is None else RnnlmError) as failure:
            build(out, NEW)
        faults.arm(None)
        if error is not None:
            assert f"{out}: the dataset cannot be written ({os.strerror(error)})" in str(failure.value)
        # Where all fails from the second rename on, the old one keeps another name till the next build.
        if out.exists():
            Dataset.open(out)
            assert files(out) in (old, new)
        assert build(out, NEW) == new
        assert sorted(tmp_path.iterdir()) == [out, out.with_suffix(".txt")]


def test_a_build_is_whole_or_leaves_the_old_dataset(faults: Faults, tmp_path: Path) -> None:
    fail_everywhere(faults, tmp_path, (None, *ERRORS), every=11)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_a_failed_build_leaves_no_file_open(faults: Faults, tmp_path: Path, every: int) -> None:
    out = tmp_path / "data"
    build(out, NEW)
    faults.arm(None)
    build(out, NEW)
    opens = [number for number, (name, _) in enumerate(faults.calls) if name == "open"]
    for call in opens[::every]:
        faults.arm(call, errno.ENOSPC)
        with warnings.catch_warnings(record=True) as left_open:
            warnings.simplefilter("always")
            with pytest.raises(RnnlmError):
                build(out, NEW)
            gc.collect()
        faults.arm(None)
        assert not left_open


@pytest.mark.slow
@pytest.mark.parametrize("error", [None, *ERRORS])
def test_a_build_survives_every_fault_at_many_calls(faults: Faults, tmp_path: Path, error: int | None) -> None:
    fail_everywhere(faults, tmp_path, (error,), every=2)
