"""Tokens with tags: the pairs that the first pass counted become words, tags and spellings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.spool import FORGOTTEN, Spool
from rnnlm.dataset.store import SPELLINGS, TAGS, id_dtype
from rnnlm.text.processor import TextSettings
from rnnlm.text.tags import SPELLINGS_FILE, TAGS_FILE, Tags, save_spellings

FORGOTTEN_SPELLING = "\ufffd"
"""Stands for the spelling of words that were too many to count."""


class TaggedTypes(NamedTuple):
    """What the pairs ``token TAB tag`` of a spool hold.

    Attributes
    ----------
    words
        The distinct words in the case of the vocabulary, numbered from 1 as the types of a spool are.
    word_of
        The number of each pair's word; pair 0 and word 0 stand for all that were forgotten.
    tags
        The tags, chosen from the training part unless they were given.
    tag_of
        The id of each pair's tag; 0 for one that is not known.
    spellings
        The distinct words as they are written; None for characters.
    spelling_of
        The place of each pair's word among these.
    """

    words: dict[str, int]
    word_of: NDArray[np.int64]
    tags: Tags
    tag_of: NDArray[np.int64]
    spellings: list[str] | None
    spelling_of: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        spool: Spool,
        counts: NDArray[np.int64],
        text: TextSettings,
        tags: Tags | None = None,
    ) -> "TaggedTypes":
        """Take the pairs of a spool apart.

        Parameters
        ----------
        spool
            Its types are pairs ``token TAB tag``.
        counts
            How often each stands in the training part.
        text
            Whether tokens are words or characters, and words in lower case.
        tags
            Tags that are known already; None for those of the training part.
        """
        words: dict[str, int] = {}
        names: dict[str, int] = {}
        spellings: dict[str, int] = {}
        places = np.zeros((3, len(spool.types) + 1), np.int64)
        for pair, number in spool.types.items():
            token, _, name = pair.rpartition("\t")
            word = token.lower() if text.lowercase else token
            places[:, number] = (
                words.setdefault(word, len(words) + 1),
                names.setdefault(name, len(names) + 1),
                spellings.setdefault(token, len(spellings)),
            )
        word_of, name_of, spelling_of = places
        are_words = text.level == "word"
        if tags is None:
            tags = _chosen(names, summed(name_of, counts, len(names)), segmented=not are_words)
        if spool.forgot_types:
            spelling_of[FORGOTTEN] = spellings.setdefault(FORGOTTEN_SPELLING, len(spellings))
        tag_of = np.array([0, *tags.encode(names)])[name_of]
        return cls(words, word_of, tags, tag_of, list(spellings) if are_words else None, spelling_of)

    def word_counts(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each word stands in the training part, whatever its tag, where pairs do so often."""
        return summed(self.word_of, counts, len(self.words))

    def save(self, directory: Path) -> None:
        """Write the tags and the spellings."""
        self.tags.save(directory / TAGS_FILE)
        if self.spellings is not None:
            save_spellings(directory / SPELLINGS_FILE, self.spellings)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the ids of all pairs that go to files beside those of the words, by what is in them."""
        columns = {TAGS: self.tag_of.astype(id_dtype(len(self.tags) + 1))}
        if self.spellings is not None:
            columns[SPELLINGS] = self.spelling_of.astype(id_dtype(len(self.spellings)))
        return columns


def summed(number_of: NDArray[np.int64], counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the counts of what has numbers from 0 to `size`, each the sum of those of its pairs."""
    sums = np.zeros(size + 1, np.int64)
    np.add.at(sums, number_of, counts)
    return sums


def _chosen(names: Mapping[str, int], counts: NDArray[np.int64], segmented: bool) -> Tags:
    """Return the tags of the training part, the most frequent first, those of one count in alphabetical order."""
    found = sorted((-int(counts[number]), name) for name, number in names.items() if counts[number])
    return Tags([name for _, name in found], [-count for count, _ in found], segmented)
