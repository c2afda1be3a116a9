"""Rescoring of n-best lists, the hypotheses of a recognizer or translator."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, tee

from rnnlm.errors import RnnlmError
from rnnlm.evaluation.interpolation import Interpolation
from rnnlm.evaluation.scorer import Scorer


@dataclass(frozen=True)
class Hypothesis:
    """A line of an n-best list.

    Attributes
    ----------
    id
        What it is a hypothesis of, such as an utterance.
    text
        Its words.
    score
        What it was given before, by an acoustic model for example: a logarithm, the larger the better.
    """

    id: str
    text: str
    score: float


@dataclass(frozen=True)
class Rescored:
    """A hypothesis and what the language model says.

    Attributes
    ----------
    log10_prob
        Base-10 logarithm of its probability, the end of the sentence included.
    total
        The hypothesis's own score, and the language model's times its weight.
    """

    hypothesis: Hypothesis
    log10_prob: float
    total: float


def read_nbest(lines: Iterable[str], source: str) -> Iterator[Hypothesis]:
    """Yield the hypotheses of an n-best list; blank lines are passed over. `source` is its name, for messages.

    A line is ``id word1 word2 …``, as for Mikolov's rnnlm, or ``id ||| words ||| … ||| score``, as from Moses,
    where the score may be missing.

    Raises
    ------
    RnnlmError
        If a line is neither.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if "|||" in line:
            name, text, *scores = (field.strip() for field in line.split("|||"))
        else:
            name, *words = line.split()
            text, scores = " ".join(words), []
        try:
            score = float(scores[-1]) if scores else 0.0
        except ValueError:
            score = math.nan
        if not name or not math.isfinite(score):
            raise RnnlmError(
                f"{source}, line {number}: it is not a hypothesis; write 'id words', or 'id ||| words ||| score'"
                " with a number for the score."
            )
        yield Hypothesis(name, text, score)


def rescore(
    scorer: Scorer,
    hypotheses: Iterable[Hypothesis],
    *,
    weight: float = 1.0,
    interpolation: Interpolation | None = None,
    label: str | None = None,
) -> Iterator[Rescored]:
    """Yield each hypothesis with the language model's score; every one begins from the zero state.

    Parameters
    ----------
    scorer, interpolation
        The language model, and another to mix with it.
    hypotheses
        The n-best list, read as it is needed.
    weight
        The factor of the language model's base-10 logarithm in the total.
    label
        As for `Scorer.scores`.
    """
    hypotheses, again = tee(hypotheses)
    texts = (each.text for each in again)
    scores = scorer.scores(texts, interpolation=interpolation, one_sentence=True, label=label)
    for score, hypothesis in zip(scores, hypotheses, strict=True):
        log10_prob = score.log_prob / math.log(10)
        yield Rescored(hypothesis, log10_prob, hypothesis.score + weight * log10_prob)


def best(rescored: Iterable[Rescored]) -> Iterator[Rescored]:
    """Yield the hypothesis with the highest total, the first of equals, of each run of lines with one id."""
    for _, of_id in groupby(rescored, lambda each: each.hypothesis.id):
        yield max(of_id, key=lambda each: each.total)
