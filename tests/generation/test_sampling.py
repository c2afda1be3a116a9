import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnnlm.errors import RnnlmError
from rnnlm.generation.sampling import SampledIds, Sampler, Sampling, sample_ids
from rnnlm.model import LanguageModel
from rnnlm.nn.network import Network

LOG_PROBS = np.log(np.array([0.05, 0.4, 0.1, 0.25, 0.2]))


def choose(sampling: Sampling, log_probs: np.ndarray, *draws: float) -> np.ndarray:
    """Choose from one distribution by several random numbers."""
    return sampling.choose(np.tile(log_probs, (len(draws), 1)), np.array(draws))


def shares(sampling: Sampling, log_probs: np.ndarray = LOG_PROBS) -> np.ndarray:
    """Return how often each id is chosen as the random number goes evenly from 0 to 1."""
    n = 2000
    chosen = choose(sampling, log_probs, *((i + 0.5) / n for i in range(n)))
    return np.bincount(chosen, minlength=len(log_probs)) / n


def test_ids_are_chosen_as_often_as_they_are_likely():
    assert shares(Sampling()) == pytest.approx(np.exp(LOG_PROBS), abs=1e-3)


def test_draws_follow_the_softmax_in_the_chi_squared_test():
    rng = np.random.default_rng(0)
    draws = 8000
    log_probs = np.random.default_rng(1).normal(0, 1.5, 12)
    expected = draws * np.exp(log_probs) / np.exp(log_probs).sum()
    counts = np.bincount(choose(Sampling(), log_probs, *rng.random(draws)), minlength=12)
    # The 99.9 % point of the distribution with 11 degrees of freedom.
    assert ((counts - expected) ** 2 / expected).sum() < 31.3


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_log_probabilities(temperature: float):
    powers = np.exp(LOG_PROBS) ** (1 / temperature)
    assert shares(Sampling(temperature)) == pytest.approx(powers / powers.sum(), abs=1e-3)


@pytest.mark.parametrize("temperature", [1e-3, 1e-100, 1e-320])
def test_a_tiny_temperature_takes_the_most_likely(temperature: float):
    assert shares(Sampling(temperature))[1] == 1


def test_a_huge_temperature_makes_all_equally_likely():
    assert shares(Sampling(1e9)) == pytest.approx(np.full(5, 0.2), abs=1e-3)


def test_top_k_keeps_the_k_most_likely():
    assert shares(Sampling(top_k=2)) == pytest.approx(np.array([0, 0.4, 0, 0.25, 0]) / 0.65, abs=1e-3)
    assert shares(Sampling(top_k=1))[1] == 1
    assert shares(Sampling(top_k=100)) == pytest.approx(np.exp(LOG_PROBS), abs=1e-3)


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
    assert shares(Sampling(top_p=top_p)) == pytest.approx(expected / expected.sum(), abs=1e-3)


def test_top_p_looks_at_the_probabilities_after_temperature_and_top_k():
    # Squared and made to add up again, the likeliest has 0.16 of 0.2225 among the first two.
    assert shares(Sampling(0.5, top_k=2, top_p=0.7))[1] == 1
    assert shares(Sampling(0.5, top_k=2, top_p=0.73))[3] > 0


@given(
    log_probs=arrays.arrays(np.float32, st.integers(1, 20), elements=st.floats(-50, 0, width=32)),
    top_p=st.floats(1e-6, 1),
    number=st.floats(0, 1, exclude_max=True),
)
def test_the_chosen_is_always_in_the_nucleus(log_probs: np.ndarray, top_p: float, number: float):
    [chosen] = choose(Sampling(top_p=top_p), log_probs, number)
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
    sampling = Sampling(temperature, top_k, top_p, greedy)
    assert set(choose(sampling, log_probs, 0, number, np.nextafter(1, 0))) <= {0, 2, 4}


def test_each_distribution_has_its_own_random_number():
    log_probs = np.log([[0.5, 0.5], [0.5, 0.5], [0.1, 0.9]])
    for sampling in (Sampling(), Sampling(top_k=2), Sampling(top_p=1.0)):
        assert sampling.choose(log_probs, np.array([0.4, 0.6, 0.4])).tolist() == [0, 1, 1]


def test_greedy_takes_the_first_of_the_most_likely():
    assert choose(Sampling(greedy=True), np.log([0.1, 0.45, 0.45]), 0.5) == 1
    assert shares(Sampling(top_k=1), np.log([0.1, 0.45, 0.45]))[1] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0}, "temperature 0: "),
        ({"temperature": -1.0}, "temperature -1.0: "),
        ({"temperature": math.nan}, "temperature nan: "),
        ({"top_k": 0}, "top_k 0: "),
        ({"top_p": 0.0}, "top_p 0.0: "),
        ({"top_p": 1.5}, "top_p 1.5: "),
        ({"top_p": math.nan}, "top_p nan: "),
        ({"repetition_penalty": 0}, "repetition_penalty 0: "),
        ({"repetition_penalty": math.inf}, "repetition_penalty inf: "),
        ({"repetition_penalty": math.nan}, "repetition_penalty nan: "),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], message: str):
    with pytest.raises(RnnlmError, match=message):
        Sampling(**settings)  # type: ignore[arg-type]


