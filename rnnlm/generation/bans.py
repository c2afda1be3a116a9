"""What is never written: tokens, and phrases of several."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.text.vocabulary import Vocabulary

Phrase: TypeAlias = Sequence[Sequence[int]]
"""Tokens in a row: for each of them, the ids that it may have."""


class Spellings:
    """Finds the tokens of a vocabulary with which texts can be written."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def phrases(self, text: str) -> list[Phrase]:
        """Return the rows of tokens that read as a text; there are none if the vocabulary lacks one of its tokens.

        Raises
        ------
        RnnlmError
            If there is nothing in the text.
        """
        tokens = self._vocabulary.processor.tokenize(text)
        # A single token, such as 'mr.', may read as what is split into several where it is alone.
        whole = {text, self._reading(tokens)}
        alone = [i for reading in whole for i in self._ids.get(reading, ())]
        if not tokens and not alone:
            raise RnnlmError(f"`ban` {text!r}: there is no word in it; give one.")
        each = [self._ids.get(self._reading([token]), []) for token in tokens]
        in_a_row = len(each) > 1 and all(each)
        return [*([[alone]] if alone else []), *([each] if in_a_row else [])]

    @cached_property
    def _ids(self) -> dict[str, list[int]]:
        """The ids that read alike, such as both quotation marks, by what they read as."""
        ids = defaultdict(list)
        vocabulary = self._vocabulary
        for i, token in enumerate(vocabulary.tokens[: vocabulary.first_label_id]):
            if i not in (vocabulary.start_id, vocabulary.end_id):
                # Letters and digits read as they are; this check is the faster one.
                ids[token if token.isalnum() else self._reading([token])].append(i)
        return dict(ids)

    def _reading(self, tokens: list[str]) -> str:
        """Return how tokens read, without the white space around them, unless that is all."""
        text = self._vocabulary.processor.detokenize(tokens)
        return text.strip() or text


class Bans:
    """Rules tokens out as a text grows.

    Parameters
    ----------
    network
        The model whose choices are narrowed.
    forbidden
        Ids that are never chosen.
    phrases
        Tokens that are never written in a row. Ids that mean the same token in one phrase of several tokens mean
        it in all of them.
    """

    def __init__(self, network: Network, forbidden: Collection[int], phrases: Collection[Phrase] = ()) -> None:
        self._row: Floats = np.zeros(network.vocabulary_size, network.dtype)
        self._row[list(forbidden)] = -np.inf
        # The first of the ids that a token of a phrase may have represents them all.
        self._first = {i: ids[0] for phrase in phrases if len(phrase) > 1 for ids in phrase for i in ids}
        self._last: dict[tuple[int, ...], list[int]] = {}
        for *before, last in phrases:
            if before:
                self._last.setdefault(tuple(ids[0] for ids in before), []).extend(last)
            else:
                self._row[last] = -np.inf
        self._lengths = {len(before) for before in self._last}
        self._reach = max(self._lengths, default=0)

    def recent(self, text: Sequence[int]) -> list[int]:
        """Return the last ids of a text, as many as matter."""
        return list(text[max(0, len(text) - self._reach) :])

    def applied(self, log_probs: Floats, texts: Sequence[Sequence[int]]) -> Floats:
        """Return the log-probabilities of what follows some texts, ``-inf`` for what must not.

        Parameters
        ----------
        log_probs : (S, C)
            As the model gives them.
        texts
            The ids of each text, or what `recent` returns of them.
        """
        scores = log_probs + self._row
        if self._reach:
            for row, text in zip(scores, texts, strict=True):
                row[self._completing(text)] = -np.inf
        return scores

    def _completing(self, text: Sequence[int]) -> list[int]:
        """Return the ids that complete a phrase."""
        recent = tuple(self._first.get(i, i) for i in self.recent(text))
        return [i for length in self._lengths for i in self._last.get(recent[-length:], ())]


def nothing_left() -> RnnlmError:
    """Say that every token that could follow is ruled out."""
    return RnnlmError("All that could be written is banned; ban less, or lower `min_tokens`.")
