"""Spans that tags mark, such as names or words, and how many of them were found: precision, recall, F1."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.text.tags import Tags

OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)
ROLES = {"O": OUTSIDE, "B": BEGIN, "I": INSIDE, "M": INSIDE, "E": END, "L": END, "S": SINGLE, "U": SINGLE}
"""What the first letter of a tag says: IOB, IOBES or BMES, and BILOU, which has L and U for E and S."""
MARK = re.compile(r"O|[BIMELSU](?:-.+)?")

_ENDS = np.zeros((5, 5), bool)
_ENDS[[END, SINGLE], :] = True
_ENDS[[[BEGIN], [INSIDE]], [BEGIN, SINGLE, OUTSIDE]] = True
"""Whether a span ends between a tag (row) and the next one (column), whatever their types."""
_STARTS = np.zeros((5, 5), bool)
_STARTS[:, [BEGIN, SINGLE]] = True
_STARTS[[[OUTSIDE], [END], [SINGLE]], [INSIDE, END]] = True
"""Whether a span starts with the next one."""


@dataclass(frozen=True)
class SpanCounts:
    """How many spans are true, predicted and both; counts of several texts add up.

    A predicted span is correct if a true one has the same beginning, end and type. What would be divided by zero
    is 0.
    """

    true: int = 0
    predicted: int = 0
    correct: int = 0

    def __add__(self, other: "SpanCounts") -> "SpanCounts":
        return SpanCounts(self.true + other.true, self.predicted + other.predicted, self.correct + other.correct)

    @property
    def precision(self) -> float:
        """The share of the predicted spans that are correct."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of the true spans that were predicted."""
        return self.correct / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        found = self.true + self.predicted
        return 2 * self.correct / found if found else 0.0


class Span(NamedTuple):
    """The tokens from `start` up to, not including, `stop`; `type` is empty where tags have none."""

    type: str
    start: int
    stop: int


def is_spans(tags: Tags) -> bool:
    """Return whether tags mark spans: B-, I- and the like, O, or the characters of words."""
    marks = all(MARK.fullmatch(name) for name in tags.names)
    return tags.segmented or (marks and any(ROLES[name[0]] in (BEGIN, INSIDE) for name in tags.names))


class SpanTags:
    """Finds the spans that tags mark, also where a sequence of tags is not well-formed.

    A span ends at E and S, before B, S and O, where the type changes, and at the end of a sentence; whatever is
    neither O nor in a span starts one. With the prefixes B, I, E and S this is what ``seqeval`` does by default.
    The tag with the id 0, which no training text had, is inside of a span of a type of its own, so it is never
    found; among characters it goes on a word.

    Parameters
    ----------
    tags
        The tags; see `is_spans`.
    """

    def __init__(self, tags: Tags) -> None:
        types = {"": 0}
        names = [name.partition("-")[2] for name in tags.names]
        unseen = 0 if tags.segmented else -1
        self._roles = np.array([INSIDE, *(ROLES[name[0]] for name in tags.names)])
        self._types = np.array([unseen, *(types.setdefault(name, len(types)) for name in names)])
        self._type_names = [*types, ""]  # the last is that of the tag 0

    def count(self, true: ArrayLike, predicted: ArrayLike, lengths: Sequence[int]) -> SpanCounts:
        """Compare the spans of sentences that stand one after the other.

        Parameters
        ----------
        true, predicted
            Ids of tags, as `Tags.encode` gives them: 0 for a tag that is not known.
        lengths
            How many tokens each sentence has.
        """
        one, other = self._found(true, lengths), self._found(predicted, lengths)
        same = one.stops & other.stops & (one.starts == other.starts) & (one.types == other.types)
        return SpanCounts(*(int(np.count_nonzero(ends)) for ends in (one.stops, other.stops, same)))

    def spans(self, ids: ArrayLike) -> list[Span]:
        """Return the spans of one sentence, given the ids of its tags."""
        found = self._found(ids, [len(np.asarray(ids))])
        return [
            Span(self._type_names[found.types[stop]], int(found.starts[stop]), int(stop))
            for stop in np.flatnonzero(found.stops)
        ]

    def _found(self, ids: ArrayLike, lengths: Sequence[int]) -> "_Found":
        ids = np.asarray(ids, np.int64)
        ends = np.cumsum(lengths, dtype=np.int64)
        # One O after each sentence ends its spans.
        roles = np.insert(self._roles[ids], ends, OUTSIDE)
        types = np.insert(self._types[ids], ends, 0)
        before, type_before = np.roll(roles, 1), np.roll(types, 1)
        changes = types != type_before
        stops = _ENDS[before, roles] | (changes & (before != OUTSIDE))
        begins = _STARTS[before, roles] | (changes & (roles != OUTSIDE))
        places = np.arange(len(roles))
        last = np.maximum.accumulate(np.where(begins, places, 0))
        return _Found(stops, np.roll(last, 1), type_before)


class _Found(NamedTuple):
    """Where spans stop, and at each place where the one that stops there started, and its type."""

    stops: NDArray[np.bool_]
    starts: NDArray[Any]
    types: NDArray[Any]
