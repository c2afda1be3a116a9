"""What a model computed while it read a text, token by token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnlm.models.translator import Alignment
from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.heads.head import Head
from rnnlm.nn.layer import Layer

MOST_LIKELY = 10
"""Answers that are kept of each prediction."""

BLOCK = 1 << 22
"""Log-probabilities that are looked at at a time."""

MOST_TOKENS = 20_000
"""Tokens that are read at most: as many as a page shows without delay."""

MOST_VALUES = 50_000_000
"""Values of units that are kept at most; a network that has very many of them reads a shorter text."""


class Document(NamedTuple):
    """A text, and its label where it has one."""

    text: str
    label: str | None = None


class Token(NamedTuple):
    """A token as it is shown.

    Attributes
    ----------
    text
        The token as it is written.
    role
        ``word``; ``unknown``, a word that is read as the unknown token; ``end``, of a sentence or a text.
    space
        Whether a space stands before it.
    begins
        ``text`` or ``sentence`` where it is the first of one, else "".
    label
        A name that goes with it: the label of its text, or its own tag; None where there is none.
    """

    text: str
    role: str = "word"
    space: bool = False
    begins: str = ""
    label: str | None = None


@dataclass(frozen=True)
class Predictions:
    """What was predicted at N tokens.

    Attributes
    ----------
    answers
        What a prediction chooses from.
    log_probs : (N,)
        Natural logarithm of the probability of the answer that came; NaN where nothing was predicted.
    ranks : (N,)
        How many answers were at least as likely as that one, itself included; 0 where nothing was predicted.
    likeliest : (N, K)
        The ids of the most likely answers, the first first; -1 where nothing was predicted.
    probabilities : (N, K)
        Their probabilities.
    """

    answers: Sequence[str]
    log_probs: Floats
    ranks: Ids
    likeliest: Ids
    probabilities: Floats

    @classmethod
    def none(cls, answers: Sequence[str], size: int) -> "Predictions":
        """Make room for the predictions at some tokens."""
        few = min(MOST_LIKELY, len(answers))
        return cls(
            answers,
            np.full(size, np.nan),
            np.zeros(size, np.int32),
            np.full((size, few), -1, np.int32),
            np.zeros((size, few), np.float32),
        )

    def add(self, places: Ids, log_probs: Floats, came: Ids) -> None:
        """Enter the log-probabilities of all answers (N', C) at some places (N',), and the answers that came."""
        of_answer = log_probs[np.arange(len(came)), came]
        self.log_probs[places] = of_answer
        self.ranks[places] = (log_probs >= of_answer[:, None]).sum(axis=1)
        few = self.likeliest.shape[1]
        likeliest = np.argpartition(-log_probs, few - 1, axis=1)[:, :few]
        of_likeliest = np.take_along_axis(log_probs, likeliest, axis=1)
        order = np.argsort(-of_likeliest, axis=1, kind="stable")
        self.likeliest[places] = np.take_along_axis(likeliest, order, axis=1)
        self.probabilities[places] = np.exp(np.take_along_axis(of_likeliest, order, axis=1))

    def add_rows(self, places: Ids, head: Head, rows: Floats, came: Ids) -> None:
        """Do as `add` with what a head makes of some rows (N', H), in bounded memory."""
        step = max(1, BLOCK // len(self.answers))
        for start in range(0, len(rows), step):
            some = slice(start, start + step)
            self.add(places[some], head.log_probs(rows[some]), came[some])

    @property
    def surprises(self) -> Floats:
        """Bits that the answers which came tell: ``-log2 p``, (N,)."""
        bits: Floats = -self.log_probs / np.log(2)
        return bits


@dataclass(frozen=True)
class Activations:
    """What a layer computed at N tokens.

    Attributes
    ----------
    name
        What the layer is called.
    parts
        By name, as `nn.layer.Layer.activations` has it, each (N, H).
    read : (N,)
        Which of the tokens the layer has read; the values of others are 0.
    """

    name: str
    parts: dict[str, Floats]
    read: Mask


def most_tokens(layers: Sequence[Layer]) -> int:
    """Return how many tokens are read with some layers, just after they have read one."""
    values = sum(int(values.shape[2]) for layer in layers for values in layer.activations().values())
    return max(1, min(MOST_TOKENS, MOST_VALUES // values))


class LayerValues:
    """Collects what some layers compute at N tokens, window by window.

    Parameters
    ----------
    layers
        The layers, the lowest first.
    size
        N.
    of
        What the layers are part of, such as "encoder, "; "" where there is but one stack of them.
    """

    def __init__(self, layers: Sequence[Layer], size: int, of: str = "") -> None:
        self._layers, self._size, self._of = layers, size, of
        self._parts: list[dict[str, Floats]] = [{} for _ in layers]
        self._read = np.zeros(size, bool)

    def add(self, places: Ids, steps: Mask) -> None:
        """Enter the layers' last window: the steps that are true of (T, B), in row order, stand at some places."""
        self._read[places] = True
        for layer, parts in zip(self._layers, self._parts, strict=True):
            for name, values in layer.activations().items():
                if name not in parts:
                    parts[name] = np.zeros((self._size, values.shape[2]), np.float32)
                parts[name][places] = values[steps]

    def activations(self) -> list[Activations]:
        """Return what was collected, without layers that have read nothing."""
        named = enumerate(self._parts, start=1)
        return [Activations(f"{self._of}layer {k}", parts, self._read) for k, parts in named if parts]


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it.

    Attributes
    ----------
    model
        The model, in one line.
    answer
        What is predicted: a "token", a "label" or a "tag".
    tokens
        The N tokens.
    predictions
        What it expected at each.
    layers
        What its layers computed.
    alignments
        Where a translator looked.
    is_whole
        Whether there was room for all of the text.
    """

    model: str
    answer: str
    tokens: list[Token]
    predictions: Predictions
    layers: list[Activations]
    alignments: Sequence[Alignment] = ()
    is_whole: bool = True

    @property
    def bits(self) -> float | None:
        """The mean surprise of what was predicted; None where nothing was."""
        surprises = self.predictions.surprises[self.predictions.ranks > 0]
        return float(surprises.mean()) if len(surprises) else None
