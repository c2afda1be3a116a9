"""A dataset takes its place whole or not at all, and nothing else is removed."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from tests.dataset.building.datasets import ALL_TRAIN, LETTERS, WORDS, files_of, write


def test_only_a_dataset_is_overwritten(tmp_path):
    file, out = write(tmp_path / "a.txt", "a b c\n"), tmp_path / "out"
    build_dataset([file], out, text=WORDS, division=ALL_TRAIN)
    with pytest.raises(RnnlmError, match=r"out: this dataset exists; .* `overwrite`"):
        build_dataset([file], out, text=WORDS)
    build_dataset([file], out, text=LETTERS, division=ALL_TRAIN, overwrite=True)
    assert Dataset.open(out).vocabulary.settings.level == "char"
    (tmp_path / "mine").mkdir()
    with pytest.raises(RnnlmError, match="mine: this is not a dataset, so it is not overwritten"):
        build_dataset([file], tmp_path / "mine", text=WORDS, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "mine", "out"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize(
    "where",
    [
        "dataset.building.first_pass.encode_documents",
        "dataset.building.build.write_splits",
        "dataset.building.build.write_metadata",
        "files.sync",
    ],
)
def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch, error, where):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    before = files_of(tmp_path / "out")

    def fail(*arguments: object, **keywords: object) -> None:
        raise error

    monkeypatch.setattr(f"rnnlm.{where}", fail)
    with pytest.raises(RnnlmError if isinstance(error, OSError) else type(error)) as raised:
        build_dataset([file], tmp_path / "out", text=LETTERS, division=ALL_TRAIN, overwrite=True)
    if isinstance(error, OSError):
        assert str(raised.value).startswith(f"{tmp_path}/out: the dataset cannot be written (No space left on")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("failing", ["out", ".tmp"])
def test_a_failed_swap_brings_the_old_dataset_back(tmp_path, monkeypatch, error, failing):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    before = files_of(tmp_path / "out")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith(failing):
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RnnlmError if isinstance(error, OSError) else type(error)):
        build_dataset([file], tmp_path / "out", text=LETTERS, division=ALL_TRAIN, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_the_next_build_clears_what_a_killed_one_left(tmp_path, renames):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    before = files_of(tmp_path / "out")
    code = (
        "import os, sys\n"
        "from rnnlm.dataset.building.build import *\n"
        "rename, left = Path.rename, [None] * int(sys.argv[1])\n"
        "Path.rename = lambda self, target: rename(self, target) if left and not left.pop() else os._exit(9)\n"
        "build_dataset(['a.txt'], 'out', text=TextSettings('characters'), overwrite=True)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(renames)], cwd=tmp_path, check=False)
    assert killed.returncode == 9
    assert len(list(tmp_path.iterdir())) > 2
    with pytest.raises(RnnlmError, match="this dataset exists"):
        build_dataset([file], tmp_path / "out", text=WORDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    if renames < 2:
        assert files_of(tmp_path / "out") == before
    else:
        assert Dataset.open(tmp_path / "out").vocabulary.settings.level == "char"


def test_what_a_living_process_works_on_is_left_alone(tmp_path):
    working = tmp_path / f".out.{platform.node()}.{os.getppid()}.tmp"
    foreign = tmp_path / ".out.another-machine.1.tmp"
    working.mkdir()
    foreign.mkdir()
    build_dataset([write(tmp_path / "a.txt", "a b c\n")], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    assert working.exists()
    assert foreign.exists()


@pytest.mark.parametrize("out", [".", "../out", "../other/../out", "../other/link"])
def test_any_name_of_the_directory_will_do(tmp_path, monkeypatch, out):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    with pytest.raises(RnnlmError, match="this dataset exists"):
        build_dataset([file], out, text=LETTERS)
    result = build_dataset([file], out, text=LETTERS, division=ALL_TRAIN, overwrite=True)
    assert result.path == Path(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "other", "out"]
    assert Dataset.open(tmp_path / "out").vocabulary.settings.level == "char"


def test_a_directory_that_appears_while_a_dataset_is_built_is_not_removed(tmp_path):
    def appear(characters: int) -> None:
        write(tmp_path / "out", "mine")

    with pytest.raises(RnnlmError, match="this is not a dataset"):
        build_dataset([write(tmp_path / "a.txt", "a b c\n")], tmp_path / "out", text=WORDS, progress=appear)
    assert (tmp_path / "out").read_text() == "mine"


def test_other_files_beside_a_dataset_are_not_removed(tmp_path):
    out = tmp_path / "out"
    build_dataset([write(tmp_path / "a.txt", "a b c\n")], out, text=WORDS, division=ALL_TRAIN)
    write(out / ".DS_Store", "")
    build_dataset([str(tmp_path / "a.txt")], out, text=WORDS, division=ALL_TRAIN, overwrite=True)
    mine = write(out / "mine.txt", "d e f\n")
    with pytest.raises(RnnlmError, match=r"there are other files beside the dataset \(mine.txt\)"):
        build_dataset([mine], out, text=WORDS, division=ALL_TRAIN, overwrite=True)
    assert Path(mine).read_text() == "d e f\n"
    assert Dataset.open(out).vocabulary.tokens[3:] == ["a", "b", "c"]
