from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnnlm.dataset.batches
from rnnlm.dataset.batches import LabelledBatches, PairBatches, SentenceBatches, StreamBatches, TaggedBatches
from rnnlm.dataset.spelling import Spellings
from rnnlm.dataset.store import Split
from rnnlm.nn.batch import Batch, Pairs
from rnnlm.nn.spelling import SpelledWords
from rnnlm.text.characters import Characters
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


FIRST_LABEL = 1000


def make_labelled(lengths: list[int], labels: list[int | None]) -> Split:
    """Make texts that begin with the id of their label, or with START where they have none."""
    split = make_split(lengths)
    starts = split.offsets[:-1].astype(int)
    split.ids[starts] = [START if label is None else FIRST_LABEL + label for label in labels]
    return split


@given(LENGTHS, st.data(), st.integers(1, 7), st.integers(0, 3))
def test_labelled_batches_give_each_text_with_its_label_once(
    lengths: list[int], data: st.DataObject, batch_size: int, epoch: int
) -> None:
    labels = data.draw(st.lists(st.sampled_from([None, 0, 1]), min_size=len(lengths), max_size=len(lengths)))
    split, found = make_labelled(lengths, labels), Counter[tuple[tuple[int, ...], int | None]]()
    batches = LabelledBatches(split, batch_size, first_label_id=FIRST_LABEL)
    for batch in batches.epoch(epoch):
        assert batch.lengths is not None
        assert batch.targets.shape == batch.mask.shape == (1, len(batch.lengths))
        assert len(batch.inputs) == max(batch.lengths)
        assert not batch.continues
        for column, length in enumerate(batch.lengths):
            label = int(batch.targets[0, column]) if batch.mask[0, column] else None
            found[tuple(batch.inputs[:length, column].tolist()), label] += 1
    expected = [
        (tuple(split.sentence(i)[1:].tolist()), label) for i, label in enumerate(labels)
    ]  # the end is read, the start is not
    assert found == Counter(expected)
    assert batches.num_tokens == split.num_tokens


def test_a_long_text_is_read_at_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rnnlm.dataset.batches, "LONGEST_WINDOW", 4)
    batches = LabelledBatches(make_labelled([9, 2, 3], [0, 1, 0]), 3, first_label_id=FIRST_LABEL)
    [batch] = batches.epoch(0)
    assert sorted(batch.lengths) == [3, 4, 4]
    assert batches.num_tokens == batch.num_tokens == 11
    assert batch.num_predictions == 3


def with_tags(split: Split) -> Split:
    """Give each word a tag that follows from it, or none, and a spelling."""
    words = np.where(split.ids >= 3, split.ids, 0)
    spellings = [f"word{k}" for k in range(int(words.max()) + 1)]
    return replace(split, tags=words % 4, spellings=words, words=spellings)


@given(LENGTHS, st.integers(1, 7), st.integers(0, 3), st.integers(1, 6), st.booleans())
def test_tagged_batches_give_each_token_with_its_tag_once(
    lengths: list[int], batch_size: int, epoch: int, longest: int, is_spelled: bool
) -> None:
    split, found = with_tags(make_split(lengths)), Counter[tuple[int, int]]()
    characters = Characters("word0123456789")
    spellings = Spellings(split.words, characters) if is_spelled else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rnnlm.dataset.batches, "LONGEST_WINDOW", longest)
        batches = TaggedBatches(split, batch_size, spellings=spellings)
        read = list(batches.epoch(epoch))
    for batch in read:
        assert batch.lengths is not None
        assert min(batch.lengths) > 0
        inputs = batch.inputs
        if is_spelled:
            assert isinstance(inputs, SpelledWords)
            for (t, b), place in np.ndenumerate(inputs.places):
                if t < batch.lengths[b]:
                    spelled = inputs.characters[: inputs.lengths[place], place]
                    assert spelled.tolist() == characters.encode(f"word{inputs.ids[t, b]}")
            inputs = inputs.ids
        for column, length in enumerate(batch.lengths):
            for word, target, known in zip(
                inputs[:length, column], batch.targets[:length, column], batch.mask[:length, column], strict=True
            ):
                found[int(word), int(target) + 1 if known else 0] += 1
        assert not batch.mask[np.arange(len(batch.mask))[:, None] >= batch.lengths].any()
    assert found == Counter((int(word), int(word) % 4) for word in split.ids if word >= 3)
    assert batches.num_tokens == sum(lengths) == sum(batch.num_tokens for batch in read)


