"""How well a network predicts: cross-entropy, perplexity and what follows from them."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.evaluation.scoring import Losses
from rnnlm.text.vocabulary import Vocabulary


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
    """

    nats: float
    tokens: int
    unknown_nats: float
    unknown_tokens: int
    characters: int

    @classmethod
    def of(cls, losses: Iterable[Losses], split: Split, watch: Callable[[], None] = lambda: None) -> "Evaluation":
        """Add up the losses of a split, its windows in whatever order they come; `watch` is called at each."""
        nats = unknown_nats = 0.0
        tokens = unknown_tokens = 0
        for at, each in losses:
            watch()
            unknown = split.ids[at] == Vocabulary.unknown_id
            nats += float(each.sum(dtype=np.float64))
            unknown_nats += float(each[unknown].sum(dtype=np.float64))
            tokens += len(each)
            unknown_tokens += int(np.count_nonzero(unknown))
        return cls(nats, tokens, unknown_nats, unknown_tokens, split.characters)

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

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the measures by their names in JSON."""
        return {
            "cross_entropy": self.cross_entropy,
            "perplexity": self.perplexity,
            "bits_per_token": self.bits_per_token,
            "bits_per_character": self.bits_per_character,
            "tokens": self.tokens,
            "unknown_tokens": self.unknown_tokens,
            "perplexity_without_unknown": self.perplexity_without_unknown,
        }


def perplexity(cross_entropy: float) -> float:
    """Return ``exp(cross_entropy)``; the largest float where it is larger than that, as JSON has no infinity."""
    largest = sys.float_info.max
    return largest if cross_entropy >= math.log(largest) else math.exp(cross_entropy)


def rounded(perplexity: float | None) -> str:
    """Write a perplexity with two decimals, one that overflows without its hundreds of digits, - for none."""
    if perplexity is None:
        return "-"
    return f"{perplexity:.2f}" if perplexity < 1e9 else f"{perplexity:.3g}"
