"""Words whose learned vectors are alike."""

import difflib

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.nn.network import Network
from rnnlm.text.vocabulary import Vocabulary


def nearest_words(
    network: Network, vocabulary: Vocabulary, word: str, number: int = 10
) -> list[tuple[str, float]]:
    """Return the words nearest to a word, each with its cosine similarity, the nearest first.

    The vectors compared are the rows of the embedding, or for one-hot input the columns of ``U``. Special tokens
    are left out.

    Parameters
    ----------
    network, vocabulary
        Those of the model.
    word
        A word of the vocabulary; its case does not matter where the vocabulary has none.
    number
        How many words.

    Raises
    ------
    RnnlmError
        If the word is not in the vocabulary, or `number` is negative.
    """
    if number < 0:
        raise RnnlmError(f"number {number}: give a whole number from 0.")
    index, first, words = vocabulary.find(word), vocabulary.first_word_id, vocabulary.first_label_id
    if index < first:
        known = map(vocabulary.visible, vocabulary.tokens[first:words])
        near = difflib.get_close_matches(word.lower() if vocabulary.settings.lowercase else word, known, n=3)
        advice = f"did you mean {' or '.join(map(repr, near))}?" if near else "give a word of the training text."
        raise RnnlmError(f"{word!r} is not in the vocabulary; {advice}")
    vectors = network.source.table.value[:words]
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[index])
    similarities = vectors @ vectors[index] / np.maximum(lengths, np.finfo(vectors.dtype).tiny)
    nearest = [i for i in np.argsort(-similarities, kind="stable") if i >= first and i != index]
    return [(vocabulary.tokens[i], float(similarities[i])) for i in nearest[:number]]
