"""Linear interpolation of a network with another language model."""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import open_lines
from rnnlm.ngram import NgramModel
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.vocabulary import Vocabulary

TOLERANCE = 1e-6
"""The weight is found when a step of EM changes it by less."""


class Predictor(Protocol):
    """Another language model, with the vocabulary of the network."""

    def log_probs(self, ids: Ids) -> Floats:
        """Return the natural log-probability of every prediction of sentences ``START w1 … wn END``, (N,)."""


@dataclass(frozen=True)
class Interpolation:
    """The mixture ``w P_network + (1 - w) P_other``.

    Attributes
    ----------
    other
        The other model.
    weight
        w, above 0 and at most 1.
    """

    other: Predictor
    weight: float

    def mix(self, log_probs: Floats, ids: Ids) -> Floats:
        """Return the mixture's log-probabilities for the network's (N,) of sentences `ids`."""
        return mix(self.weight, log_probs, self.other.log_probs(ids))


def mix(weight: float, first: Floats, second: Floats) -> Floats:
    """Return ``log(w exp(first) + (1 - w) exp(second))``."""
    with np.errstate(divide="ignore"):  # log 0 is -inf, as it should be
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
    first = first.astype(np.float64)
    weight, change = 0.5, math.inf
    while change > TOLERANCE:
        posterior = np.exp(math.log(weight) + first - mix(weight, first, second))
        fitted = max(float(posterior.mean()), sys.float_info.min)
        change, weight = abs(fitted - weight), fitted
    return weight


class TokenProbabilities:
    """What some other model gave the tokens of one text: the file of rnnlm's ``-lm-prob``.

    Parameters
    ----------
    path
        A text file, gzip-compressed if its name ends in ``.gz``. A line begins with the probability of the next
        token, ends of sentences included; what follows on the line is not read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def log_probs(self, ids: Ids) -> Floats:
        """Return the natural logarithms of the file's probabilities; `ids` must have as many predictions.

        Raises
        ------
        RnnlmError
            If it has not, or a line does not begin with a probability.
        """
        probabilities = []
        with open_lines(self.path) as lines:
            for number, line in enumerate(lines, 1):
                probability = _first_number(line)
                if probability is None or not 0 <= probability <= 1:
                    raise RnnlmError(
                        f"{self.path}, line {number}: it should begin with a probability from 0 to 1,"
                        " that of one token; write one token a line."
                    )
                probabilities.append(probability)
        predictions = np.count_nonzero(ids != Vocabulary.start_id)
        if len(probabilities) != predictions:
            raise RnnlmError(
                f"{self.path}: it has {len(probabilities):,} probabilities, but the text {predictions:,} tokens;"
                " give those of this text, ends of sentences included, and --weight if they are not of the"
                " validation split."
            )
        with np.errstate(divide="ignore"):
            return np.log(probabilities)


def open_predictor(path: Path, vocabulary: Vocabulary) -> Predictor:
    """Open an ARPA n-gram model, or a file of probabilities, whose first line begins with a number."""
    with open_lines(path) as lines:
        first = next(lines, b"")
    return NgramModel.load(path, vocabulary) if _first_number(first) is None else TokenProbabilities(path)


def _first_number(line: bytes) -> float | None:
    try:
        return float(line.split()[0])
    except (IndexError, ValueError):
        return None
