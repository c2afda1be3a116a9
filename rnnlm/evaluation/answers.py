"""What measuring a classifier or a tagger gives."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnlm.evaluation.classes import ClassCounts
from rnnlm.evaluation.spans import SpanCounts, SpanTags, is_spans
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.tags import Tags


class ClassEvaluation:
    """How well the labels of texts are told.

    Attributes
    ----------
    labels
        The labels, in the order of their ids.
    counts
        Which were true and which were answered.
    nats
        Total cross-entropy of the texts whose label the model knows.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self.counts = ClassCounts(len(labels))
        self.nats = 0.0

    def add(self, log_probs: Floats, truth: Ids) -> None:
        """Count some answers: log-probabilities (N, K), and the true labels (N,), -1 for one that is not known."""
        self.counts.add(truth, log_probs.argmax(axis=1))
        known = np.flatnonzero(truth >= 0)
        self.nats -= float(log_probs[known, truth[known]].sum(dtype=np.float64))

    def __add__(self, other: "ClassEvaluation") -> "ClassEvaluation":
        total = ClassEvaluation(self.labels)
        total.counts, total.nats = self.counts + other.counts, self.nats + other.nats
        return total

    @property
    def cross_entropy(self) -> float:
        """Nats an answer, of those where the model knows the truth; 0 where there are none."""
        return self.nats / max(1, self.counts.total - self.counts.unseen)

    def measures(self) -> dict[str, float]:
        """Return accuracy and macro F1."""
        return {"accuracy": self.counts.accuracy, "macro_f1": self.counts.macro_f1}

    def to_dict(self) -> dict[str, Any]:
        """Return the measures, and those of each label, by their names in JSON."""
        counts = self.counts
        columns = (counts.precision, counts.recall, counts.f1, counts.true)
        return {
            **self.measures(),
            "examples": counts.total,
            "cross_entropy": self.cross_entropy,
            "unknown_labels": counts.unseen,
            "labels": {
                label: {"precision": float(p), "recall": float(r), "f1": float(f1), "examples": int(n)}
                for label, p, r, f1, n in zip(self.labels, *columns, strict=True)
            },
            "confusion": counts.confusion[:-1].tolist() if counts.has_confusion else None,
        }


class TagEvaluation:
    """How well the tags of tokens are told.

    Attributes
    ----------
    tags
        The tags.
    counts
        Which were true and which were answered.
    spans
        How many words or spans were found; None where tags mark none.
    nats
        Total cross-entropy of the tokens whose tag the model knows.
    """

    def __init__(self, tags: Tags) -> None:
        self.tags = tags
        self.counts = ClassCounts(len(tags))
        self.nats = 0.0
        self._span_tags = SpanTags(tags) if is_spans(tags) else None
        self.spans = SpanCounts() if self._span_tags else None

    def add(self, log_probs: Floats, answers: Ids, truth: Ids, lengths: Ids) -> None:
        """Count the answers to a batch of sentences.

        Parameters
        ----------
        log_probs : (T, B, K)
            Log-probabilities of all tags at each place.
        answers : (T, B)
            The tags that were answered.
        truth : (T, B)
            The true tags, -1 for one that is not known.
        lengths : (B,)
            How many tokens each sentence has.
        """
        # Sentence after sentence, without padding.
        own = (np.arange(len(truth))[:, None] < lengths).T
        by_token, answered, true = log_probs.transpose(1, 0, 2)[own], answers.T[own], truth.T[own]
        self.counts.add(true, answered)
        known = np.flatnonzero(true >= 0)
        self.nats -= float(by_token[known, true[known]].sum(dtype=np.float64))
        if self.spans is not None and self._span_tags is not None:
            self.spans += self._span_tags.count(true + 1, answered + 1, lengths.tolist())

    def __add__(self, other: "TagEvaluation") -> "TagEvaluation":
        total = TagEvaluation(self.tags)
        total.counts, total.nats = self.counts + other.counts, self.nats + other.nats
        if self.spans is not None and other.spans is not None:
            total.spans = self.spans + other.spans
        return total

    @property
    def cross_entropy(self) -> float:
        """Nats a token, of those where the model knows the truth; 0 where there are none."""
        return self.nats / max(1, self.counts.total - self.counts.unseen)

    def measures(self) -> dict[str, float]:
        """Return the accuracy and, where tags mark words or spans, before it F1, precision and recall of these."""
        accuracy = {"accuracy": self.counts.accuracy}
        if self.spans is None:
            return accuracy
        spans = {"f1": self.spans.f1, "precision": self.spans.precision, "recall": self.spans.recall}
        return spans | accuracy

    def to_dict(self) -> dict[str, Any]:
        """Return the measures by their names in JSON."""
        return {
            **self.measures(),
            "tokens": self.counts.total,
            "cross_entropy": self.cross_entropy,
            "unknown_tags": self.counts.unseen,
        }
