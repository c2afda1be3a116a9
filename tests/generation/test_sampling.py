import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnnlm.errors import RnnlmError
from rnnlm.generation.sampling import SamplingSettings

LOG_PROBS = np.log(np.array([0.05, 0.4, 0.1, 0.25, 0.2]))


def choose(sampling: SamplingSettings, log_probs: np.ndarray, *draws: float) -> np.ndarray:
    """Choose from one distribution by several random numbers."""
    return sampling.choose(np.tile(log_probs, (len(draws), 1)), np.array(draws))


def shares(sampling: SamplingSettings, log_probs: np.ndarray = LOG_PROBS) -> np.ndarray:
    """Return how often each id is chosen as the random number goes evenly from 0 to 1."""
    n = 2000
    chosen = choose(sampling, log_probs, *((i + 0.5) / n for i in range(n)))
    return np.bincount(chosen, minlength=len(log_probs)) / n


def test_ids_are_chosen_as_often_as_they_are_likely():
    assert shares(SamplingSettings()) == pytest.approx(np.exp(LOG_PROBS), abs=1e-3)


def test_draws_follow_the_softmax_in_the_chi_squared_test():
    rng = np.random.default_rng(0)
    draws = 8000
    log_probs = np.random.default_rng(1).normal(0, 1.5, 12)
    expected = draws * np.exp(log_probs) / np.exp(log_probs).sum()
    counts = np.bincount(choose(SamplingSettings(), log_probs, *rng.random(draws)), minlength=12)
    # The 99.9 % point of the distribution with 11 degrees of freedom.
    assert ((counts - expected) ** 2 / expected).sum() < 31.3


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_log_probabilities(temperature: float):
    powers = np.exp(LOG_PROBS) ** (1 / temperature)
    assert shares(SamplingSettings(temperature)) == pytest.approx(powers / powers.sum(), abs=1e-3)


@pytest.mark.parametrize("temperature", [1e-3, 1e-100, 1e-320])
def test_a_tiny_temperature_takes_the_most_likely(temperature: float):
    assert shares(SamplingSettings(temperature))[1] == 1


@pytest.mark.parametrize("temperature", [0, 0.0, -0.0])
def test_the_temperature_0_is_greedy(temperature: float):
    assert SamplingSettings(temperature).takes_likeliest
    assert shares(SamplingSettings(temperature, top_k=3, top_p=0.9))[1] == 1


def test_a_huge_temperature_makes_all_equally_likely():
    assert shares(SamplingSettings(1e9)) == pytest.approx(np.full(5, 0.2), abs=1e-3)


def test_top_k_keeps_the_k_most_likely():
    assert shares(SamplingSettings(top_k=2)) == pytest.approx(np.array([0, 0.4, 0, 0.25, 0]) / 0.65, abs=1e-3)
    assert shares(SamplingSettings(top_k=1))[1] == 1
    assert shares(SamplingSettings(top_k=100)) == pytest.approx(np.exp(LOG_PROBS), abs=1e-3)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [
        (0.01, [1]),
        (0.39, [1]),
        (0.41, [1, 3]),
        (0.64, [1, 3]),
        (0.66, [1, 3, 4]),
        (0.96, [0, 1, 2, 3, 4]),
        (1, range(5)),
    ],
)
def test_top_p_keeps_the_fewest_that_add_up_to_p(top_p: float, kept: list[int]):
    expected = np.zeros(5)
    expected[list(kept)] = np.exp(LOG_PROBS)[list(kept)]
    assert shares(SamplingSettings(top_p=top_p)) == pytest.approx(expected / expected.sum(), abs=1e-3)


def test_top_p_looks_at_the_probabilities_after_temperature_and_top_k():
    # Squared and made to add up again, the likeliest has 0.16 of 0.2225 among the first two.
    assert shares(SamplingSettings(0.5, top_k=2, top_p=0.7))[1] == 1
    assert shares(SamplingSettings(0.5, top_k=2, top_p=0.73))[3] > 0


@given(
    log_probs=arrays.arrays(np.float32, st.integers(1, 20), elements=st.floats(-50, 0, width=32)),
    top_p=st.floats(1e-6, 1),
    number=st.floats(0, 1, exclude_max=True),
)
def test_the_chosen_is_always_in_the_nucleus(log_probs: np.ndarray, top_p: float, number: float):
    [chosen] = choose(SamplingSettings(top_p=top_p), log_probs, number)
    probabilities = np.exp(log_probs.astype(np.float64))
    more_likely = probabilities[log_probs > log_probs[chosen]].sum() / probabilities.sum()
    assert more_likely <= top_p + 1e-12


@given(
    number=st.floats(0, 1, exclude_max=True),
    temperature=st.sampled_from([1e-6, 1.0, 1e6, math.inf]),
    top_k=st.none() | st.integers(1, 4),
    top_p=st.none() | st.floats(1e-9, 1),
    greedy=st.booleans(),
)
def test_what_is_ruled_out_is_never_chosen(
    number: float, temperature: float, top_k: int | None, top_p: float | None, greedy: bool
):
    log_probs = LOG_PROBS.copy()
    log_probs[[1, 3]] = -np.inf
    sampling = SamplingSettings(temperature, top_k, top_p, greedy)
    assert set(choose(sampling, log_probs, 0, number, np.nextafter(1, 0))) <= {0, 2, 4}


@given(
    scores=st.lists(st.floats(-5, 0), min_size=1, max_size=8),
    ruled_out=st.integers(0, 7),
    temperature=st.sampled_from([0, 0.3, 1.0, 4.0]),
    top_k=st.none() | st.integers(1, 9),
    top_p=st.none() | st.floats(0.05, 1),
    greedy=st.booleans(),
)
def test_the_probabilities_are_those_of_the_choice(
    scores: list[float], ruled_out: int, temperature: float, top_k: int | None, top_p: float | None, greedy: bool
):
    log_probs = np.array([*scores, -1.0])
    log_probs[ruled_out % len(scores)] = -np.inf
    sampling = SamplingSettings(temperature, top_k, top_p, greedy)
    [probabilities] = sampling.probabilities(log_probs[None])
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities == pytest.approx(shares(sampling, log_probs), abs=2e-3)


def test_each_distribution_has_its_own_random_number():
    log_probs = np.log([[0.5, 0.5], [0.5, 0.5], [0.1, 0.9]])
    for sampling in (SamplingSettings(), SamplingSettings(top_k=2), SamplingSettings(top_p=1.0)):
        assert sampling.choose(log_probs, np.array([0.4, 0.6, 0.4])).tolist() == [0, 1, 1]


def test_greedy_takes_the_first_of_the_most_likely():
    assert choose(SamplingSettings(greedy=True), np.log([0.1, 0.45, 0.45]), 0.5) == 1
    assert shares(SamplingSettings(top_k=1), np.log([0.1, 0.45, 0.45]))[1] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -1.0}, "`temperature` -1.0: give a number from 0."),
        ({"temperature": math.nan}, "`temperature` nan: "),
        ({"top_k": 0}, "`top_k` 0: "),
        ({"top_p": 0.0}, "`top_p` 0.0: "),
        ({"top_p": 1.5}, "`top_p` 1.5: "),
        ({"top_p": math.nan}, "`top_p` nan: "),
        ({"repetition_penalty": 0}, "`repetition_penalty` 0: "),
        ({"repetition_penalty": math.inf}, "`repetition_penalty` inf: "),
        ({"repetition_penalty": math.nan}, "`repetition_penalty` nan: "),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], message: str):
    with pytest.raises(RnnlmError, match=message):
        SamplingSettings(**settings)  # type: ignore[arg-type]
