"""How much of a text is in the training text already."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.store import Split
from rnnlm.nn.arrays import Ids

BLOCK = 1 << 18
"""Tokens of the training text that are looked at together."""

FACTOR = 0x9E3779B97F4A7C15
"""Any odd number: a b c has the hash ``a + b FACTOR + c FACTOR²``, modulo 2 to the 64."""

Hashes: TypeAlias = NDArray[np.uint64]


def shortest_copy(tokenizer: str) -> int:
    """Return the fewest tokens of a sequence that counts as copied: eight words, or what these consist of."""
    return {"bpe": 12, "characters": 40}.get(tokenizer, 8)


@dataclass(frozen=True)
class Copied:
    """What of a text is copied.

    Attributes
    ----------
    share
        Share of its tokens in sequences that are long enough and are in the training text; 0 for a text without
        tokens.
    longest
        The ids of the longest such sequence, the first of equals; empty where there is none.
    """

    share: float
    longest: list[int]


def find_copied(split: Split, texts: Sequence[Sequence[int]], shortest: int) -> list[Copied]:
    """Find what a part of a dataset has of some texts.

    The part is read block by block, once for the shares and then for the longest sequences: mostly once more, at
    most as often as the length of a text can be halved. Memory grows with the texts alone.

    Parameters
    ----------
    split
        The part. No sequence goes beyond the end of one of its sentences.
    texts
        The ids of each text, without starts and ends of sentences.
    shortest
        Fewest tokens of a sequence that counts.
    """
    bounds = np.cumsum([0, *map(len, texts)])
    whole = np.concatenate([np.empty(0, np.intp), *(np.asarray(text, np.intp) for text in texts)])
    ends = np.repeat(bounds[1:], np.diff(bounds))
    long_enough = np.flatnonzero(np.arange(len(whole)) + shortest <= ends)
    starts = _standing(split.ids, whole, {shortest: long_enough})[shortest]

    depth = np.zeros(len(whole) + 1, int)
    depth[starts] += 1
    depth[starts + shortest] -= 1
    is_copied = np.cumsum(depth)[:-1] > 0

    longest = [_Longest(starts[(begin <= starts) & (starts < end)], shortest) for begin, end in pairwise(bounds)]
    while open_ones := [each for each in longest if each.least < each.most]:
        asked = defaultdict(list)
        for each in open_ones:
            asked[each.tried].append(each.candidates)
        standing = _standing(split.ids, whole, {tried: np.concatenate(asked[tried]) for tried in asked})
        for each in open_ones:
            each.learn(standing[each.tried])
    return [
        Copied(float(is_copied[begin:end].mean()) if begin < end else 0.0, whole[each.place].tolist())
        for (begin, end), each in zip(pairwise(bounds), longest, strict=True)
    ]


class _Longest:
    """Finds the longest sequence of a text that another has, by asking for one length after another.

    The other text has the sequences of the length `shortest` that begin at `starts`.
    """

    def __init__(self, starts: Ids, shortest: int) -> None:
        self._starts, self._found = starts, starts[:1]
        # The other text has a longer sequence only if it has all shorter ones within it, which begin side by side.
        last_of_run = np.append(np.flatnonzero(np.diff(starts) != 1), len(starts) - 1)
        run_ends = starts[last_of_run[np.searchsorted(last_of_run, np.arange(len(starts)))]]
        self._most = run_ends - starts + shortest
        self.least = shortest if len(starts) else 0
        self.most = self.tried = int(self._most.max(initial=0))

    @property
    def candidates(self) -> Ids:
        """Where sequences of the length `tried` may begin."""
        candidates: Ids = self._starts[self._most >= self.tried]
        return candidates

    @property
    def place(self) -> slice:
        """The place of the longest sequence known so far."""
        start = int(self._found[0]) if len(self._found) else 0
        return slice(start, start + self.least)

    def learn(self, standing: Ids) -> None:
        """Take note of where sequences of the length `tried` begin that were found, those of other texts too."""
        found = np.intersect1d(self.candidates, standing)
        if len(found):
            self._found, self.least = found, self.tried
        else:
            self.most = self.tried - 1
        self.tried = (self.least + self.most + 1) // 2


class _Wanted:
    """Sequences of one length, and which of them have been seen.

    They begin at `starts` of a text; `hashes` are those of all its sequences of that length.
    """

    def __init__(self, text: Ids, hashes: Hashes, starts: Ids, length: int) -> None:
        self._text, self._starts, self._length = text, starts, length
        self._hashes, self._first, self._which = np.unique(hashes[starts], return_index=True, return_inverse=True)
        self._is_seen = np.zeros(len(self._hashes), bool)
        # Most sequences of another text are told apart by the upper bits.
        self._upper_bits = np.zeros(1 << 16, bool)
        self._upper_bits[self._hashes >> 48] = True

    @property
    def seen(self) -> Ids:
        """Where those begin that have been seen."""
        seen: Ids = self._starts[self._is_seen[self._which]]
        return seen

    def look(self, block: NDArray[Any], hashes: Hashes) -> None:
        """Look for those not yet seen in a part of another text, given the hashes of its sequences."""
        places = np.flatnonzero(self._upper_bits[hashes >> 48])
        numbers = np.minimum(np.searchsorted(self._hashes, hashes[places]), len(self._hashes) - 1)
        is_new = (self._hashes[numbers] == hashes[places]) & ~self._is_seen[numbers]
        numbers, first = np.unique(numbers[is_new], return_index=True)
        for number, place in zip(numbers, places[is_new][first], strict=True):
            start = self._starts[self._first[number]]
            here, there = block[place : place + self._length], self._text[start : start + self._length]
            self._is_seen[number] = np.array_equal(here, there)  # two sequences may have one hash


class _Hashing:
    """Makes the hashes of all sequences of a length, in texts of at most `longest` tokens."""

    def __init__(self, longest: int) -> None:
        self._powers = np.cumprod(np.full(longest, FACTOR, np.uint64))
        self._inverses = np.cumprod(np.full(longest, pow(FACTOR, -1, 1 << 64), np.uint64))

    def sums(self, ids: NDArray[Any]) -> Hashes:
        """Return the sums, (T + 1,), of a text's tokens up to each place: each a large number times its power."""
        numbers = (ids.astype(np.uint64) + 1) * 0xBF58476D1CE4E5B9
        numbers ^= numbers >> 31
        numbers *= self._powers[: len(ids)]
        sums = np.zeros(len(ids) + 1, np.uint64)
        np.cumsum(numbers, out=sums[1:])
        return sums

    def hashes(self, sums: Hashes, length: int) -> Hashes:
        """Return the hash of the sequence that begins at each place, (T + 1 - length,)."""
        hashes: Hashes = sums[length:] - sums[:-length]
        hashes *= self._inverses[: len(hashes)]
        return hashes


def _standing(ids: NDArray[Any], text: Ids, starts: Mapping[int, Ids]) -> dict[int, Ids]:
    """Return which sequences of a text, by their lengths, are in other ids."""
    longest = max(starts)
    hashing = _Hashing(max(len(text), BLOCK + longest))
    of_text = hashing.sums(text)
    wanted = {length: _Wanted(text, hashing.hashes(of_text, length), starts[length], length) for length in starts}
    for begin in range(0, len(ids), BLOCK):
        block = np.asarray(ids[begin : begin + BLOCK + longest - 1])
        sums = hashing.sums(block)
        for length, each in wanted.items():
            each.look(block, hashing.hashes(sums, length))
    return {length: each.seen for length, each in wanted.items()}