def make_pairs(lengths: list[tuple[int, int]]) -> Split:
    """Make pairs whose words, on either side, tell which pair it is: they follow one another from its first on."""
    sides = [make_split([pair[side] for pair in lengths]) for side in (0, 1)]
    return replace(sides[1], source=sides[0])


PAIR_LENGTHS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=40)


@given(PAIR_LENGTHS, st.integers(1, 7), st.integers(0, 3), st.integers(1, 12))
def test_pair_batches_give_each_target_with_its_source_once(
    lengths: list[tuple[int, int]], batch_size: int, epoch: int, longest: int
) -> None:
    split, found = make_pairs(lengths), Counter[tuple[tuple[int, ...], ...]]()
    assert split.source is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rnnlm.dataset.batches, "LONGEST_WINDOW", longest)
        patch.setattr(rnnlm.dataset.batches, "BLOCK_SIZE", 4)
        patch.setattr(rnnlm.dataset.batches, "BLOCKS_IN_POOL", 3)
        batches = PairBatches(split, batch_size)
        read = list(batches.epoch(epoch))
    for batch in read:
        pairs = batch.inputs
        assert isinstance(pairs, Pairs)
        assert not batch.continues
        assert pairs.ids.shape == batch.targets.shape == batch.mask.shape
        assert len(pairs.source) == max(pairs.source_lengths)
        assert len(pairs.ids) == batch.mask.sum(axis=0).max()
        for column, length in enumerate(pairs.source_lengths):
            steps = int(batch.mask[:, column].sum())
            assert batch.mask[:steps, column].all()
            found[
                tuple(pairs.source[:length, column].tolist()),
                tuple(pairs.ids[:steps, column].tolist()),
                tuple(batch.targets[:steps, column].tolist()),
            ] += 1
    expected = Counter(
        (
            tuple(split.source.sentence(k)[1:][:longest].tolist()),
            tuple(split.sentence(k)[:-1][:longest].tolist()),
            tuple(split.sentence(k)[1:][:longest].tolist()),
        )
        for k in range(len(lengths))
    )
    assert found == expected
    assert batches.num_tokens == sum(batch.num_tokens for batch in read)


@given(PAIR_LENGTHS, st.integers(1, 4), st.integers(0, 30))
def test_an_epoch_of_pairs_can_begin_at_any_batch(
    lengths: list[tuple[int, int]], batch_size: int, first: int
) -> None:
    batches = PairBatches(make_pairs(lengths), batch_size, seed=1)
    whole, rest = list(batches.epoch(2))[first:], list(batches.epoch(2, first=first))
    assert len(whole) == len(rest)
    for a, b in zip(whole, rest, strict=True):
        assert isinstance(a.inputs, Pairs)
        assert isinstance(b.inputs, Pairs)
        for one, other in zip((*a.inputs, a.targets, a.mask), (*b.inputs, b.targets, b.mask), strict=True):
            np.testing.assert_array_equal(one, other)


def test_pairs_of_like_but_not_of_one_length_are_batched_together() -> None:
    rng = np.random.default_rng(0)
    lengths = [(int(n + rng.integers(-3, 4)), int(n)) for n in rng.integers(5, 30, 3000)]
    batches = PairBatches(make_pairs(lengths), 16)
    targets = sources = read = 0
    for batch in batches.epoch(0):
        assert isinstance(batch.inputs, Pairs)
        targets += batch.mask.size
        sources += batch.inputs.source.size
        read += int(batch.inputs.source_lengths.sum())
        assert len(set(batch.mask.sum(axis=0))) > 1
    assert batches.num_tokens / targets > 0.9
    assert read / sources > 0.8
