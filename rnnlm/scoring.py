"""The loss of every token, in the order of the text."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation import number_of_streams
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.optim.sgd import SGD
from rnnlm.text.vocabulary import Vocabulary

SIDE_BY_SIDE = 64
WINDOW = 64


class Reading(NamedTuple):
    """Tokens that are read one after the other from the zero state, and after each the one to predict.

    Attributes
    ----------
    inputs, targets : (N,)
        Token ids.
    """

    inputs: Ids
    targets: Ids

    @classmethod
    def of(cls, ids: Ids) -> "Reading":
        """Read sentences, each ``START w1 … wn END``: an end is never read, a start never predicted."""
        return cls(ids[ids != Vocabulary.end_id], ids[ids != Vocabulary.start_id])

    def cut(self, length: int) -> "list[Reading]":
        """Cut it into readings of `length` predictions; the last may be shorter."""
        starts = range(0, len(self.inputs), length)
        return [Reading(self.inputs[k : k + length], self.targets[k : k + length]) for k in starts]


def readings(ids: Ids, batching: str) -> list[Reading]:
    """Return what is read from the zero state: every sentence ("sentences"), or all as one ("stream")."""
    starts = np.flatnonzero(ids == Vocabulary.start_id)
    parts = np.split(ids, starts[1:] if batching == "sentences" else [])
    return [Reading.of(part) for part in parts if len(part)]


def split_losses(network: Network, split: Split, batching: str) -> Floats:
    """Return the loss of every prediction of a split, which `evaluate` adds up.

    Parameters
    ----------
    network
        The model.
    split
        The text; it must not be empty.
    batching
        "sentences" or "stream", as in the network's training.

    Returns
    -------
    (N,)
        Nats, in the order of the text.
    """
    if batching == "stream":
        length = -(-split.num_tokens // number_of_streams(split))
        return losses(network, Reading.of(split.ids).cut(length))
    each = readings(split.ids, batching)
    groups = [each[k : k + SIDE_BY_SIDE] for k in range(0, len(each), SIDE_BY_SIDE)]
    return np.concatenate([losses(network, group) for group in groups])


def losses(network: Network, side_by_side: Sequence[Reading]) -> Floats:
    """Return the losses of some readings, one reading after the other, as (N,).

    They are read together in windows of `WINDOW` steps, and those that have ended are left out of the next.
    """
    lengths = np.array([len(reading.inputs) for reading in side_by_side], np.intp)
    results = [np.empty(length, network.dtype) for length in lengths]
    longest_first = np.argsort(-lengths, kind="stable")
    state = network.initial_state(len(lengths))
    for start in range(0, lengths.max(initial=0), WINDOW):
        going_on = longest_first[lengths[longest_first] > start]
        steps = np.minimum(lengths[going_on] - start, WINDOW)
        inputs, targets = np.zeros((2, steps[0], len(going_on)), np.intp)
        mask = np.arange(steps[0])[:, None] < steps
        for b, k in enumerate(going_on):
            inputs[: steps[b], b] = side_by_side[k].inputs[start : start + WINDOW]
            targets[: steps[b], b] = side_by_side[k].targets[start : start + WINDOW]
        window = np.empty(mask.shape, network.dtype)
        window[mask], state = network.losses(inputs, targets, mask, state[:, :, : len(going_on)])
        for b, k in enumerate(going_on):
            results[k][start : start + WINDOW] = window[: steps[b], b]
    return np.concatenate([np.empty(0, network.dtype), *results])


def dynamic_losses(network: Network, text: Sequence[Reading], rate: float, steps: int) -> Floats:
    """Return the losses of a text while the network goes on learning from it: dynamic evaluation.

    Every window is scored first and then trained on, by one step of plain gradient descent (Mikolov et al. 2010,
    Krause et al. 2018). The network's weights are others afterwards.

    Parameters
    ----------
    network
        The model.
    text
        What is read from the zero state, one after the other.
    rate
        Learning rate, for the cross-entropy summed over a window.
    steps
        Time steps of a window.

    Returns
    -------
    (N,)
        Nats, in the order of the text.

    Raises
    ------
    RnnlmError
        If a loss is no longer a finite number.
    """
    optimizer = SGD(network.parameters, network.gradients)
    results = []
    with np.errstate(all="ignore"):
        for reading in text:
            state = network.initial_state(1)
            for inputs, targets in reading.cut(steps):
                window = inputs[:, None], targets[:, None], np.ones((len(inputs), 1), bool), state
                scored, state = network.losses(*window)
                if not np.isfinite(scored).all():
                    raise RnnlmError(f"dynamic evaluation diverged at the rate {rate:g}; choose a smaller one.")
                results.append(scored)
                network.backpropagate(*window)
                optimizer.step(rate)
    return np.concatenate(results)
