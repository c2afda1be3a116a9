"""How well a network predicts: cross-entropy, perplexity and what follows from them."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.evaluation.scoring import Losses
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.vocabulary import Vocabulary

TASKS_OF_PERPLEXITY = ("language_model", "translate")
"""Those whose models write: they are judged by the perplexity of what they are to write."""


@dataclass(frozen=True)
class LabelSums:
    """Sums over the predictions of the texts of a label: their cross-entropy in nats, and how many they are."""

    nats: float
    tokens: int

    def __add__(self, other: "LabelSums") -> "LabelSums":
        return LabelSums(self.nats + other.nats, self.tokens + other.tokens)

    @property
    def cross_entropy(self) -> float:
        """Nats per token."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """``exp(cross_entropy)``."""
        return perplexity(self.cross_entropy)

    def to_dict(self) -> dict[str, float | int]:
        """Return the measures by their names in JSON."""
        return {"tokens": self.tokens, "cross_entropy": self.cross_entropy, "perplexity": self.perplexity}


@dataclass(frozen=True)
class Evaluation:
    """Sums over the predictions of a text, and the measures made of them.

    Attributes
    ----------
    nats
        Total cross-entropy.
    tokens
        Predictions: words, or characters, and ends of sentences.
    unknown_nats, unknown_tokens
        The part of both where the unknown token was to be predicted.
    characters
        Length of the text, the end of a sentence counted as one.
    labels
        The sums by label, for a model that has labels; texts without a label that it knows are under None.
    """

    nats: float
    tokens: int
    unknown_nats: float
    unknown_tokens: int
    characters: int
    labels: dict[str | None, LabelSums] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        losses: Iterable[Losses],
        split: Split,
        vocabulary: Vocabulary,
        watch: Callable[[], None] = lambda: None,
    ) -> "Evaluation":
        """Add up the losses of a split, its windows in whatever order they come; `watch` is called at each."""
        labels = _Labels(split, vocabulary)
        nats = unknown_nats = 0.0
        tokens = unknown_tokens = 0
        for at, each in losses:
            watch()
            unknown = split.ids[at] == Vocabulary.unknown_id
            nats += float(each.sum(dtype=np.float64))
            unknown_nats += float(each[unknown].sum(dtype=np.float64))
            tokens += len(each)
            unknown_tokens += int(np.count_nonzero(unknown))
            labels.add(at, each)
        return cls(nats, tokens, unknown_nats, unknown_tokens, split.characters, labels.sums())

    def __add__(self, other: "Evaluation") -> "Evaluation":
        """Return the evaluation of two shares of the same text together."""
        none = LabelSums(0.0, 0)
        names = [*self.labels, *(name for name in other.labels if name not in self.labels)]
        labels = {name: self.labels.get(name, none) + other.labels.get(name, none) for name in names}
        return Evaluation(
            self.nats + other.nats,
            self.tokens + other.tokens,
            self.unknown_nats + other.unknown_nats,
            self.unknown_tokens + other.unknown_tokens,
            self.characters,
            labels,
        )

    @property
    def cross_entropy(self) -> float:
        """Nats per token."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """``exp(cross_entropy)``."""
        return perplexity(self.cross_entropy)

    @property
    def bits_per_token(self) -> float:
        """Cross-entropy in bits."""
        return self.cross_entropy / math.log(2)

    @property
    def bits_per_character(self) -> float:
        """Cross-entropy in bits for each character of the text, whatever the tokens are."""
        return self.nats / math.log(2) / self.characters

    @property
    def perplexity_without_unknown(self) -> float | None:
        """Perplexity over the tokens that are in the vocabulary; None where there are none."""
        known = self.tokens - self.unknown_tokens
        return perplexity((self.nats - self.unknown_nats) / known) if known else None

    def measures(self) -> dict[str, float]:
        """Return none: a language model has no measure beside the cross-entropy and what follows from it."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return the measures by their names in JSON."""
        known = {label: sums.to_dict() for label, sums in self.labels.items() if label is not None}
        unknown = self.labels.get(None)
        return {
            "cross_entropy": self.cross_entropy,
            "perplexity": self.perplexity,
            "bits_per_token": self.bits_per_token,
            "bits_per_character": self.bits_per_character,
            "tokens": self.tokens,
            "unknown_tokens": self.unknown_tokens,
            "perplexity_without_unknown": self.perplexity_without_unknown,
            **({"labels": known} if self.labels else {}),
            **({"unknown_labels": unknown.to_dict()} if unknown else {}),
        }


class _Labels:
    """Adds up the losses of a split by the labels of its texts, if the vocabulary has any."""

    def __init__(self, split: Split, vocabulary: Vocabulary) -> None:
        self._names = [None, *vocabulary.labels]
        self._first = vocabulary.first_label_id
        # Signed like places: NumPy would make floats of both.
        self._ids, self._offsets = split.ids, np.asarray(split.offsets).view(np.int64)
        self._nats, self._tokens = np.zeros(len(self._names)), np.zeros(len(self._names), np.int64)

    def add(self, at: Ids, losses: Floats) -> None:
        """Add the losses (N,) of the tokens in some places (N,)."""
        if len(self._names) == 1:
            return
        begins = self._offsets[np.searchsorted(self._offsets, at, side="right") - 1]
        numbers = np.maximum(self._ids[begins].astype(np.intp) - self._first + 1, 0)
        self._nats += np.bincount(numbers, losses, len(self._names))
        self._tokens += np.bincount(numbers, minlength=len(self._names))

    def sums(self) -> dict[str | None, LabelSums]:
        """Return what was added, for each label of which there are tokens."""
        every = zip(self._names, self._nats.tolist(), self._tokens.tolist(), strict=True)
        return {name: LabelSums(nats, tokens) for name, nats, tokens in every if tokens}


def perplexity(cross_entropy: float) -> float:
    """Return ``exp(cross_entropy)``; the largest float where it is larger than that, as JSON has no infinity."""
    largest = sys.float_info.max
    return largest if cross_entropy >= math.log(largest) else math.exp(cross_entropy)


def rounded(perplexity: float | None) -> str:
    """Write a perplexity with two decimals, one that overflows without its hundreds of digits, - for none."""
    if perplexity is None:
        return "-"
    return f"{perplexity:.2f}" if perplexity < 1e9 else f"{perplexity:.3g}"
