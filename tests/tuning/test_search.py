import sys
from collections.abc import Sequence

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.tuning.record import Trial
from rnnlm.tuning.search import RANKED_TRIALS, Search, again, best
from rnnlm.tuning.space import Value, Values

SPACE: dict[str, list[Value]] = {"a": list(range(-8, 9)), "b": [0.1, 0.2, 0.4, 0.8]}
START: Values = {"a": 0, "b": 0.2}


def trial(number: int, values: Values, loss: float, *, seed: int = 0, state: str = "complete") -> Trial:
    evaluations = [{"share": 0.25, "loss": loss + 1}, {"share": 1.0, "loss": loss}]
    return Trial(number, values, seed, state, evaluations[: 1 if state == "pruned" else 2], 10, 1.0)


def searched(trials: int, seed: int = 0) -> list[Trial]:
    """Look for the least of a function, with the loss that a trial would have."""
    found: list[Trial] = []
    for number in range(trials):
        values = Search(SPACE, START, found, trials, seed).values
        found.append(trial(number, values, (values["a"] - 5) ** 2 + values["b"]))
    return found


def test_the_configuration_itself_is_tried_first_and_a_good_one_is_found() -> None:
    pytest.importorskip("optuna")
    found = searched(40)
    assert found[0].values == START
    assert best(found)[0].score < 4.5  # 16 to 169 and more are what one drawn at random has
    later = [each.score for each in found[20:]]
    assert sum(later) / len(later) < sum(each.score for each in found[:20]) / 20
    assert all(each.values[key] in SPACE[key] for each in found for key in SPACE)


def test_a_search_that_goes_on_proposes_what_it_would_have() -> None:
    pytest.importorskip("optuna")
    found = searched(12)
    assert searched(12) == found
    assert searched(12, seed=1) != found
    assert Search(SPACE, START, found[:7], 12, 0).values == found[7].values


@pytest.mark.parametrize("state", ["pruned", "diverged"])
def test_trials_that_were_not_completed_are_learned_from(state: str) -> None:
    pytest.importorskip("optuna")
    found = [trial(k, {"a": k - 4, "b": 0.2}, float(k % 5), state=state) for k in range(8)]
    assert set(Search(SPACE, START, found, 12, 0).values) == set(SPACE)


def test_large_seeds_and_large_errors_do_no_harm() -> None:
    pytest.importorskip("optuna")
    assert set(Search(SPACE, START, [], 12, 2**62).values) == set(SPACE)
    found: list[Trial] = []
    for number in range(30):
        values = Search(SPACE, START, found, 30, 1).values
        state = "diverged" if values["a"] < 0 else "complete"
        found.append(trial(number, values, 1e12 * (1 + (values["a"] - 5) ** 2), state=state))
    assert sum(each.state == "diverged" for each in found[15:]) < 5


def test_a_trial_worse_than_the_median_is_hopeless() -> None:
    pytest.importorskip("optuna")
    before = [trial(k, {"a": k, "b": 0.2}, float(k)) for k in range(RANKED_TRIALS)]

    def is_hopeless(loss: float, before: Sequence[Trial]) -> bool:
        return Search(SPACE, START, before, 12, 0).is_hopeless({"share": 0.25, "loss": loss})

    assert is_hopeless(2.6, before)
    assert not is_hopeless(2.4, before)
    assert not is_hopeless(2.6, before[1:])
    of_task = [
        Trial(
            k,
            {"a": k, "b": 0.2},
            0,
            "complete",
            [{"share": s, "loss": 0.0, "accuracy": k / 4} for s in (0.25, 1.0)],
            1,
            1.0,
        )
        for k in range(RANKED_TRIALS)
    ]
    search = Search(SPACE, START, of_task, 12, 0)
    assert search.is_hopeless({"share": 0.25, "loss": 0.0, "accuracy": 0.3})
    search = Search(SPACE, START, of_task, 12, 0)
    assert not search.is_hopeless({"share": 0.25, "loss": 0.0, "accuracy": 0.5})


def test_the_best_are_tried_again_in_turn() -> None:
    before = [trial(k, {"a": a}, float(loss)) for k, (a, loss) in enumerate([(1, 3), (2, 1), (3, 2)])]
    assert again(before, 3) == {"a": 2}
    before.append(trial(3, {"a": 2}, 5.0, seed=1))
    assert again(before, 3) == {"a": 3}
    lost = [
        trial(0, {"a": 1}, 0.0, state="pruned"),
        trial(1, {"a": 2}, 9.0),
        trial(2, {"a": 3}, 0.0, state="diverged"),
    ]
    assert again([*lost, trial(3, {"a": 2}, 9.0, seed=1)], 3) == {"a": 2}


def test_what_was_repeated_is_chosen_by_its_mean() -> None:
    before = [trial(k, {"a": a}, float(loss)) for k, (a, loss) in enumerate([(1, 3), (2, 1), (3, 2)])]
    assert best(before) == [before[1]]
    lucky, other = trial(3, {"a": 2}, 5.0, seed=1), trial(4, {"a": 3}, 2.5, seed=1)
    assert best([*before, lucky, other]) == [before[2], other]
    assert best([*before, trial(3, {"a": 2}, 0.5, seed=1, state="diverged")]) == [before[2]]
    with pytest.raises(
        RnnlmError, match=r"No trial was completed; choose another `out`, and a lower optimizer\.learning_rate"
    ):
        best([trial(0, {"a": 1}, 1.0, state="diverged")])


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RnnlmError, match=r"Tuning needs optuna; run: pip install optuna\."):
        Search(SPACE, START, [], 3, 0)
