import gc
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnlm.dataset.building.workers import map_in_order
from rnnlm.errors import RnnlmError


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


def repeat(number: int) -> bytes:
    time.sleep(0.01 * (number % 3))  # so that the later may be done before the earlier
    return bytes([number]) * number * 100_000


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("items", [0, 1, 2, 10])
def test_it_does_what_map_does(workers, items):
    assert list(map_in_order(repeat, range(items), workers)) == list(map(repeat, range(items)))


def test_items_are_read_one_ahead_of_the_workers():
    read = []

    def numbers() -> Iterator[int]:
        for number in range(9):
            read.append(number)
            yield number

    results = map_in_order(repeat, numbers(), 2)
    for done in range(6):
        next(results)
        assert len(read) == done + 3
    results.close()


def end(number: int) -> None:
    os._exit(1)


@pytest.mark.parametrize("items", [1, 9])
def test_a_dead_worker_is_reported(items):
    with pytest.raises(RnnlmError, match="use fewer `workers`"):
        list(map_in_order(end, range(items), 2))


def test_a_worker_that_is_dead_before_its_next_item_is_reported():
    results = map_in_order(repeat, range(9), 2)
    next(results)
    for worker in multiprocessing.active_children():
        worker.kill()
        worker.join()
    with pytest.raises(RnnlmError, match="use fewer `workers`"):
        list(results)


def test_a_reported_death_keeps_nothing_that_was_being_sent(monkeypatch):
    ignored: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    results = map_in_order(repeat, range(9), 2)
    next(results)
    time.sleep(0.3)  # both have written their results, and wait
    for worker in multiprocessing.active_children():
        worker.kill()
        worker.join()
    with pytest.raises(RnnlmError) as caught:
        list(results)
    assert caught.value.__context__ is None
    caught.value.itself = caught.value  # type: ignore[attr-defined]  # so that it is left to the collector
    del caught, results
    gc.collect()
    assert ignored == []


def say_and_repeat(directory: Path) -> bytes:
    (directory / str(os.getpid())).touch()
    return bytes(10_000_000)


def test_a_worker_that_is_killed_in_the_middle_of_a_result_is_reported(tmp_path):
    results = map_in_order(say_and_repeat, [tmp_path] * 9, 2)
    next(results)
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    time.sleep(0.1)  # both are writing more than a pipe holds
    for worker in multiprocessing.active_children():
        worker.kill()
    with pytest.raises(RnnlmError, match="use fewer `workers`"):
        list(results)


def refuse(number: int) -> None:
    raise OSError(f"item {number}")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_function_is_raised(workers):
    with pytest.raises(OSError, match="item 0"):
        list(map_in_order(refuse, range(9), workers))


def test_at_least_one_worker():
    with pytest.raises(RnnlmError, match="`workers` 0: give a whole number from 1"):
        list(map_in_order(refuse, range(9), 0))


def run_out_of_memory(number: int) -> None:
    raise MemoryError


def test_a_worker_without_memory_ends_in_silence(capfd):
    with pytest.raises(RnnlmError, match="perhaps for want of memory"):
        list(map_in_order(run_out_of_memory, range(9), 2))
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_items_ends_the_workers():
    def numbers() -> Iterator[int]:
        yield from range(3)
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        list(map_in_order(repeat, numbers(), 2))
