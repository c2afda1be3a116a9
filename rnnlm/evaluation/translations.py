"""What measuring a translator gives."""

from dataclasses import dataclass
from typing import Any

from rnnlm.evaluation.perplexity import perplexity


@dataclass(frozen=True)
class TranslationEvaluation:
    """How well targets are told from their sources.

    Attributes
    ----------
    nats
        Total cross-entropy of the targets.
    tokens
        Their tokens, each with an end.
    examples
        Pairs.
    bleu
        BLEU of the translations; None where nothing was translated.
    """

    nats: float
    tokens: int
    examples: int
    bleu: float | None = None

    def __add__(self, other: "TranslationEvaluation") -> "TranslationEvaluation":
        return TranslationEvaluation(
            self.nats + other.nats, self.tokens + other.tokens, self.examples + other.examples
        )

    @property
    def cross_entropy(self) -> float:
        """Nats a token."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """``exp`` of the cross-entropy."""
        return perplexity(self.cross_entropy)

    def measures(self) -> dict[str, float]:
        """Return nothing: the loss chooses the best translator, as translating takes long."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return the measures by their names in JSON."""
        return {
            "perplexity": self.perplexity,
            "bleu": self.bleu,
            "examples": self.examples,
            "cross_entropy": self.cross_entropy,
            "tokens": self.tokens,
        }
