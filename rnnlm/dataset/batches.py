"""Batches for training and evaluation: separate sentences, or a continuous stream.

Both predict every token of a split exactly once an epoch, and both can begin at any batch of any epoch, which
is how an interrupted run goes on where it stopped.
"""

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.nn.arrays import Ids
from rnnlm.nn.batch import Batch
from rnnlm.text.vocabulary import Vocabulary

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

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch in the order that belongs to its number, from batch `first` on."""
        index = 0
        for sentences in self._groups(np.random.default_rng([self.seed, epoch])):
            longest = int(self._lengths(sentences).max())
            for start in range(0, longest, LONGEST_WINDOW):
                if index >= first:
                    yield self._window(sentences, start, min(longest, start + LONGEST_WINDOW))
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
        offsets = self.split.offsets
        lengths: Ids = offsets[sentences + 1].astype(np.int64) - offsets[sentences].astype(np.int64) - 1
        return lengths

    def _window(self, sentences: Ids, start: int, stop: int) -> Batch:
        shape = (stop - start, len(sentences))
        inputs, targets = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
        mask = np.zeros(shape, bool)
        for column, sentence in enumerate(sentences):
            ids = self.split.sentence(int(sentence))[start : stop + 1]
            steps = max(0, len(ids) - 1)
            inputs[:steps, column] = ids[:-1]
            targets[:steps, column] = ids[1:]
            mask[:steps, column] = True
        return Batch(inputs, targets, mask, continues=start > 0)


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
        length = -(-self.split.num_tokens // self.batch_size)
        windows = -(-length // self.bptt_steps)
        done = first * self.bptt_steps
        positions = [self._position(min(b * length + done, self.split.num_tokens)) for b in range(self.batch_size)]
        for window in range(first, windows):
            done = window * self.bptt_steps
            shape = (min(self.bptt_steps, length - done), self.batch_size)
            inputs, targets = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
            mask = np.zeros(shape, bool)
            for b, position in enumerate(positions):
                left = min((b + 1) * length, self.split.num_tokens) - (b * length + done)
                # The end of a sentence is predicted but never read; 2 T ids hold at least T that are.
                ids = self.split.ids[position : position + 2 * self.bptt_steps + 1]
                read = np.flatnonzero(ids[:-1] != Vocabulary.end_id)[: max(0, min(left, shape[0]))]
                if len(read):
                    inputs[: len(read), b] = ids[read]
                    targets[: len(read), b] = ids[read + 1]
                    mask[: len(read), b] = True
                    positions[b] = position + int(read[-1]) + 1
            yield Batch(inputs, targets, mask, continues=window > 0)

    def _position(self, prediction: int) -> int:
        """Find where in the split's ids the input of the prediction with this number stands."""
        offsets = self.split.offsets
        # Every sentence holds one id more than it has predictions.
        sentence = bisect_right(range(len(offsets)), prediction, key=lambda k: int(offsets[k]) - k) - 1
        return prediction + sentence
