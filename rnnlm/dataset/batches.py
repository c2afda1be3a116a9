"""Batches for training and evaluation: separate sentences, or a continuous stream.

Both predict every token of a split exactly once an epoch, and both can begin at any batch of any epoch, which
is how an interrupted run goes on where it stopped.
"""

from collections.abc import Iterator

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.dataset.windows import place_of, window
from rnnlm.nn.arrays import Ids
from rnnlm.nn.batch import Batch

LONGEST_WINDOW = 1024
"""A sentence of more tokens than this continues in the next batch, so that memory stays bounded."""

BLOCK_SIZE = 1024
BLOCKS_IN_POOL = 64


class SentenceBatches:
    """Batches of whole sentences, each begun from the zero state, with sentences of like length together.

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
        self._offsets = np.asarray(split.offsets)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch in the order that belongs to its number, from batch `first` on."""
        index = 0
        for sentences in self._groups(np.random.default_rng([self.seed, epoch])):
            lengths = self._lengths(sentences)
            for start in range(0, int(lengths.max()), LONGEST_WINDOW):
                if index >= first:
                    # Behind the START of each sentence and what earlier windows have predicted.
                    places = self._offsets[sentences].astype(np.int64) + 1 + start
                    steps = np.minimum(np.maximum(lengths - start, 0), LONGEST_WINDOW)
                    yield window(self.split.ids, places, steps, continues=start > 0)[1]
                index += 1

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
                pool = pool[np.argsort(self._lengths(pool), kind="stable")]
            starts = np.arange(0, len(pool), self.batch_size)
            for start in rng.permutation(starts):
                yield pool[start : start + self.batch_size]

    def _lengths(self, sentences: Ids) -> Ids:
        """Count the predictions of each sentence: its words and its end."""
        offsets = self._offsets
        lengths: Ids = offsets[sentences + 1].astype(np.int64) - offsets[sentences].astype(np.int64) - 1
        return lengths


class StreamBatches:
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
