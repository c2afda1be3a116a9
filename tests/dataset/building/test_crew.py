"""Ranks and workers share the work on a corpus, and nobody can tell from the dataset how many there were."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from rnnlm.dataset.building.crew import Crew
from rnnlm.errors import RnnlmError
from rnnlm.ranks.ranks import AgreedError, OneProcess
from rnnlm.text import sections
from rnnlm.text.inputs import Inputs, ReaderSettings
from rnnlm.text.report import ReadReport
from tests import mpi
from tests.dataset.building import many_datasets
from tests.dataset.building.datasets import files_of
from tests.ranks.test_ranks import TCP

Datasets: TypeAlias = dict[str, dict[str, bytes]]

FEW = ["json-lines", "one-sentence", "rare", "tagged", "pairs"]
"""Starting workers takes a while, and so does waiting for many ranks."""


@pytest.fixture(scope="module")
def built_alone(tmp_path_factory: pytest.TempPathFactory) -> Datasets:
    return build(tmp_path_factory.mktemp("alone"), 1, 1)


def start(ranks: int, *program: str, cwd: Path, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    if ranks > 1:
        mpi.need()
    return subprocess.Popen(
        mpi.command(ranks, *program),
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    ranks: int, *program: str, cwd: Path, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    process = start(ranks, *program, cwd=cwd, env=env)
    stdout, stderr = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def build(
    directory: Path,
    ranks: int,
    workers: int,
    names: Collection[str] = many_datasets.CASES,
    env: Mapping[str, str] | None = None,
) -> Datasets:
    """Build datasets by so many ranks with so many workers each; return the files of each."""
    before = Path.cwd()
    try:
        os.chdir(directory)
        many_datasets.write_inputs()
    finally:
        os.chdir(before)
    command = ["-m", "tests.dataset.building.many_datasets", str(workers), *names]
    env = {"PYTHONPATH": str(mpi.PROJECT), **(env or {})}
    done = run(ranks, *command, cwd=directory, env=env)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.split() == list(names)
    assert not [path.name for path in directory.iterdir() if path.name.startswith(".")]
    return {name: files_of(directory / name) for name in names}


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_makes_the_same_datasets(built_alone, tmp_path, workers):
    assert build(tmp_path, 1, workers, FEW) == {name: built_alone[name] for name in FEW}


@pytest.mark.parametrize(("ranks", "names"), [(2, FEW), (3, many_datasets.CASES), (5, FEW)])
def test_any_number_of_ranks_makes_the_same_datasets(built_alone, tmp_path, ranks, names):
    assert build(tmp_path, ranks, 1, names) == {name: built_alone[name] for name in names}


def test_ranks_may_have_workers_and_talk_over_a_network(built_alone, tmp_path):
    assert build(tmp_path, 2, 2, FEW, TCP) == {name: built_alone[name] for name in FEW}


def test_the_corpora_have_many_sections(monkeypatch, tmp_path):
    """Else the other tests would compare nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sections, "SECTION_BYTES", 1500)
    many_datasets.write_inputs()
    several = 0
    for case in many_datasets.CASES.values():
        reader = case.get("reader", ReaderSettings())
        several += len(sections.sections(Inputs(case["inputs"], reader, ReadReport()), reader)) > 1
    assert several > len(many_datasets.CASES) / 2


def square(item: int, workers: int, progress: object) -> int:
    if item == 13:
        raise RnnlmError("not 13")
    return item * item


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("sizes", [[], [3], [0, 0, 0, 0], [1, 100, 1, 1, 1, 1, 1]])
def test_results_come_in_the_order_of_the_items(tmp_path, workers, sizes):
    done: list[int] = []
    items = range(len(sizes))
    crew = Crew(workers)
    with crew.at_work_in(tmp_path):
        for _ in range(2):
            assert crew.map(square, items, sizes, done=done.append) == [item * item for item in items]
    assert sorted(done) == [] if workers == 1 else set(done) <= {item * item for item in items}


def test_an_error_of_an_item_is_raised():
    with pytest.raises(RnnlmError, match="not 13"):
        Crew(2).map(square, [12, 13, 14, 15], [1] * 4)
    with pytest.raises(RnnlmError, match="`workers` 0: give a whole number from 1"):
        Crew(0)


