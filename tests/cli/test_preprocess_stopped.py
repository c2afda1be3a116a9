"""``rnnlm preprocess`` stopped in the middle: it leaves no process, no directory and no half dataset."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rnnlm.dataset.building.encode import encode_pieces

from .conftest import Command

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def processes(group: int) -> dict[int, str]:
    """Return the processes of a group that are not zombies, and their command lines."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            state, _, process_group, *_ = (directory / "stat").read_text().rpartition(")")[2].split()
            if int(process_group) == group and state != "Z":
                found[int(directory.name)] = (directory / "cmdline").read_text()
        except OSError:  # it has just ended
            continue
    return found


def wait_for_end(group: int) -> None:
    """Wait until no process of a group is left: workers and multiprocessing's tracker end a moment later."""
    for _ in range(3000):
        if not processes(group):
            return
        time.sleep(0.01)
    pytest.fail(f"still there: {processes(group)}")


class Preprocessing:
    """A command on its way, in a process group of its own."""

    def __init__(self, workers: int):
        Path("a.txt").write_text("some words here\n" * 400_000)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rnnlm", "preprocess", "a.txt", "--workers", str(workers), "--quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def workers(self) -> list[int]:
        return [number for number, command in processes(self.process.pid).items() if "spawn_main" in command]

    def has_begun(self) -> bool:
        """Return whether the temporary directory is there."""
        return any(Path("data").glob(".a.*"))

    def has_tokens(self) -> bool:
        """Return whether there are tokens on the disk."""
        return any(file.stat().st_size for file in Path("data").glob(".a.*/spool/*.ids"))

    def wait_until(self, condition: Callable[[], object]) -> None:
        while not condition():
            assert self.process.poll() is None
            time.sleep(0.01)

    def check_end(self, exit_code: int, message: str) -> None:
        """Wait for the end, and look for what may be left."""
        stdout, stderr = self.process.communicate(timeout=60)
        assert (stdout, stderr.removeprefix("\n")) == ("", message)  # click ends the line of a ^C
        assert self.process.returncode == exit_code
        wait_for_end(self.process.pid)
        assert list(Path("data").iterdir()) == []


@pytest.fixture
def preprocessing(working_directory: Path) -> Iterator[Callable[[int], Preprocessing]]:
    started = []

    def start(workers: int) -> Preprocessing:
        started.append(Preprocessing(workers))
        return started[-1]

    yield start
    for command in started:
        if command.process.poll() is None:
            os.killpg(command.process.pid, signal.SIGKILL)
            command.process.communicate()


ENDS = {signal.SIGINT: (130, "rnnlm: Interrupted.\n"), signal.SIGTERM: (143, "")}


def test_control_c_while_the_workers_start(preprocessing):
    command = preprocessing(2)
    command.wait_until(lambda: command.workers)
    time.sleep(0.1)  # in the middle of their imports
    os.killpg(command.process.pid, signal.SIGINT)
    command.check_end(*ENDS[signal.SIGINT])


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_to_the_whole_group(preprocessing, number):
    command = preprocessing(2)
    command.wait_until(command.has_tokens)
    os.killpg(command.process.pid, number)
    command.check_end(*ENDS[number])


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_to_the_main_process(preprocessing, workers):
    command = preprocessing(workers)
    command.wait_until(command.has_tokens)
    command.process.send_signal(signal.SIGTERM)
    command.check_end(*ENDS[signal.SIGTERM])


def test_a_killed_worker(preprocessing):
    command = preprocessing(2)
    command.wait_until(command.has_tokens)
    os.kill(command.workers[0], signal.SIGKILL)
    command.check_end(1, "rnnlm: A worker process died, perhaps for want of memory; use fewer --workers.\n")


def test_the_workers_of_a_killed_command_end(preprocessing):
    command = preprocessing(2)
    command.wait_until(command.has_tokens)
    command.process.kill()
    command.process.communicate()
    wait_for_end(command.process.pid)


def test_sigterm_while_an_object_is_destroyed(rnnlm: Command, monkeypatch: pytest.MonkeyPatch):
    """What a signal raises in there is lost, so the command has to look again."""
    Path("a.txt").write_text("one two three\n" * 100)

    class Doomed:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def encode(*arguments: object) -> object:
        Doomed()
        return encode_pieces(*arguments)  # type: ignore[arg-type]

    lost = []
    monkeypatch.setattr("sys.unraisablehook", lambda raised: lost.append(raised.exc_type))
    monkeypatch.setattr("rnnlm.dataset.building.encode.encode_pieces", encode)
    outcome = rnnlm("preprocess", "a.txt", "--out", "data/a", "--quiet")
    assert lost == [SystemExit]
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (143, "", "")
    assert list(Path("data").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("seed", range(8))
def test_a_signal_at_any_moment(preprocessing, number, seed):
    command = preprocessing(3)
    command.wait_until(command.has_begun)
    time.sleep(random.Random(seed).random() * 2)
    os.killpg(command.process.pid, number)
    command.check_end(*ENDS[number])
