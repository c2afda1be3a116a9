"""How words are spelled, as arrays of characters' ids."""

from collections.abc import Sequence

import numpy as np

from rnnlm.nn.arrays import Ids
from rnnlm.nn.spelling import SpelledWords
from rnnlm.text.characters import Characters


class Spellings:
    """Distinct words, each as the ids of its characters.

    Parameters
    ----------
    words
        The words as they are written.
    characters
        The ids of characters.
    """

    def __init__(self, words: Sequence[str], characters: Characters) -> None:
        # A word without characters is spelled with an unknown one.
        encoded = [characters.encode(word) or [Characters.unknown_id] for word in words]
        self._lengths = np.array([len(each) for each in encoded], np.intp)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._characters = np.array([index for each in encoded for index in each], np.int32)

    def spelled(self, ids: Ids, words: Ids) -> SpelledWords:
        """Return words with their spelling.

        Parameters
        ----------
        ids : (T, B)
            Ids of the vocabulary.
        words : (T, B)
            Which of the distinct words each is.
        """
        distinct, places = np.unique(words, return_inverse=True)
        lengths, starts = self._lengths[distinct], self._starts[distinct]
        times = np.arange(int(lengths.max()))[:, None]
        within = times < lengths
        characters = self._characters[np.where(within, starts + times, 0)] * within
        return SpelledWords(ids, places.reshape(ids.shape), characters.astype(np.intp), lengths)
