"""Windows of sentences: what is read, and what is to be predicted."""

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.store import Split
from rnnlm.nn.arrays import Ids, Mask
from rnnlm.nn.batch import Batch
from rnnlm.text.vocabulary import Vocabulary


def place_of(split: Split, prediction: int) -> int:
    """Return the place in a split's ids of the prediction with this number, from 0 on."""
    offsets = split.offsets
    # Every sentence has one id more than it has predictions.
    starts = bisect_right(range(len(offsets)), prediction, key=lambda k: int(offsets[k]) - k)
    return prediction + starts


def sentence_starts(ids: NDArray[Any]) -> Mask:
    """Return where sentences begin in a text (N,) of whole sentences, whatever the labels with which they do."""
    starts = np.ones(len(ids), bool)
    np.equal(ids[:-1], Vocabulary.end_id, out=starts[1:])
    return starts


def side_by_side(places: Ids, steps: Ids) -> tuple[Ids, Mask]:
    """Return the next `steps` (B,) places from some `places` (B,) on, (T, B), and a mask that is false at padding.

    Padding repeats the first place of its column.
    """
    times = np.arange(int(steps.max()))[:, None]
    mask = times < steps
    return places + times * mask, mask


def window(ids: NDArray[Any], places: Ids, steps: Ids, *, continues: bool = False) -> tuple[Ids, Batch]:
    """Cut the next predictions out of a text, in several places side by side.

    Parameters
    ----------
    ids
        Sentences, each ``START w1 … wn END``; they may be memory-mapped.
    places : (B,)
        Where in `ids` each column begins: at the first id that it predicts, or at a START before it.
    steps : (B,)
        How many predictions each column has; they may go on from one sentence into the next.
    continues
        As in `Batch`.

    Returns
    -------
    at : (T, B)
        The places of the predictions in `ids`; T is the largest of `steps`.
    batch
        The window. What is read is the id before each prediction, so that an END never is; padding has the id 0.
    """
    ids, T = np.asarray(ids), int(steps.max())
    mask = np.arange(T)[:, None] < steps
    # A START, which follows an END, is never predicted; 2 T ids hold at least T that are. A stable sort puts those
    # first.
    before = places + np.arange(-1, 2 * T - 1)[:, None]
    is_start = ids.take(before, mode="clip") == Vocabulary.end_id
    is_start[0] |= places == 0
    at = places + np.argsort(is_start, axis=0, kind="stable")[:T]
    inputs, targets = (np.multiply(ids.take(k, mode="clip"), mask, dtype=np.intp) for k in (at - 1, at))
    return at, Batch(inputs, targets, mask, continues)
