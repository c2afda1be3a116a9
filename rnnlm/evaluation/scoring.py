"""The loss of every token of a text."""

from collections.abc import Generator, Iterator
from typing import TypeAlias

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.dataset.windows import place_of, sentence_starts, window
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.optim.sgd import SGD

SIDE_BY_SIDE = 32
"""Most readings in a window."""

WINDOW, SENTENCE_WINDOW = 64, 256
"""Time steps of a window, at most: that of a stream, and that of sentences of like length."""

POOL = 8192
"""Sentences among which those of like length are found, to be read side by side."""

SHORTEST_STREAM = 1024
"""A split is not cut into streams shorter than this: each begins without knowing what came before."""

Losses: TypeAlias = tuple[Ids, Floats]
"""The places of some predicted tokens in the ids of a text, (N,), and their losses in nats, (N,)."""


def readings(ids: Ids, carries_state: bool) -> Ids:
    """Return what is read from the zero state: all of a text as one, or each of its sentences.

    Parameters
    ----------
    ids
        Sentences, each ``START w1 … wn END``.
    carries_state
        Whether a sentence is read from the state in which the one before it has ended.

    Returns
    -------
    (N, 2)
        Where in `ids` each reading begins, and how many tokens it predicts.
    """
    starts = np.flatnonzero(sentence_starts(ids))
    if carries_state:
        return np.array([(0, len(ids) - len(starts))] if len(ids) else [], np.intp).reshape(-1, 2)
    return np.stack([starts, np.diff(starts, append=len(ids)) - 1], axis=1)


def losses(network: Network, ids: Ids, parts: Ids, *, steps: int = WINDOW, share: Share = ALL) -> Iterator[Losses]:
    """Yield the losses of parts of a text, window by window, those of like length side by side.

    Parameters
    ----------
    network
        What predicts.
    ids
        Sentences, each ``START w1 … wn END``; they may be memory-mapped.
    parts : (N, 2)
        What is read from the zero state, as `readings` returns it.
    steps
        Time steps of a window, at most.
    share
        Which of the parts are read: some of every length.
    """
    longest_first = parts[np.argsort(-parts[:, 1], kind="stable")][share.index :: share.number]
    for first in range(0, len(longest_first), SIDE_BY_SIDE):
        places, left = longest_first[first : first + SIDE_BY_SIDE].T
        state = network.initial_state(len(left))
        while len(left):
            at, batch = window(ids, places, np.minimum(left, steps))
            nats, state = network.losses(batch, state)
            yield at[batch.mask], nats
            # Those that have ended are the last.
            going_on = np.count_nonzero(left > steps)
            places, left, state = at[-1, :going_on] + 1, left[:going_on] - steps, state[:, :, :going_on]


def split_losses(
    network: Network, split: Split, carries_state: bool, share: Share = ALL
) -> Generator[Losses, None, None]:
    """Yield the loss of every prediction of a split, window by window, in memory that does not grow with it.

    A text that is read as one (see `readings`) is cut into a few streams, to be read side by side. Of the streams,
    or the sentences, a share may be read.
    """
    ids = np.asarray(split.ids)
    if carries_state:
        yield from losses(network, ids, _streams(split), share=share)
        return
    for first in range(0, split.num_sentences, POOL):
        offsets = split.offsets[first : first + POOL + 1].astype(np.intp)
        pool = np.stack([offsets[:-1], np.diff(offsets) - 1], axis=1)
        yield from losses(network, ids, pool, steps=SENTENCE_WINDOW, share=share)


def _streams(split: Split) -> Ids:
    """Cut a split into streams of equal length, to be read side by side."""
    number = min(SIDE_BY_SIDE, max(1, split.num_tokens // SHORTEST_STREAM))
    length = -(-split.num_tokens // number)
    begins = range(0, split.num_tokens, length)
    return np.array([(place_of(split, begin), min(length, split.num_tokens - begin)) for begin in begins])


def dynamic_losses(
    network: Network, ids: Ids, parts: Ids, rate: float, steps: int
) -> Generator[Losses, None, None]:
    """Yield the losses of a text while the network goes on learning from it: dynamic evaluation.

    Every window is scored first and then trained on, by one step of plain gradient descent (Mikolov et al. 2010,
    Krause et al. 2018). At its end, or when it is closed, the network has the weights that it had before.

    Parameters
    ----------
    network, ids, parts
        As for `losses`; the parts are read one after the other.
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
    saved = {name: value.copy() for name, value in network.parameters.items()}
    try:
        for place, left in parts:
            state = network.initial_state(1)
            while left:
                at, batch = window(ids, np.array([place]), np.array([min(left, steps)]))
                nats, after = network.losses(batch, state)
                if not np.isfinite(nats).all():
                    raise RnnlmError(f"Dynamic evaluation diverged at the rate {rate:g}; choose a smaller one.")
                network.backpropagate(batch, state)
                optimizer.step(rate)
                yield at[:, 0], nats
                place, left, state = at[-1, 0] + 1, left - len(at), after
    finally:
        for name, value in saved.items():
            network.parameters[name][...] = value
