"""The loss of every token of a text."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.store import Split
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.batch import Batch
from rnnlm.nn.network import Network
from rnnlm.optim.sgd import SGD
from rnnlm.text.vocabulary import Vocabulary

SIDE_BY_SIDE = 32
"""Most readings in a window."""

WINDOW, SENTENCE_WINDOW = 64, 256
"""Time steps of a window, at most: that of a stream, and that of sentences of like length."""

POOL = 8192
"""Sentences among which those of like length are found, to be read side by side."""

SHORTEST_STREAM = 1024
"""A split is not cut into streams shorter than this: each begins without knowing what came before."""

Losses: TypeAlias = tuple[Ids, Floats]
"""Where in the ids of a text some predicted tokens stand, (N,), and their losses in nats, (N,)."""


def readings(ids: Ids, batching: str) -> Ids:
    """Return what is read from the zero state: every sentence ("sentences"), or all as one ("stream").

    Parameters
    ----------
    ids
        Sentences, each ``START w1 … wn END``.
    batching
        Which of the two.

    Returns
    -------
    (N, 2)
        Where in `ids` each reading begins, and how many tokens it predicts.
    """
    starts = np.flatnonzero(ids == Vocabulary.start_id)
    if batching == "stream":
        return np.array([(0, len(ids) - len(starts))] if len(ids) else [], np.intp).reshape(-1, 2)
    return np.stack([starts, np.diff(starts, append=len(ids)) - 1], axis=1)


def losses(
    network: Network,
    ids: Ids,
    parts: Ids,
    *,
    steps: int = WINDOW,
    watch: Callable[[], None] = lambda: None,
) -> Iterator[Losses]:
    """Yield the losses of parts of a text, window by window, those of like length side by side.

    Parameters
    ----------
    network
        The model.
    ids
        Sentences, each ``START w1 … wn END``; they may be memory-mapped.
    parts : (N, 2)
        What is read from the zero state, as `readings` returns it.
    steps
        Time steps of a window, at most.
    watch
        Called before every window; what it raises ends the reading.
    """
    longest_first = parts[np.argsort(-parts[:, 1], kind="stable")]
    for first in range(0, len(parts), SIDE_BY_SIDE):
        starts, left = longest_first[first : first + SIDE_BY_SIDE].T
        state = network.initial_state(len(left))
        while len(left):
            watch()
            at, mask = _window(ids, starts, np.minimum(left, steps))
            inputs, targets = _read(ids, at)
            nats, state = network.losses(Batch(inputs, targets, mask), state)
            yield at[mask], nats
            # Those that have ended stand last.
            going_on = np.count_nonzero(left > steps)
            starts, left, state = at[-1, :going_on] + 1, left[:going_on] - steps, state[:, :, :going_on]


def _window(ids: Ids, starts: Ids, steps: Ids) -> tuple[Ids, NDArray[np.bool_]]:
    """Find where the next predicted tokens of parts of a text stand, `steps` (B,) of them from `starts` (B,) on.

    Returns
    -------
    at, mask : (T, B)
        The places, and where there is one.
    """
    # A start is never predicted; 2 T ids hold at least T that are.
    near = starts + np.arange(2 * steps.max())[:, None]
    predicted = ids[np.minimum(near, len(ids) - 1)] != Vocabulary.start_id
    number = np.cumsum(predicted, axis=0)
    predicted &= number <= steps
    at = np.ones((steps.max(), len(steps)), np.intp)
    at[number[predicted] - 1, np.nonzero(predicted)[1]] = near[predicted]
    return at, np.arange(len(at))[:, None] < steps


def _read(ids: Ids, at: Ids) -> tuple[Ids, Ids]:
    """Return what is read before the tokens at some places, and these tokens: an end is never read."""
    return ids[at - 1].astype(np.intp), ids[at].astype(np.intp)


def split_losses(
    network: Network, split: Split, batching: str, *, watch: Callable[[], None] = lambda: None
) -> Iterator[Losses]:
    """Yield the loss of every prediction of a split, window by window, in memory that does not grow with it.

    Parameters
    ----------
    network
        The model.
    split
        The text.
    batching
        "sentences" or "stream": whether each sentence begins from the zero state or goes on from the one before,
        as in the network's training.
    watch
        Called before every window; what it raises ends the reading.
    """
    ids = np.asarray(split.ids)
    if batching == "stream":
        yield from losses(network, ids, _streams(split), watch=watch)
        return
    for first in range(0, split.num_sentences, POOL):
        offsets = split.offsets[first : first + POOL + 1].astype(np.intp)
        pool = np.stack([offsets[:-1], np.diff(offsets) - 1], axis=1)
        yield from losses(network, ids, pool, steps=SENTENCE_WINDOW, watch=watch)


def _streams(split: Split) -> Ids:
    """Cut a split into streams of equal length, to be read side by side."""
    number = min(SIDE_BY_SIDE, max(1, split.num_tokens // SHORTEST_STREAM))
    length = -(-split.num_tokens // number)
    streams = []
    for done in range(0, split.num_tokens, length):
        # Every sentence holds one id more than it has predictions.
        sentences = bisect_right(range(len(split.offsets)), done, key=lambda k: int(split.offsets[k]) - k)
        streams.append((done + sentences, min(length, split.num_tokens - done)))
    return np.array(streams)


def dynamic_losses(network: Network, ids: Ids, parts: Ids, rate: float, steps: int) -> Iterator[Losses]:
    """Yield the losses of a text while the network goes on learning from it: dynamic evaluation.

    Every window is scored first and then trained on, by one step of plain gradient descent (Mikolov et al. 2010,
    Krause et al. 2018). The network's weights are others afterwards.

    Parameters
    ----------
    network
        The model.
    ids
        Sentences, each ``START w1 … wn END``.
    parts : (N, 2)
        What is read from the zero state, one after the other, as `readings` returns it.
    rate
        Learning rate, for the cross-entropy summed over a window.
    steps
        Time steps of a window.

    Raises
    ------
    RnnlmError
        If a loss is no longer a finite number.
    """
    optimizer = SGD(network.parameters, network.gradients)
    for start, left in parts:
        state = network.initial_state(1)
        while left:
            at, mask = _window(ids, np.array([start]), np.array([min(left, steps)]))
            batch = Batch(*_read(ids, at), mask)
            with np.errstate(all="ignore"):
                nats, after = network.losses(batch, state)
                if not np.isfinite(nats).all():
                    raise RnnlmError(f"dynamic evaluation diverged at the rate {rate:g}; choose a smaller one.")
                network.backpropagate(batch, state)
                optimizer.step(rate)
            state = after
            yield at[:, 0], nats
            start, left = at[-1, 0] + 1, left - len(at)
