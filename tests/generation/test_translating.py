"""Beam search over targets, against all of them and against one source at a time."""

import itertools

import numpy as np
import pytest

from rnnlm.generation import translating
from rnnlm.generation.sampler import OverflowedError, SampledIds
from rnnlm.generation.translating import translate
from rnnlm.nn.batch import Pairs
from rnnlm.nn.encoder_decoder import EncoderDecoder
from tests.networks import make_translation_network

UNKNOWN, START, END, WORDS = 0, 1, 2, (3, 4)
FORBIDDEN = (UNKNOWN, START)
SOURCES = [[3, 5, 2], [2], [4, 4, 5, 3, 6, 2], [6, 2], [7, 3, 2]]
NETWORKS: dict[str, dict[str, object]] = {
    "plain": {"num_layers": 2, "reverse_source": True},
    "attention": {"attention": "additive", "bidirectional": True},
}


def make(name: str, target_size: int = 5, seed: int = 0) -> EncoderDecoder:
    network = make_translation_network(
        8,
        target_size,
        seed=seed,
        **{"cell": "lstm", "embedding_size": 4, "hidden_size": 5, "bias": True, **NETWORKS[name]},  # type: ignore[arg-type]
    )
    for value in network.parameters.values():
        value *= 4  # so that the targets differ
    return network


def search(
    network: EncoderDecoder, sources: list[list[int]], width: int, forbidden: tuple[int, ...] = FORBIDDEN
) -> list[SampledIds]:
    return translate(network, sources, width, start_id=START, forbidden=forbidden)


def totals(network: EncoderDecoder, source: list[int], targets: list[list[int]]) -> np.ndarray:
    """Return the log-probability of each of some targets of one length, all of whose tokens count."""
    ids = np.array(targets).T
    N = ids.shape[1]
    read = np.vstack([np.full((1, N), START), ids[:-1]])
    pairs = Pairs(read, np.repeat(np.array(source)[:, None], N, axis=1), np.full(N, len(source)))
    log_probs, _ = network.log_probs(pairs, network.initial_state(N))
    sums: np.ndarray = np.take_along_axis(log_probs, ids[..., None], axis=2).sum(axis=(0, 2))
    return sums


def limit(source: list[int]) -> int:
    return 2 * len(source) + 10


def every_target(network: EncoderDecoder, source: list[int]) -> dict[tuple[int, ...], float]:
    """Return the log-probability of every target that may end in time."""
    found = {}
    for length in range(limit(source)):
        targets = list(itertools.product(WORDS, repeat=length))
        of_length = totals(network, source, [[*words, END] for words in targets])
        found |= dict(zip(targets, of_length.tolist(), strict=True))
    return found


def a_token(found: tuple[tuple[int, ...], float]) -> float:
    words, total = found
    return total / (len(words) + 1)


@pytest.mark.parametrize("group", [1, 7, translating.GROUP])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NETWORKS)
def test_a_beam_as_wide_as_all_targets_finds_the_best_a_token(
    name: str, seed: int, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translating, "GROUP", group)
    network, source = make(name, seed=seed), [5]
    words, total = max(every_target(network, source).items(), key=a_token)
    [found] = search(network, [source], 5000)
    assert tuple(found.ids) == words
    assert found.log_prob == pytest.approx(total)


def test_a_long_target_is_not_worse_for_its_length() -> None:
    network, source = make("plain", seed=0), [5]
    targets = every_target(network, source)
    most_likely = max(targets, key=targets.__getitem__)
    [found] = search(network, [source], 5000)
    assert len(found.ids) > len(most_likely)
    assert found.log_prob < targets[most_likely]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("width", [2, 3, 5])
def test_what_a_narrow_beam_finds_is_as_likely_as_it_says(name: str, width: int) -> None:
    network = make(name, 9)
    for source, found in zip(SOURCES, search(network, SOURCES, width), strict=True):
        end = [END] if len(found.ids) < limit(source) else []
        assert found.log_prob == pytest.approx(totals(network, source, [[*found.ids, *end]])[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_a_beam_of_one_takes_the_most_likely_token_at_every_step(name: str) -> None:
    network = make(name, 9)
    for source, found in zip(SOURCES, search(network, SOURCES, 1), strict=True):
        ids: list[int] = []
        while len(ids) < limit(source) and ids[-1:] != [END]:
            log_probs = {i: totals(network, source, [[*ids, i]])[0] for i in range(9) if i not in FORBIDDEN}
            ids.append(max(log_probs, key=log_probs.__getitem__))
        assert [*found.ids, *([END] if ids[-1] == END else [])] == ids


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("name", NETWORKS)
def test_sources_side_by_side_are_translated_as_one_by_one(name: str, width: int) -> None:
    network = make(name, 9)
    together = search(network, SOURCES, width)
    assert len({len(found.ids) for found in together}) > 1
    for source, found in zip(SOURCES, together, strict=True):
        [alone] = search(network, [source], width)
        assert found.ids == alone.ids
        assert found.log_prob == pytest.approx(alone.log_prob)


def test_what_is_forbidden_is_never_written() -> None:
    network = make("attention", 9)
    freely = {i for found in search(network, SOURCES, 3, ()) for i in found.ids}
    forbidden = (*FORBIDDEN, *itertools.islice(freely - set(FORBIDDEN), 2))
    found = search(network, SOURCES, 3, forbidden)
    assert freely & set(forbidden)
    assert not {i for each in found for i in each.ids} & set(forbidden)
    assert all(np.isfinite(each.log_prob) for each in found)


def test_no_word_may_be_left() -> None:
    network = make("plain", 5)
    for found in search(network, SOURCES, 3, (*FORBIDDEN, *WORDS)):
        assert found.ids == []
        assert np.isfinite(found.log_prob)


@pytest.mark.parametrize("width", [1, 3])
def test_a_network_that_never_ends_is_cut(width: int) -> None:
    network = make("attention", 9)
    network.parameters["decoder.output.bias"][END] -= 1000
    for source, found in zip(SOURCES, search(network, SOURCES, width), strict=True):
        assert len(found.ids) == limit(source)
        assert END not in found.ids
        assert found.log_prob == pytest.approx(totals(network, source, [found.ids])[0])


@pytest.mark.parametrize(("width", "steps"), [(1, 1), (3, 2)])
def test_a_search_is_over_when_as_many_have_ended_as_the_beam_is_wide(
    width: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[np.ndarray] = []
    monkeypatch.setattr(translating, "refuse_overflow", taken.append)
    network = make("plain", 9)
    network.parameters["decoder.output.bias"][END] += 100
    assert [found.ids for found in search(network, SOURCES, width)] == [[]] * len(SOURCES)
    assert len(taken) == steps


def test_an_overflow_is_an_error() -> None:
    network = make("plain")
    network.parameters["decoder.output.weight"][...] = np.inf
    with np.errstate(all="ignore"), pytest.raises(OverflowedError):
        search(network, SOURCES, 2)


@pytest.mark.parametrize("number", [1, 3, 10])
@pytest.mark.parametrize("size", [20, 640, 1000])
def test_the_largest_numbers_are_found_by_the_maxima_of_groups(size: int, number: int) -> None:
    values = np.random.default_rng(0).normal(size=(7, size))
    values[3, 2:] = -np.inf
    found = np.take_along_axis(values, translating._largest(values, number), axis=1)
    np.testing.assert_array_equal(found, -np.sort(-values, axis=1)[:, :number])
