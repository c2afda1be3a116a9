"""Back-off n-gram models, as KenLM and SRILM write them in the ARPA format."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, takewhile
from math import isfinite, log, nan
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import RnnlmError
from rnnlm.files import open_lines
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.vocabulary import Vocabulary

MOST_DIGITS = 12
"""Longest number of n-grams that a file may announce, in digits."""

DATA = b"\\data\\"
"""The line with which the n-grams begin."""

Lines: TypeAlias = Iterator[tuple[int, bytes]]
"""The lines of a file with their numbers, from 1."""


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of one order, each known by its row.

    Attributes
    ----------
    keys : (M,)
        ``c V + w`` in ascending order: w is the id of the last word, c the row of the words before it among the
        n-grams of the order below. The row of a single word is its id.
    log_probs, backoffs : (M,)
        Natural logarithms of the last word's probability, and of the weight with which the order below counts
        where the n-gram is a context.
    """

    keys: NDArray[np.int64]
    log_probs: Floats
    backoffs: Floats

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of keys, -1 for those that are not there."""
        rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[rows] == keys, rows, -1)


class NgramModel:
    """A back-off model: ``P(w | h) = p(h w)`` where the n-gram is known, else ``backoff(h) P(w | h')``.

    h' is the context h without its first word.

    Parameters
    ----------
    orders
        The n-grams, single words first; these have a row for every id of the vocabulary.
    """

    def __init__(self, orders: list[Ngrams]) -> None:
        self.orders = orders
        self.vocabulary_size = len(orders[0].keys)

    @classmethod
    def load(cls, path: Path, vocabulary: Vocabulary) -> "NgramModel":
        """Read an ARPA file, gzip-compressed if its name ends in ``.gz``; see `read`."""
        with open_lines(path) as lines:
            return cls.read(path, lines, vocabulary)

    @classmethod
    def read(cls, path: Path, file: Iterable[bytes], vocabulary: Vocabulary) -> "NgramModel":
        """Read the lines of an ARPA file; `path` is its name, for messages.

        ``<s>`` and ``</s>`` are the vocabulary's start and end, ``<unk>`` its unknown token. A word of the
        vocabulary that the file does not have gets the probability zero.

        Raises
        ------
        RnnlmError
            If the file is not as it should be, or has a word that is not in the vocabulary.
        """
        size = vocabulary.first_label_id
        ids = {token.encode(): index for index, token in enumerate(vocabulary.tokens[:size])}
        ids |= {b"<s>": vocabulary.start_id, b"</s>": vocabulary.end_id}
        ids |= {b"<unk>": vocabulary.unknown_id, b"<UNK>": vocabulary.unknown_id}
        orders: list[Ngrams] = []
        lines = enumerate(file, 1)
        for n, count in enumerate(_read_counts(path, lines), 1):
            words, log_probs, backoffs = _read_section(path, lines, n, count, ids)
            if n == 1:
                orders.append(_unigrams(words[:, 0], log_probs, backoffs, size))
                continue
            contexts = words[:, 0]
            for order, word in zip(orders[1:], words.T[1:], strict=False):
                contexts = order.find(contexts * size + word)
            if len(contexts) and contexts.min() < 0:
                raise RnnlmError(
                    f"{path}: the first {n - 1} words of a {n}-gram are not among the {n - 1}-grams;"
                    " write the ARPA file again."
                )
            orders.append(_sorted(path, contexts * size + words[:, -1], log_probs, backoffs))
        return cls(orders)

    def of_text(self, ids: Ids) -> Callable[[Ids], Floats]:
        """Do what a `Predictor` of an interpolation does."""
        return partial(self._log_probs, ids)

    def _log_probs(self, ids: Ids, at: Ids) -> Floats:
        # Each row is a token after the words before it; -1, where there are none, is in no n-gram.
        places = at[:, None] + np.arange(1 - len(self.orders), 1)
        words = rows = np.where(places < 0, -1, ids[places].astype(np.int64))
        words[words >= self.vocabulary_size] = Vocabulary.start_id  # those with labels
        log_probs = self.orders[0].log_probs[words[:, -1]]
        for shorter, order in pairwise(self.orders):
            contexts, words = rows[:, :-1], words[:, 1:]
            # A context that is not there, -1, makes a key that is not there.
            rows = order.find(contexts * self.vocabulary_size + words)
            before, last = contexts[:, -1], rows[:, -1]
            log_probs += np.where(before >= 0, shorter.backoffs[before], 0)
            log_probs = np.where(last >= 0, order.log_probs[last], log_probs)
        return log_probs


def _read_counts(path: Path, lines: Lines) -> list[int]:
    """Read the head of a file and return how many n-grams there are of each order, up to the last that has any."""
    if not any(line.strip() == DATA for _, line in lines):
        raise RnnlmError(
            f"{path}: this is not an ARPA file, as no line is {DATA.decode()}; write one with KenLM's lmplz or"
            " SRILM's ngram-count."
        )
    counts: list[int] = []
    for number, line in lines:
        if not line.strip():
            break
        name, _, count = line.partition(b"=")
        count = count.strip()
        in_order = name.split() == [b"ngram", b"%d" % (len(counts) + 1)]
        if not in_order or not count.isdigit() or len(count) > MOST_DIGITS:
            raise RnnlmError(
                f"{path}, line {number}: it should be 'ngram {len(counts) + 1}=' and a number of at most"
                f" {MOST_DIGITS} digits; write the ARPA file again."
            )
        counts.append(int(count))
    counts = list(takewhile(bool, counts))
    if not counts:
        raise RnnlmError(f"{path}: there are no n-grams in it; is the file complete?")
    return counts


def _read_section(
    path: Path, lines: Lines, n: int, count: int, ids: dict[bytes, int]
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Read the n-grams of one order: ids (count, n), log-probabilities and back-off weights (count,)."""
    # They grow with what is there: the head of the file may promise anything.
    words, log_probs, backoffs = array("q"), array("d"), array("d")
    number, line = next(((number, line) for number, line in lines if line.strip()), (0, b""))
    if line.strip() != b"\\%d-grams:" % n:
        raise _broken(path, number, f"\\{n}-grams: should be here")
    for _ in range(count):
        number, line = next(lines, (0, b""))
        first, *gram = line.split() or [b""]
        try:
            log_prob, backoff = float(first), float(gram[n]) if len(gram) > n else 0.0
            words.extend([ids[word] for word in gram[:n]])
        except KeyError as error:
            [word] = error.args
            raise RnnlmError(
                f"{path}, line {number}: {word.decode(errors='replace')!r} is not in the model's vocabulary; build"
                " the n-gram model with that vocabulary, and with <unk> for other words."
            ) from error
        except ValueError:
            log_prob = nan
        if len(gram) not in (n, n + 1) or not log_prob <= 0 or not isfinite(backoff):
            raise _broken(path, number, f"one of {count:,} {n}-grams, with its log-probability, should be here")
        log_probs.append(log_prob)
        backoffs.append(backoff)
    natural = log(10)
    return np.asarray(words).reshape(-1, n), np.asarray(log_probs) * natural, np.asarray(backoffs) * natural


def _broken(path: Path, number: int, expected: str) -> RnnlmError:
    """Say what should have been read on a line; its number is 0 at the end of the file."""
    where = f"line {number}" if number else "the end"
    return RnnlmError(f"{path}, {where}: {expected}; is the file complete?")


def _unigrams(words: NDArray[np.int64], log_probs: Floats, backoffs: Floats, size: int) -> Ngrams:
    """Give every id of the vocabulary a row."""
    every = Ngrams(np.arange(size), np.full(size, -np.inf), np.zeros(size))
    # The file may have the unknown token by two names.
    np.logaddexp.at(every.log_probs, words, log_probs)
    np.add.at(every.backoffs, words, backoffs)
    return every


def _sorted(path: Path, keys: NDArray[np.int64], log_probs: Floats, backoffs: Floats) -> Ngrams:
    ascending = np.argsort(keys)
    ngrams = Ngrams(keys[ascending], log_probs[ascending], backoffs[ascending])
    if not np.diff(ngrams.keys).all():
        raise RnnlmError(f"{path}: an n-gram appears twice; write the ARPA file again.")
    return ngrams
