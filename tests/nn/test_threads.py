import time

import pytest

from rnnlm.nn import threads


@pytest.fixture(params=[0, 1, 2, 3])
def number(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(threads, "_number", request.param)
    return request.param


@pytest.mark.parametrize("size", [0, 1, 2, 7])
def test_every_part_is_computed_once(number: int, size: int) -> None:
    computed: list[int] = []
    threads.shared_out(lambda first, last: computed.extend(range(first, last)), size)
    assert sorted(computed) == list(range(size))


def test_two_functions_give_their_results_in_order(number: int) -> None:
    assert threads.side_by_side(lambda: time.sleep(0.01) or 1, lambda: 2) == (1, 2)


def test_within_a_share_nothing_is_shared_again(number: int) -> None:
    # Else every thread could wait for one that is not free.
    computed: list[int] = []

    def share() -> None:
        threads.shared_out(lambda first, last: computed.append(last - first), 8)
        threads.side_by_side(lambda: computed.append(1), lambda: computed.append(2))

    for _ in range(20):
        threads.side_by_side(share, share)
    assert sorted(computed) == sorted(40 * [1, 2, 8])


def test_an_error_in_any_share_is_raised_when_all_have_ended(number: int) -> None:
    ended: list[int] = []

    def compute(first: int, last: int) -> None:
        if last == 6:
            raise ValueError("the last share")
        time.sleep(0.01)
        ended.append(first)

    with pytest.raises(ValueError, match="the last share"):
        threads.shared_out(compute, 6)
    assert len(ended) == max(1, number) - 1
