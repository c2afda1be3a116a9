import itertools

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.generation import beam_search as beam_search_module
from rnnlm.generation.bans import Bans
from rnnlm.generation.beam_search import beam_search
from rnnlm.generation.sampler import SampledIds, Sampler, sample_ids
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writing import WritingSettings
from rnnlm.nn.network import Network
from tests.networks import make_network

END, WORDS, LENGTH = 2, (3, 4, 5), 4


@pytest.fixture(scope="module")
def network() -> Network:
    network = make_network(6, cell="lstm", embedding_size=4, hidden_size=5, bias=True, dtype="float64")
    for value in network.parameters.values():
        value *= 4  # so that the continuations differ
    return network


def search(network: Network, width: int, min_tokens: int = 0, max_tokens: int = LENGTH) -> list[SampledIds]:
    return beam_search(
        network,
        [1, 3],
        width,
        bans=Bans(network, (0, 1)),
        max_tokens=max_tokens,
        min_tokens=min_tokens,
    )


def every_continuation(
    network: Network, min_tokens: int, max_tokens: int = LENGTH
) -> list[tuple[float, list[int]]]:
    """List all continuations, the most likely first."""
    found = []
    for length in range(min_tokens, max_tokens + 1):
        for words in itertools.product(WORDS, repeat=length):
            ids = np.array([1, 3, *words, *([END] if length < max_tokens else [])])
            log_probs, _ = network.log_probs(ids[:-1, None], network.initial_state(1))
            found.append((float(log_probs[range(1, len(ids) - 1), 0, ids[2:]].sum()), list(words)))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("min_tokens", [0, 2])
def test_a_beam_as_wide_as_all_continuations_finds_them_all_in_order(network: Network, min_tokens: int):
    expected = every_continuation(network, min_tokens)
    found = search(network, 200, min_tokens)
    assert [hypothesis.ids for hypothesis in found] == [ids for _, ids in expected]
    assert [hypothesis.log_prob for hypothesis in found] == pytest.approx([total for total, _ in expected])


def test_a_narrow_beam_keeps_the_best_of_each_step(network: Network):
    log_probs = {tuple(ids): total for total, ids in every_continuation(network, 0)}
    for width in (2, 3, 5):
        found = search(network, width)
        totals = [hypothesis.log_prob for hypothesis in found]
        assert len(found) == width
        assert totals == sorted(totals, reverse=True)
        assert totals == pytest.approx([log_probs[tuple(hypothesis.ids)] for hypothesis in found])


@pytest.mark.parametrize("seed", [6, 31, 43, 49])
def test_hypotheses_that_have_ended_take_no_place(seed: int):
    """With places for these, the third best was up to 11 nats worse."""
    network = make_network(6, cell="lstm", embedding_size=4, hidden_size=5, bias=True, dtype="float64", seed=seed)
    for value in network.parameters.values():
        value *= 4
    found = search(network, 3, max_tokens=6)
    expected = every_continuation(network, 0, max_tokens=6)[:3]
    assert [hypothesis.ids for hypothesis in found] == [ids for _, ids in expected]
    assert [hypothesis.log_prob for hypothesis in found] == pytest.approx([total for total, _ in expected])


def test_the_search_is_over_when_nothing_better_can_come(network: Network, monkeypatch: pytest.MonkeyPatch):
    steps = []
    monkeypatch.setattr(beam_search_module, "refuse_overflow", steps.append)
    network.parameters["output.bias"][END] += 20
    found = search(network, 2, max_tokens=1000)
    assert [len(hypothesis.ids) for hypothesis in found] == [0, 1]
    assert len(steps) == 2


def test_phrases_are_left_out(network: Network):
    phrases = [[[4]], [[3], [5]], [[5], [3], [3]]]
    expected = [
        ids
        for _, ids in every_continuation(network, 0)
        if not any(part in "3" + "".join(map(str, ids)) for part in ("4", "35", "533"))
    ]
    bans = Bans(network, (0, 1), phrases)
    assert [
        hypothesis.ids for hypothesis in beam_search(network, [1, 3], 200, bans=bans, max_tokens=LENGTH)
    ] == expected
    bans = Bans(network, (0, 1), [*phrases, [[3], [3]]])
    with pytest.raises(RnnlmError, match="All that could be written is banned"):
        beam_search(network, [1, 3], 200, bans=bans, min_tokens=2, max_tokens=LENGTH)


def test_a_beam_of_one_finds_what_is_at_least_as_likely_as_greedy(network: Network):
    rngs = [np.random.default_rng()]
    writing = WritingSettings(SamplingSettings(greedy=True))
    [greedy] = sample_ids(Sampler(network, [1, 3], writing, Bans(network, (0, 1)), rngs), LENGTH)
    [found] = search(network, 1)
    assert found.log_prob >= greedy.log_prob - 1e-12


def test_limits(network: Network):
    assert search(network, 3, max_tokens=0) == [SampledIds([], 0.0)]
    assert len(search(network, 50, max_tokens=1)) == 4
    with pytest.raises(RnnlmError, match="width 0: give a whole number from 1"):
        search(network, 0)
