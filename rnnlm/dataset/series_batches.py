"""Windows of a series in their order."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from rnnlm.dataset.batches import Batches
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Batch


class SeriesBatches(Batches):
    """Windows of a series, the state carried along.

    The series is cut into streams of equal length that are read side by side; what remains at the end of the last
    one is padding.

    Parameters
    ----------
    inputs : (N, D)
        What is read.
    targets : (N,)
        What is to be predicted.
    batch_size
        Streams side by side, B.
    bptt_steps
        Rows of each stream in a window, T.
    unread
        Rows at the beginning of each stream of which nothing is to be predicted, as their lags have not been read;
        the first window has as many more.
    """

    def __init__(self, inputs: Floats, targets: Floats, batch_size: int, bptt_steps: int, *, unread: int) -> None:
        self._length = -(-len(targets) // batch_size)
        size = self._length * batch_size
        mask = (np.arange(size) < len(targets)) & (np.arange(size) % self._length >= unread)

        def streams(rows: Floats) -> Floats:
            padded = np.concatenate([rows, np.zeros((size - len(rows), *rows.shape[1:]))])
            return np.ascontiguousarray(padded.reshape(batch_size, self._length, *rows.shape[1:]).swapaxes(0, 1))

        self._inputs, self._targets = streams(inputs), streams(targets)
        self._mask = np.ascontiguousarray(mask.reshape(batch_size, self._length).T)
        self.num_tokens = int(mask.sum())
        self._starts = [0, *range(unread + bptt_steps, self._length, bptt_steps), self._length]

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the windows of an epoch, every epoch the same, from window `first` on."""
        for start, end in pairwise(self._starts[first:]):
            rows = slice(start, end)
            yield Batch(self._inputs[rows], self._targets[rows], self._mask[rows], continues=start > 0)
