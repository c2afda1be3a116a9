"""How well a unit of a network says something that a person can name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnlm.inspect.properties import Property
from rnnlm.inspect.reading import Activations
from rnnlm.nn.arrays import Floats, Mask

TURNS = 19
"""How often a text is turned to find what chance gives: one in 20 tries of chance is above all of these."""

UNITS_NAMED = 5
"""Units that are named for each property."""

UNITS_TOGETHER = 64


@dataclass(frozen=True)
class Scores:
    """How well the units of a network say some properties of the text that it reads.

    Attributes
    ----------
    properties
        The P properties.
    of_parts
        By the number of the layer and the name of its part, the scores of its units, (H, P), from -1 to 1.
    chance : (P,)
        The largest score, without its sign, that any unit reaches where properties stand beside other tokens than
        their own.
    """

    properties: Sequence[Property]
    of_parts: dict[tuple[int, str], Floats]
    chance: Floats


@dataclass(frozen=True)
class Found:
    """A unit that says a property: the number of its layer, the part, its number in that, and its score."""

    layer: int
    part: str
    unit: int
    score: float


def measure(layers: Sequence[Activations], properties: Sequence[Property]) -> Scores:
    """Measure how well each unit of some layers says each property.

    Only ranks count, so that it does not matter how a unit's values are spread. For what is there or not the score
    is 2 A - 1, where A is the chance that the unit is higher at a token which has the property than at one which
    has not (Mann and Whitney 1947); for an amount it is the correlation of ranks (Spearman 1904). A score of 1 or
    -1 tells all of the property, 0 nothing.
    """
    of_parts: dict[tuple[int, str], Floats] = {}
    by_turn = np.zeros((TURNS, len(properties)))
    for number, layer in enumerate(layers):
        tests = _Tests(properties, layer.read)
        for name, values in layer.parts.items():
            scores, turned = tests.of(values[layer.read])
            of_parts[number, name] = scores
            by_turn = np.maximum(by_turn, turned)
    return Scores(properties, of_parts, by_turn.max(axis=0))


def best(scores: Scores, number: int) -> list[Found]:
    """Return the few units that say the property of a number best, the best first, each by its best part."""
    found: dict[tuple[int, int], Found] = {}
    for (layer, part), of_part in scores.of_parts.items():
        for unit, score in enumerate(of_part[:, number].tolist()):
            before = found.get((layer, unit))
            if before is None or abs(score) > abs(before.score):
                found[layer, unit] = Found(layer, part, unit, score)
    return sorted(found.values(), key=lambda each: -abs(each.score))[:UNITS_NAMED]


class _Tests:
    """Compares units with P properties of the N tokens that a layer has read, as they stand and turned."""

    def __init__(self, properties: Sequence[Property], read: Mask) -> None:
        self._yes_or_no = np.array([each.is_yes_or_no for each in properties], bool)
        size = np.count_nonzero(read)
        weights = [(_yes_or_no if each.is_yes_or_no else _amounts)(each.values[read]) for each in properties]
        self._weights = np.array(weights).reshape(len(weights), size).T
        shifts = len(self._weights) * np.arange(1, TURNS + 1) // (TURNS + 1)
        # Rough values are enough for chance, and take half the time.
        turned = [np.roll(self._weights, shift, axis=0).astype(np.float32) for shift in shifts]
        self._turned = np.concatenate(turned, axis=1)

    def of(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the scores of units (N, H), as (H, P), and the largest of them for each turn, (TURNS, P)."""
        scores, largest = [], np.zeros((TURNS, len(self._yes_or_no)))
        for first in range(0, values.shape[1], UNITS_TOGETHER):
            ranks = centred_ranks(np.ascontiguousarray(values[:, first : first + UNITS_TOGETHER].T))
            spread = np.sqrt((ranks**2).sum(axis=1, keepdims=True))
            scale = np.where(self._yes_or_no, 1.0, 1 / np.where(spread > 0, spread, 1))
            scores.append(ranks @ self._weights * scale)
            turned = (ranks.astype(np.float32) @ self._turned).reshape(len(ranks), TURNS, -1)
            largest = np.maximum(largest, np.abs(turned * scale[:, None]).max(axis=0))
        return np.concatenate(scores), largest


def _yes_or_no(values: Floats) -> Floats:
    """Return what is to be summed over ranks to give 2 A - 1; nothing where all tokens are alike."""
    N, have = len(values), values.sum()
    if not 0 < have < N:
        return np.zeros(N)
    weights: Floats = 2 / N * np.where(values > 0, 1 / have, -1 / (N - have))
    return weights


def _amounts(values: Floats) -> Floats:
    """Return the ranks of amounts, centred and of length 1."""
    [ranks] = centred_ranks(values[None])
    unit: Floats = ranks / (np.sqrt((ranks**2).sum()) or 1)
    return unit


def centred_ranks(values: Floats) -> NDArray[np.float64]:
    """Return the ranks of the values of each row (H, N), equal ones sharing theirs, less their mean."""
    order = values.argsort(axis=1)
    in_order = np.take_along_axis(values, order, axis=1)
    places = np.arange(values.shape[1])
    is_first = np.ones(values.shape, bool)
    np.not_equal(in_order[:, 1:], in_order[:, :-1], out=is_first[:, 1:])
    is_last = np.ones(values.shape, bool)
    is_last[:, :-1] = is_first[:, 1:]
    first = np.maximum.accumulate(np.where(is_first, places, 0), axis=1)
    last = np.minimum.accumulate(np.where(is_last, places, len(places))[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=1)
    return ranks - (len(places) - 1) / 2
