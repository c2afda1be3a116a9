import copy
import itertools
import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.generation.bans import Bans, Phrase
from rnnlm.generation.sampler import SampledIds, Sampler, sample_ids
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writing import WritingSettings
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.network import Network
from tests.networks import make_network


def draw(
    network: Network,
    number: int = 1,
    max_tokens: int = 20,
    stop: Callable[[int, int], int | None] | None = None,
    phrases: Collection[Phrase] = (),
    prompt: Sequence[int] = (1,),
    rngs: list[np.random.Generator] | None = None,
    **writing: Any,
) -> list[SampledIds]:
    rngs = rngs or [np.random.default_rng([5, i]) for i in range(number)]
    bans = Bans(network, (0, 1), phrases)
    return sample_ids(Sampler(network, list(prompt), WritingSettings(**writing), bans, rngs), max_tokens, stop)


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
    hot, network = SamplingSettings(5.0), copy.deepcopy(word_model.network)
    if ends_at_once:
        weights = network.parameters["output.weight"]
        weights[2] += 2 * weights[3]  # which makes an end likely
    together = draw(network, 8, sampling=hot)
    assert len({tuple(sample.ids) for sample in together}) > 1
    assert any(not sample.ids for sample in together) == ends_at_once
    for i, sample in enumerate(together):
        [alone] = draw(network, sampling=hot, rngs=[np.random.default_rng([5, i])])
        assert alone.ids == sample.ids
        assert alone.log_prob == pytest.approx(sample.log_prob, abs=1e-4)


def test_the_log_probability_is_the_models_own_whatever_the_sampling(word_model: LanguageModel):
    samples = draw(word_model.network, 10, sampling=SamplingSettings(0.5, top_k=4), max_tokens=6)
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
    sampling = SamplingSettings(1.5, repetition_penalty=penalty)
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
    [sample] = draw(word_model.network, prompt=[1, 0], sampling=SamplingSettings(repetition_penalty=1e-300))
    assert not {0, 1} & set(sample.ids)


def test_a_high_penalty_leaves_no_repetition_and_counts_for_the_greedy_too(word_model: LanguageModel):
    [sample] = draw(
        word_model.network,
        sampling=SamplingSettings(greedy=True, repetition_penalty=1e6),
        max_tokens=10,
        min_tokens=10,
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


def test_repeated_tokens_are_still_chosen_when_there_are_no_others():
    network = make_network(5, hidden_size=2)
    [sample] = draw(network, sampling=SamplingSettings(repetition_penalty=1e300), min_tokens=9, max_tokens=9)
    assert set(sample.ids) == {3, 4}


def test_a_phrase_never_comes_to_stand(word_model: LanguageModel):
    hot = SamplingSettings(2.0)
    plain = draw(word_model.network, 40, prompt=[1, 5], sampling=hot, max_tokens=12)
    pairs = {pair for sample in plain for pair in itertools.pairwise([5, *sample.ids])}
    triples = {
        triple for sample in plain for triple in zip([5, *sample.ids], sample.ids, sample.ids[1:], strict=False)
    }
    banned = [*sorted(pairs)[::2], *sorted(triples)[1::3]]
    phrases = [[[i] for i in phrase] for phrase in banned]
    drawn = draw(
        word_model.network,
        40,
        prompt=[1, 5],
        sampling=SamplingSettings(2.0),
        max_tokens=12,
        min_tokens=3,
        phrases=phrases,
    )
    for sample in drawn:
        ids = [5, *sample.ids]
        windows = {tuple(ids[i : i + n]) for n in (2, 3) for i in range(len(ids))}
        assert not windows & set(banned)


def test_ids_of_one_token_are_the_same_in_a_phrase():
    network = make_network(6, hidden_size=2)
    phrases = [[[3, 4], [3, 4], [5]], [[5], [5]]]
    for sample in draw(network, 30, phrases=phrases, min_tokens=12, max_tokens=12):
        text = "".join("aab"[i - 3] for i in sample.ids)
        assert "aab" not in text
        assert "bb" not in text


def test_what_would_be_a_dead_end_is_said():
    network = make_network(5, hidden_size=2)
    phrases = [[[3], [3]], [[3], [4]], [[4]]]
    assert {len(sample.ids) for sample in draw(network, 20, phrases=phrases)} == {0, 1}
    advice = "ban less, or lower `min_tokens`"
    with (
        pytest.raises(RnnlmError, match=f"All that could be written is banned; {advice}"),
        np.errstate(all="ignore"),
    ):
        draw(network, phrases=phrases, min_tokens=2)


@pytest.mark.parametrize("min_tokens", [0, 3])
def test_the_probabilities_are_those_of_the_first_step(word_model: LanguageModel, min_tokens: int):
    sampling = SamplingSettings(0.7, top_k=5, repetition_penalty=1.5)
    bans = Bans(word_model.network, (0, 1), [[[6]], [[5], [7]]])
    writing = WritingSettings(sampling, min_tokens=min_tokens)
    prompt = [1, 8, 5]
    number = 4000
    rngs = [np.random.default_rng([5, i]) for i in range(number)]
    [row] = Sampler(word_model.network, prompt, writing, bans, rngs[:1]).probabilities()
    first, _ = Sampler(word_model.network, prompt, writing, bans, rngs).step()
    assert np.bincount(first, minlength=len(row)) / number == pytest.approx(row, abs=0.03)
    assert np.count_nonzero(row) == 5
    assert not row[[0, 1, 6, 7]].any()
