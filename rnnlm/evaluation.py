"""How well a network predicts: cross-entropy, perplexity and what follows from them."""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rnnlm.dataset.batches import Batch, SentenceBatches, StreamBatches
from rnnlm.dataset.store import Split
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.text.vocabulary import Vocabulary

BATCH_SIZE = 32
SHORTEST_STREAM = 1024
"""A split is not cut into streams shorter than this: each begins without knowing what came before."""
STREAM_WINDOW = 64


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
    def of(cls, losses: Floats, split: Split) -> "Evaluation":
        """Add up the losses of the predictions of a split, (N,) in the order of the text."""
        unknown = split.ids[split.ids != Vocabulary.start_id] == Vocabulary.unknown_id
        return cls(
            float(losses.sum(dtype=np.float64)),
            len(losses),
            float(losses[unknown].sum(dtype=np.float64)),
            int(np.count_nonzero(unknown)),
            split.characters,
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


def evaluate(
    network: Network, split: Split, batching: str, *, watch: Callable[[], None] = lambda: None
) -> Evaluation:
    """Measure a network on a split.

    Parameters
    ----------
    network
        The model.
    split
        The text; it must not be empty.
    batching
        "sentences" or "stream": whether each sentence begins from the zero state or goes on from the one before,
        as in the network's training.
    watch
        Called before every batch; what it raises ends the evaluation.
    """
    nats = unknown_nats = 0.0
    tokens = unknown_tokens = 0
    state = network.initial_state(0)
    for batch in _batches(split, batching):
        watch()
        if not batch.continues:
            state = network.initial_state(batch.inputs.shape[1])
        losses, state = network.losses(batch.inputs, batch.targets, batch.mask, state)
        unknown = batch.targets[batch.mask] == Vocabulary.unknown_id
        nats += float(losses.sum(dtype=np.float64))
        unknown_nats += float(losses[unknown].sum(dtype=np.float64))
        tokens += len(losses)
        unknown_tokens += int(np.count_nonzero(unknown))
    return Evaluation(nats, tokens, unknown_nats, unknown_tokens, split.characters)


def _batches(split: Split, batching: str) -> Iterator[Batch]:
    if batching == "sentences":
        return SentenceBatches(split, BATCH_SIZE).epoch(0)
    return StreamBatches(split, number_of_streams(split), STREAM_WINDOW).epoch(0)


def number_of_streams(split: Split) -> int:
    """Return into how many streams a split is cut, to be read side by side."""
    return min(BATCH_SIZE, max(1, split.num_tokens // SHORTEST_STREAM))
