from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnnlm.dataset.batches
from rnnlm.dataset.batches import SentenceBatches, StreamBatches
from rnnlm.dataset.store import Split
from rnnlm.nn.batch import Batch
from rnnlm.text.vocabulary import Vocabulary

START, END = Vocabulary.start_id, Vocabulary.end_id


def make_split(lengths: list[int]) -> Split:
    """Make sentences of the given lengths whose words, from 3 on, are all different."""
    ids: list[int] = []
    offsets = [0]
    word = 3
    for length in lengths:
        ids += [START, *range(word, word + length), END]
        word += length
        offsets.append(len(ids))
    return Split("train", np.array(ids, np.uint32), np.array(offsets, np.uint64), 0, 0)


def expected_predictions(split: Split) -> Counter[tuple[int, int]]:
    return Counter((int(a), int(b)) for a, b in zip(split.ids[:-1], split.ids[1:], strict=True) if a != END)


def predictions(batches: list[Batch]) -> Counter[tuple[int, int]]:
    return Counter(
        (int(a), int(b))
        for batch in batches
        for a, b in zip(batch.inputs[batch.mask], batch.targets[batch.mask], strict=True)
    )


LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 7), st.integers(0, 3), st.integers(1, 6))
def test_sentence_batches_predict_every_token_once(
    lengths: list[int], batch_size: int, epoch: int, longest: int
) -> None:
    split = make_split(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rnnlm.dataset.batches, "LONGEST_WINDOW", longest)
        patch.setattr(rnnlm.dataset.batches, "BLOCK_SIZE", 4)
        patch.setattr(rnnlm.dataset.batches, "BLOCKS_IN_POOL", 3)
        batches = list(SentenceBatches(split, batch_size).epoch(epoch))
    assert predictions(batches) == expected_predictions(split)
    assert sum(batch.num_tokens for batch in batches) == split.num_tokens
    assert max(len(batch.inputs) for batch in batches) <= longest


@given(LENGTHS, st.integers(1, 7), st.integers(1, 9))
def test_stream_batches_predict_every_token_once(lengths: list[int], batch_size: int, steps: int) -> None:
    split = make_split(lengths)
    batches = list(StreamBatches(split, batch_size, steps).epoch(0))
    assert predictions(batches) == expected_predictions(split)
    assert all(batch.inputs.shape[1] == batch_size for batch in batches)
    assert [batch.continues for batch in batches] == [False] + [True] * (len(batches) - 1)


@given(LENGTHS, st.integers(1, 5), st.integers(1, 6))
def test_the_columns_of_a_stream_are_the_text_in_order(lengths: list[int], batch_size: int, steps: int) -> None:
    split = make_split(lengths)
    batches = list(StreamBatches(split, batch_size, steps).epoch(0))
    targets = [
        int(target)
        for b in range(batch_size)
        for batch in batches
        for target in batch.targets[batch.mask[:, b], b]
    ]
    assert targets == [int(i) for i in split.ids if i != START]


@given(LENGTHS, st.integers(1, 4), st.integers(1, 5), st.integers(0, 30), st.sampled_from(["sentences", "stream"]))
def test_an_epoch_can_begin_at_any_batch(
    lengths: list[int], batch_size: int, steps: int, first: int, batching: str
) -> None:
    split = make_split(lengths)
    batches: SentenceBatches | StreamBatches = (
        SentenceBatches(split, batch_size, seed=1)
        if batching == "sentences"
        else StreamBatches(split, batch_size, steps)
    )
    whole, rest = list(batches.epoch(2))[first:], list(batches.epoch(2, first=first))
    assert len(whole) == len(rest)
    for a, b in zip(whole, rest, strict=True):
        np.testing.assert_array_equal(a.mask, b.mask)
        np.testing.assert_array_equal(a.inputs[a.mask], b.inputs[b.mask])
        np.testing.assert_array_equal(a.targets[a.mask], b.targets[b.mask])
        assert a.continues == b.continues


def test_sentences_come_in_another_order_every_epoch_and_for_every_seed() -> None:
    split = make_split([3] * 50)

    def order(seed: int, epoch: int) -> list[int]:
        return [int(batch.targets[0, 0]) for batch in SentenceBatches(split, 1, seed).epoch(epoch)]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)
    assert sorted(order(0, 0)) == sorted(order(1, 1))


def test_sentences_of_like_length_are_batched_together() -> None:
    rng = np.random.default_rng(0)
    split = make_split([int(n) for n in rng.integers(1, 40, 400)])
    batches = list(SentenceBatches(split, 10).epoch(0))
    positions = sum(batch.mask.size for batch in batches)
    assert split.num_tokens / positions > 0.95


def test_a_long_sentence_continues_in_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rnnlm.dataset.batches, "LONGEST_WINDOW", 4)
    batches = list(SentenceBatches(make_split([9]), 1).epoch(0))
    assert [batch.continues for batch in batches] == [False, True, True]
    assert [len(batch.inputs) for batch in batches] == [4, 4, 2]