def draw(
    network: Network,
    number: int = 1,
    max_tokens: int = 20,
    stop: Callable[[int, int], int | None] | None = None,
    **changes: Any,
) -> list[SampledIds]:
    arguments: dict[str, Any] = {
        "prompt": [1],
        "end_id": 2,
        "forbidden": (0, 1),
        "sampling": Sampling(),
        "rngs": [np.random.default_rng([5, i]) for i in range(number)],
    }
    return sample_ids(Sampler(network, **(arguments | changes)), max_tokens, stop)


def test_forbidden_ids_are_never_drawn_and_the_end_is_not_in_a_sample(word_model: LanguageModel):
    drawn = [index for sample in draw(word_model.network, 50) for index in sample.ids]
    assert len(set(drawn)) > 5
    assert not {0, 1, 2} & set(drawn)


def test_samples_are_cut_at_max_tokens(word_model: LanguageModel):
    samples = draw(word_model.network, 20, max_tokens=3)
    assert max(len(sample.ids) for sample in samples) == 3
    assert draw(word_model.network, max_tokens=0) == [SampledIds([], 0.0)]


@pytest.mark.parametrize("ends_at_once", [False, True])
def test_a_sample_does_not_depend_on_its_neighbours(word_model: LanguageModel, ends_at_once: bool):
    hot = Sampling(5.0)
    end_id = draw(word_model.network, sampling=hot)[0].ids[0] if ends_at_once else 2
    together = draw(word_model.network, 8, sampling=hot, end_id=end_id)
    assert len({tuple(sample.ids) for sample in together}) > 1
    assert any(not sample.ids for sample in together) == ends_at_once
    for i, sample in enumerate(together):
        [alone] = draw(word_model.network, sampling=hot, end_id=end_id, rngs=[np.random.default_rng([5, i])])
        assert alone.ids == sample.ids
        assert alone.log_prob == pytest.approx(sample.log_prob, abs=1e-4)


def test_the_log_probability_is_the_models_own_whatever_the_sampling(word_model: LanguageModel):
    samples = draw(word_model.network, 10, sampling=Sampling(0.5, top_k=4), max_tokens=6)
    lengths = {len(sample.ids) for sample in samples}
    assert 6 in lengths  # cut
    assert min(lengths) < 6  # ended
    for sample in samples:
        ids = [1, *sample.ids, 2][: 6 + 1]
        log_probs = word_model.log_probs(ids[:-1])
        assert sample.log_prob == pytest.approx(log_probs[range(len(ids) - 1), ids[1:]].sum(), abs=1e-4)


@pytest.mark.parametrize("penalty", [0.5, 1.5])
@pytest.mark.parametrize("min_tokens", [0, 4])
def test_penalty_and_least_length_are_those_of_a_plain_loop(
    word_model: LanguageModel, penalty: float, min_tokens: int
):
    sampling = Sampling(1.5, repetition_penalty=penalty)
    prompt = [1, 5, 6]
    drawn = draw(word_model.network, 10, 9, prompt=prompt, sampling=sampling, min_tokens=min_tokens)
    for i, sample in enumerate(drawn):
        draws = np.random.default_rng([5, i]).random(9)
        ids = list(prompt)
        total = 0.0
        for step in range(9):
            log_probs = word_model.log_probs(ids)[-1].astype(float)
            weights = [0.0] * len(log_probs)
            for index, log_prob in enumerate(log_probs):
                if index not in (0, 1) and (index != 2 or step >= min_tokens):
                    repeated = index in ids
                    weights[index] = math.exp((penalty if repeated else 1) * log_prob / 1.5)
            chosen = int(np.searchsorted(np.cumsum(weights), draws[step] * sum(weights), side="right"))
            total += log_probs[chosen]
            if chosen == 2:
                break
            ids.append(chosen)
        assert sample.ids == ids[3:]
        assert sample.log_prob == pytest.approx(total, abs=1e-4)


def test_a_tiny_penalty_lets_nothing_forbidden_through(word_model: LanguageModel):
    [sample] = draw(word_model.network, prompt=[1, 0], sampling=Sampling(repetition_penalty=1e-300))
    assert not {0, 1} & set(sample.ids)


def test_a_high_penalty_leaves_no_repetition_and_counts_for_the_greedy_too(word_model: LanguageModel):
    [sample] = draw(
        word_model.network, sampling=Sampling(greedy=True, repetition_penalty=1e6), max_tokens=10, min_tokens=10
    )
    assert len(set(sample.ids)) == 10


def test_a_stopped_sample_keeps_what_it_is_told_to(word_model: LanguageModel):
    plain = draw(word_model.network, 6, min_tokens=8)
    seen: list[list[int]] = [[] for _ in plain]

    def stop(sample: int, index: int) -> int | None:
        seen[sample].append(index)
        return 3 if sample % 2 and len(seen[sample]) == 5 else None

    stopped = draw(word_model.network, 6, min_tokens=8, stop=stop)
    for i, (sample, whole) in enumerate(zip(stopped, plain, strict=True)):
        assert sample.ids == (whole.ids[:3] if i % 2 else whole.ids)
        assert seen[i] == (whole.ids[:5] if i % 2 else whole.ids)
        ids = [1, *sample.ids]
        expected = word_model.log_probs(ids)[range(3), ids[1:4]].sum() if i % 2 else whole.log_prob
        assert sample.log_prob == pytest.approx(expected, abs=1e-4)
