"""How well a network predicts: cross-entropy, perplexity and what follows from them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rnnlm.dataset.batches import Batch, SentenceBatches, StreamBatches
from rnnlm.dataset.store import Split
from rnnlm.nn.network import Network

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
    """

    nats: float
    tokens: int
    unknown_nats: float
    unknown_tokens: int

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
    def perplexity_without_unknown(self) -> float | None:
        """Perplexity over the tokens that are in the vocabulary; None where there are none."""
        known = self.tokens - self.unknown_tokens
        return perplexity((self.nats - self.unknown_nats) / known) if known else None


def perplexity(cross_entropy: float) -> float:
    """Return ``exp(cross_entropy)``, infinite where that is beyond a float."""
    return math.exp(cross_entropy) if cross_entropy < 709 else math.inf


def evaluation_batches(split: Split, batching: str, end_id: int) -> Iterable[Batch]:
    """Cut a split into batches the way a network was trained: by sentences, or as a stream.

    Parameters
    ----------
    split
        What to evaluate on.
    batching
        "sentences" or "stream", as in the configuration.
    end_id
        Id of the token that ends a sentence.
    """
    if batching == "sentences":
        return SentenceBatches(split, BATCH_SIZE).epoch(0)
    streams = min(BATCH_SIZE, max(1, split.num_tokens // SHORTEST_STREAM))
    return StreamBatches(split, streams, STREAM_WINDOW, end_id).epoch(0)


def evaluate(network: Network, batches: Iterable[Batch], unknown_id: int) -> Evaluation:
    """Measure a network on batches.

    Parameters
    ----------
    network
        The model.
    batches
        What `evaluation_batches` gives.
    unknown_id
        Id of the unknown token.
    """
    nats = unknown_nats = 0.0
    tokens = unknown_tokens = 0
    state = network.initial_state(0)
    for batch in batches:
        if not batch.continues:
            state = network.initial_state(batch.inputs.shape[1])
        losses, state = network.losses(batch.inputs, batch.targets, batch.mask, state)
        unknown = batch.targets[batch.mask] == unknown_id
        nats += float(losses.sum(dtype=np.float64))
        unknown_nats += float(losses[unknown].sum(dtype=np.float64))
        tokens += len(losses)
        unknown_tokens += int(np.count_nonzero(unknown))
    return Evaluation(nats, tokens, unknown_nats, unknown_tokens)
