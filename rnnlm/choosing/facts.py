"""What the rules know of a text and of a budget."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.store import CHUNK, Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.text.vocabulary import Vocabulary

LARGE_VOCABULARY = 512
"""Tokens from which a vocabulary is one of words, parts of words or Chinese characters, not of an alphabet."""

COVERED = (0.8, 0.95)
"""Shares of the text that the first clusters of an adaptive softmax are to have."""


@dataclass(frozen=True)
class Facts:
    """What is counted in a dataset.

    Attributes
    ----------
    path
        The dataset.
    tokens, sentences
        Predictions of an epoch, and the sentences (or whole texts) that they are in.
    valid_tokens
        Predictions of an evaluation.
    vocabulary_size
        Tokens in the vocabulary.
    unknown_tokens
        Of the `tokens`, those that the vocabulary does not have.
    cutoffs
        Ids before which 80 % and 95 % of the text lie.
    unigram_loss
        Nats a prediction of the validation split by the frequencies of the training text alone; None where there
        is no such split.
    is_of_words
        Whether the text was cut into words, not into characters.
    """

    path: str
    tokens: int
    sentences: int
    valid_tokens: int
    vocabulary_size: int
    unknown_tokens: int
    cutoffs: tuple[int, int]
    unigram_loss: float | None
    is_of_words: bool

    @classmethod
    def of(cls, dataset: Dataset) -> "Facts":
        """Count; refuse a dataset that is not for a language model, or has nothing to train on."""
        refuse_other_tasks(dataset)
        if dataset.train.num_tokens == 0:
            raise RnnlmError(f"{dataset.path}: the training split is empty; preprocess more text.")
        vocabulary = dataset.vocabulary
        counts, of_valid = (_counts(split, vocabulary) for split in (dataset.train, dataset.valid))
        sums = np.cumsum(counts)
        first, second = (int(np.searchsorted(sums, share * sums[-1])) for share in COVERED)
        return cls(
            path=str(dataset.path),
            tokens=dataset.train.num_tokens,
            sentences=dataset.train.num_sentences,
            valid_tokens=dataset.valid.num_tokens,
            vocabulary_size=len(vocabulary),
            unknown_tokens=dataset.train.unknown_tokens,
            cutoffs=(first, second),
            unigram_loss=_unigram_loss(counts, of_valid),
            is_of_words=vocabulary.settings.level == "word",
        )

    @property
    def has_words(self) -> bool:
        """Whether the tokens are words or parts of words, of which there are many."""
        return self.vocabulary_size >= LARGE_VOCABULARY

    @property
    def tokens_per_sentence(self) -> float:
        """The mean length of a sentence."""
        return self.tokens / self.sentences


def _counts(split: Split, vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Count the predictions of each token."""
    counts = np.zeros(len(vocabulary), np.int64)
    for start in range(0, len(split.ids), CHUNK):
        counts += np.bincount(split.ids[start : start + CHUNK], minlength=len(vocabulary))
    counts[vocabulary.start_ids] = 0
    return counts


def _unigram_loss(counts: NDArray[np.int64], of_valid: NDArray[np.int64]) -> float | None:
    """Return the mean loss of predictions by frequency; half a time is added to every token's."""
    if not of_valid.any():
        return None
    smoothed = counts + 0.5
    return float(-np.average(np.log(smoothed / smoothed.sum()), weights=of_valid))


def refuse_other_tasks(dataset: Dataset) -> None:
    """Refuse what is made for taggers and translators, for which there are no rules."""
    for is_one, what, example in (
        (dataset.tags is not None, "tagged tokens", "pos"),
        (dataset.source_vocabulary is not None, "pairs of texts", "translate-attention"),
    ):
        if is_one:
            raise RnnlmError(
                f"{dataset.path}: a dataset of {what}, and the rules are for language models; begin with "
                f"configs/{example}.yaml."
            )


@dataclass(frozen=True)
class Budget:
    """How long to train: some seconds, or some epochs however long they take; one of the two is None."""

    seconds: float | None = None
    epochs: int | None = None

    def overrides(self) -> tuple[str, ...]:
        """Return what changes the limits of a configuration to this budget; see `Config.load`."""
        limits = {"training.max_seconds": self.seconds, "training.epochs": self.epochs}
        return tuple(f"{name}={value}" for name, value in limits.items() if value is not None)


TEN_MINUTES = Budget(600.0)
