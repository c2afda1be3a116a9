"""Linear interpolation of a network with another language model."""

import math
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np

from rnnlm.dataset.windows import sentence_starts
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.ngram import NgramModel
from rnnlm.evaluation.scoring import Losses
from rnnlm.files import open_lines
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.vocabulary import Vocabulary

TOLERANCE = 1e-6
"""The weight is found when a step of EM changes it by less."""

BLOCK = 1 << 16
"""Tokens that are worked on at once."""


class Predictor(Protocol):
    """Another language model, with the vocabulary of the network."""

    def of_text(self, ids: Ids) -> Callable[[Ids], Floats]:
        """Read a text, sentences ``START w1 … wn END``.

        Returns a function from the places of predicted tokens in it, (N,), to their natural log-probabilities.
        """


@dataclass(frozen=True)
class Interpolation:
    """The mixture ``w P_network + (1 - w) P_other``; `weight` is w, above 0 and at most 1."""

    other: Predictor
    weight: float

    def losses(self, of_network: Iterable[Losses], ids: Ids) -> Iterator[Losses]:
        """Yield the mixture's losses for the network's losses of a text, sentences ``START w1 … wn END``.

        Raises
        ------
        RnnlmError
            If the network overflows: the other model would hide it.
        """
        other = self.other.of_text(ids)
        for at, nats in of_network:
            refuse_overflow(nats)
            yield at, -mix(self.weight, -nats, other(at))


def mix(weight: float, first: Floats, second: Floats) -> Floats:
    """Return ``log(w exp(first) + (1 - w) exp(second))``."""
    mixed: Floats = np.logaddexp(np.log(weight) + first, np.log1p(-weight) + second)
    return mixed


def fit_weight(first: Floats, second: Floats) -> float:
    """Find the weight of `first` with which the mixture of two models gives a text the highest probability.

    Expectation maximization: the new weight is the mean probability, given the token, that it came from the first.

    Parameters
    ----------
    first, second : (N,)
        The models' log-probabilities of the tokens of a text.
    """
    weight, change = 0.5, math.inf
    while change > TOLERANCE:
        total = 0.0
        for k in range(0, len(first), BLOCK):
            of_first, of_second = first[k : k + BLOCK].astype(np.float64), second[k : k + BLOCK]
            total += float(np.exp(math.log(weight) + of_first - mix(weight, of_first, of_second)).sum())
        fitted = max(total / len(first), sys.float_info.min)
        change, weight = abs(fitted - weight), fitted
    return weight


class TokenProbabilities:
    """What some other model gave the tokens of one text: the file of rnnlm's ``-lm-prob``.

    Each of its lines begins with the probability of the next token, ends of sentences included; what follows is
    not read. `path` is its name, for messages.
    """

    def __init__(self, path: Path, lines: Iterable[bytes]) -> None:
        self.path = path
        self.probabilities = array("d")
        for number, line in enumerate(lines, 1):
            probability = _first_number(line)
            if probability is None or not 0 <= probability <= 1:
                raise RnnlmError(
                    f"{path}, line {number}: it should begin with a probability from 0 to 1,"
                    " that of one token; write one token a line."
                )
            self.probabilities.append(probability)

    def of_text(self, ids: Ids) -> Callable[[Ids], Floats]:
        """Do what a `Predictor` does; the text must have as many predictions as the file has lines."""
        predicted = ~sentence_starts(ids)
        predictions = np.count_nonzero(predicted)
        if len(self.probabilities) != predictions:
            raise RnnlmError(
                f"{self.path}: it has {len(self.probabilities):,} probabilities, but the text {predictions:,}"
                " tokens; give those of this text, ends of sentences included, and `weight` if they are not of the"
                " validation split."
            )
        log_probs = np.zeros(len(ids))
        log_probs[predicted] = np.log(self.probabilities)
        return log_probs.__getitem__


def open_predictor(path: Path, vocabulary: Vocabulary) -> Predictor:
    """Read an ARPA n-gram model, or a file of probabilities, whose first line begins with a number.

    The file is read once and may be a pipe; it is decompressed if its name ends in ``.gz``.
    """
    with open_lines(path) as lines:
        first = next(lines, b"")
        lines = chain([first], lines)
        if _first_number(first) is None:
            return NgramModel.read(path, lines, vocabulary)
        return TokenProbabilities(path, lines)


def _first_number(line: bytes) -> float | None:
    try:
        return float(line.split()[0])
    except (IndexError, ValueError):
        return None
