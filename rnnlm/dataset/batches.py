"""Batches for training and evaluation: sentences, texts with labels, sentences with tags, pairs, or a stream.

All go through a split exactly once an epoch, and all can begin at any batch of any epoch, which is how an
interrupted run goes on where it stopped.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.spelling import Spellings
from rnnlm.dataset.store import Split
from rnnlm.dataset.windows import place_of, side_by_side, window
from rnnlm.nn.arrays import Ids
from rnnlm.nn.batch import Batch, Pairs

LONGEST_WINDOW = 1024
"""A sentence of more tokens than this continues in the next batch, so that memory stays bounded."""

BLOCK_SIZE = 1024
BLOCKS_IN_POOL = 64

BATCHES_OF_PAIRS = 16
"""Batches whose pairs are sorted by length together."""


class Batches(ABC):
    """The batches of a split.

    Attributes
    ----------
    num_tokens
        Tokens in an epoch.
    """

    num_tokens: int

    @abstractmethod
    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch in the order that belongs to its number, from batch `first` on."""


class GroupedBatches(Batches):
    """Batches of sentences, each begun from the zero state, with sentences of like length together.

    Sentences are shuffled in pools of `BLOCK_SIZE` × `BLOCKS_IN_POOL`, made of blocks from all over the split,
    so that memory does not grow with the corpus.

    Parameters
    ----------
    split
        The sentences.
    batch_size
        Sentences in a batch, B.
    seed
        Seed of the order.
    """

    def __init__(self, split: Split, batch_size: int, seed: int = 0) -> None:
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.num_tokens = split.num_tokens
        self._offsets = np.asarray(split.offsets)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch; see `Batches.epoch`."""
        index = 0
        for sentences in self._groups(np.random.default_rng([self.seed, epoch])):
            # Behind the START of each sentence.
            places, lengths = self._offsets[sentences].astype(np.int64) + 1, self._lengths(sentences)
            for start in range(0, self._longest(lengths), LONGEST_WINDOW):
                if index >= first:
                    steps = np.clip(lengths - start, 0, LONGEST_WINDOW)
                    yield self._batch(sentences, places + start, steps, continues=start > 0)
                index += 1

    @abstractmethod
    def _batch(self, sentences: Ids, places: Ids, steps: Ids, continues: bool) -> Batch:
        """Return the next `steps` (B,) tokens of `sentences` (B,) from some `places` (B,) in the split on."""

    def _longest(self, lengths: Ids) -> int:
        """Return how far the longest of some sentences of `lengths` (B,) is read."""
        return int(lengths.max())

    def _groups(self, rng: np.random.Generator) -> Iterator[Ids]:
        """Yield the numbers of the sentences of each batch."""
        sentences_in_split = self.split.num_sentences
        blocks = rng.permutation(-(-sentences_in_split // BLOCK_SIZE))
        for first in range(0, len(blocks), BLOCKS_IN_POOL):
            pool = np.concatenate(
                [
                    np.arange(block * BLOCK_SIZE, min((block + 1) * BLOCK_SIZE, sentences_in_split))
                    for block in blocks[first : first + BLOCKS_IN_POOL]
                ]
            )
            rng.shuffle(pool)
            if self.batch_size > 1:
                pool = pool[self._by_length(pool)]
            starts = np.arange(0, len(pool), self.batch_size)
            for start in rng.permutation(starts):
                yield pool[start : start + self.batch_size]

    def _by_length(self, sentences: Ids) -> Ids:
        """Return the order in which sentences of like length come together."""
        return np.argsort(self._lengths(sentences), kind="stable")

    def _lengths(self, sentences: Ids) -> Ids:
        """Count the predictions of each sentence: its words and its end."""
        return _lengths(self._offsets, sentences)

    def _read_beginnings(self) -> None:
        """Take off from `num_tokens` what is beyond the first `LONGEST_WINDOW` of a sentence."""
        for start in range(0, self.split.num_sentences, BLOCK_SIZE):
            lengths = self._lengths(np.arange(start, min(start + BLOCK_SIZE, self.split.num_sentences)))
            self.num_tokens -= int(np.maximum(lengths - LONGEST_WINDOW, 0).sum())


def _lengths(offsets: NDArray[np.uint64], sentences: Ids) -> Ids:
    lengths: Ids = offsets[sentences + 1].astype(np.int64) - offsets[sentences].astype(np.int64) - 1
    return lengths


class SentenceBatches(GroupedBatches):
    """Sentences in which every token, and the end, is to be predicted from those before it."""

    def _batch(self, sentences: Ids, places: Ids, steps: Ids, continues: bool) -> Batch:
        return window(self.split.ids, places, steps, continues=continues)[1]


class LabelledBatches(GroupedBatches):
    """Texts, read to their end or for the first `LONGEST_WINDOW` tokens, and their labels.

    Parameters
    ----------
    split, batch_size, seed
        As for `GroupedBatches`.
    first_label_id
        The id with which a text of the label 0 begins; other ids before the first word stand for no label.
    """

    def __init__(self, split: Split, batch_size: int, seed: int = 0, *, first_label_id: int) -> None:
        super().__init__(split, batch_size, seed)
        self.first_label_id = first_label_id
        self._read_beginnings()

    def _batch(self, sentences: Ids, places: Ids, steps: Ids, continues: bool) -> Batch:
        classes = self.split.ids[places - 1].astype(np.int64) - self.first_label_id
        at, _ = side_by_side(places, steps)
        inputs = self.split.ids[at].astype(np.intp)
        known = classes >= 0
        return Batch(inputs, np.where(known, classes, 0)[None], known[None], lengths=steps)

    def _longest(self, lengths: Ids) -> int:
        return LONGEST_WINDOW


class TaggedBatches(GroupedBatches):
    """Sentences and the tag of each of their tokens; one longer than `LONGEST_WINDOW` is read in parts.

    Parameters
    ----------
    split, batch_size, seed
        As for `GroupedBatches`.
    spellings
        How words are spelled, for a network that reads their characters; None for others.
    """

    def __init__(
        self, split: Split, batch_size: int, seed: int = 0, *, spellings: Spellings | None = None
    ) -> None:
        super().__init__(split, batch_size, seed)
        self.num_tokens -= split.num_sentences
        self.spellings = spellings

    def _batch(self, sentences: Ids, places: Ids, steps: Ids, continues: bool) -> Batch:
        split = self.split
        assert split.tags is not None
        # A sentence of which nothing is left is not read at all.
        places, steps = places[steps > 0], steps[steps > 0]
        at, mask = side_by_side(places, steps)
        inputs, tags = split.ids[at].astype(np.intp), split.tags[at].astype(np.intp)
        if self.spellings is not None and split.spellings is not None:
            words = self.spellings.spelled(inputs, split.spellings[at].astype(np.intp))
            return Batch(words, np.maximum(tags - 1, 0), mask & (tags > 0), lengths=steps)
        return Batch(inputs, np.maximum(tags - 1, 0), mask & (tags > 0), lengths=steps)

    def _lengths(self, sentences: Ids) -> Ids:
        return super()._lengths(sentences) - 1  # the end has no tag


class PairBatches(GroupedBatches):
    """Targets in which every token, and the end, is to be predicted, with the sources that they belong to.

    Both sides are read to their end, or for the first `LONGEST_WINDOW` tokens. Pairs come together whose longer
    sides are of like length, of `BATCHES_OF_PAIRS` batches at a time. Were it of all pairs, a batch would hold one
    length only, and a translator learns less from such batches.

    Parameters
    ----------
    split, batch_size, seed
        As for `GroupedBatches`; the split has sources.
    """

    def __init__(self, split: Split, batch_size: int, seed: int = 0) -> None:
        super().__init__(split, batch_size, seed)
        assert split.source is not None
        self.source = split.source
        self._source_offsets = np.asarray(split.source.offsets)
        self._read_beginnings()

    def _batch(self, sentences: Ids, places: Ids, steps: Ids, continues: bool) -> Batch:
        at, mask = side_by_side(places, steps)
        inputs, targets = (np.multiply(self.split.ids[k], mask, dtype=np.intp) for k in (at - 1, at))
        # Of a source, as of a text with a label, the start is not read, and the end is.
        source_places = self._source_offsets[sentences].astype(np.int64) + 1
        source_lengths = np.minimum(self._source_lengths(sentences), LONGEST_WINDOW)
        source_at, _ = side_by_side(source_places, source_lengths)
        source = self.source.ids[source_at].astype(np.intp)
        return Batch(Pairs(inputs, source, source_lengths), targets, mask)

    def _longest(self, lengths: Ids) -> int:
        return LONGEST_WINDOW

    def _by_length(self, sentences: Ids) -> Ids:
        parts = np.arange(len(sentences)) // (BATCHES_OF_PAIRS * self.batch_size)
        return np.lexsort((np.maximum(self._lengths(sentences), self._source_lengths(sentences)), parts))

    def _source_lengths(self, sentences: Ids) -> Ids:
        return _lengths(self._source_offsets, sentences)


class StreamBatches(Batches):
    """Windows of a continuous stream: sentence after sentence, the hidden state carried along.

    The split is cut into `batch_size` streams of equal length that are read side by side, `bptt_steps`
    predictions at a time. What remains at the end of the last stream is padding.

    Parameters
    ----------
    split
        The sentences.
    batch_size
        Streams side by side, B.
    bptt_steps
        Predictions of each stream in a window, T.
    """

    def __init__(self, split: Split, batch_size: int, bptt_steps: int) -> None:
        self.split = split
        self.batch_size = batch_size
        self.bptt_steps = bptt_steps
        self.num_tokens = split.num_tokens

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the windows of an epoch, every epoch the same, from window `first` on."""
        num_tokens, T = self.split.num_tokens, self.bptt_steps
        length = -(-num_tokens // self.batch_size)
        # Predictions by number: where each stream goes on, and where it ends.
        begins = np.minimum(np.arange(self.batch_size) * length, num_tokens)
        ends = np.minimum(begins + length, num_tokens)
        now = np.minimum(begins + first * T, ends)
        places = np.array([place_of(self.split, prediction) for prediction in now.tolist()])
        for number in range(first, -(-length // T)):
            steps = np.minimum(ends - now, T)
            at, batch = window(self.split.ids, places, steps, continues=number > 0)
            yield batch
            now, places = now + steps, at[-1] + 1