class TwoRanks(OneProcess):
    """The first of two ranks, of which the other does its share at once."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts = ["here", "there"]
        self.said: list[object] = []
        self.aborted: list[int] = []

    def broadcast(self, value):
        self.said.append(value)
        return value

    def gathered(self, value):
        other = self.said[-1][2][1]
        return [value, dict(zip(other.numbers, (square(item, 1, None) for item in other.items), strict=True))]

    def abort(self, exit_code):
        self.aborted.append(exit_code)


def test_ranks_share_items_by_their_size():
    ranks = TwoRanks()
    with Crew(1, ranks) as crew:
        assert crew.map(square, [0, 1, 2, 3, 4], [1, 2, 9, 3, 2]) == [0, 1, 4, 9, 16]
    (_, _, shares), end = ranks.said
    assert shares[0] is None
    assert shares[1].items == [0, 1, 3, 4]
    assert end is None


def test_an_error_of_the_leader_lets_the_others_go():
    ranks = TwoRanks()
    with pytest.raises(AgreedError, match="no file"), Crew(1, ranks):
        raise RnnlmError("no file")
    assert (ranks.said, ranks.aborted) == ([None], [])


def test_an_error_at_work_is_of_one_rank():
    ranks = TwoRanks()
    with pytest.raises(RnnlmError, match="not 13") as raised, Crew(1, ranks) as crew:
        crew.map(square, [13, 1], [1, 1])
    assert not isinstance(raised.value, AgreedError)
    assert len(ranks.said) == 1
    with pytest.raises(SystemExit), Crew(1, ranks) as crew:
        crew.map(lambda *_: sys.exit(143), [1, 1], [1, 1])
    assert ranks.aborted == [143]


class OtherRank(TwoRanks):
    """The second of two ranks, which is told to work where it sees no directory."""

    def __init__(self) -> None:
        super().__init__()
        self.rank = 1

    def broadcast(self, value):
        return Path("nowhere"), square, [None, ([0], [1], [1])]


def test_a_rank_that_does_not_see_the_directory_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("rnnlm.dataset.building.crew.MOST_SECONDS", 0)
    with pytest.raises(RnnlmError, match=r"nowhere: .* choose one on a disk that all of them share with `out`"):
        Crew(1, OtherRank()).serve(tmp_path)


COMMAND = ["-m", "rnnlm", "preprocess", "a.txt", "--out", "data", "--quiet"]


def rank_of(process: Path) -> str | None:
    """Return which of the ranks that run the command a process is, if any."""
    try:
        command = (process / "cmdline").read_text()
        variables = dict(line.partition("=")[::2] for line in (process / "environ").read_text().split("\0"))
    except OSError:
        return None
    return variables.get("PMI_RANK") if "\0rnnlm\0preprocess\0" in command else None


def wait_for_tokens(process: "subprocess.Popen[str]", directory: Path) -> None:
    """Wait until tokens of a corpus are on the disk."""
    while not any(file.stat().st_size for file in directory.glob(".data.*/spool/*.ids")):
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("number", "exit_code", "said"), [(signal.SIGINT, 130, ["Interrupted"]), (signal.SIGTERM, 143, [])]
)
def test_a_stop_of_all_ranks_leaves_nothing_behind(tmp_path, number, exit_code, said):
    (tmp_path / "a.txt").write_text("some words of a line, that's all.\n" * 800_000)
    process = start(2, *COMMAND, cwd=tmp_path)
    try:
        wait_for_tokens(process, tmp_path)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == exit_code
    assert re.findall(r"rnnlm: rank 0 on \S+: (.*)\.\n", stderr) == said
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("killed", ["0", "1"])
def test_a_killed_rank_ends_all_and_leaves_no_half_dataset(tmp_path, killed):
    (tmp_path / "a.txt").write_text("some words of a line, that's all.\n" * 800_000)
    process = start(2, *COMMAND, cwd=tmp_path)
    try:
        wait_for_tokens(process, tmp_path)
        session = [each for each in Path("/proc").glob("[0-9]*") if rank_of(each) == killed]
        ours = [each for each in session if (each / "cwd").resolve() == tmp_path]
        assert len(ours) == 1
        os.kill(int(ours[0].name), signal.SIGKILL)
        began = time.monotonic()
        _, stderr = process.communicate(timeout=60)
        assert time.monotonic() - began < 10
        assert process.returncode != 0
        assert re.search(rf"^rnnlm: rank {killed} on \S+ was killed", stderr, re.MULTILINE)
        assert not (tmp_path / "data").exists()
    finally:
        process.kill()
    (tmp_path / "a.txt").write_text("some words of a line, that's all.\n" * 9)
    done = run(2, *COMMAND, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "data"]


def test_a_rank_that_fails_ends_all_with_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("number,body\n" + "1,some words of a comment\n" * 500_000)
    (tmp_path / "b.csv").write_text("number,name\n" + "1,some words of a comment\n" * 400_000)
    done = run(2, "-m", "rnnlm", "preprocess", "a.csv", "b.csv", "--out", "data", "--quiet", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    [message] = done.stderr.splitlines()
    assert re.match(r"rnnlm: rank 1 on \S+: b\.csv: there is no column 'body', 'text' or 'content'", message)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_an_input_that_is_not_there_is_said_once(tmp_path):
    done = run(2, *COMMAND, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rnnlm: a.txt: there is no such file or directory.\n"
    assert list(tmp_path.iterdir()) == []
