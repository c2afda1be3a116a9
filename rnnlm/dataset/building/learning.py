"""What a dataset learns from its corpus: sentence ends, parts of words, and which words are kept."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import RnnlmError
from rnnlm.text.cleaning import clean_comment
from rnnlm.text.documents import Piece
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.sentences import TRAINING_CHARACTERS, installed_punkt, train_punkt
from rnnlm.text.subwords import TRAINING_CHARACTERS as SUBWORD_TRAINING_CHARACTERS
from rnnlm.text.subwords import all_subwords, train_subwords
from rnnlm.text.vocabulary import SpecialTokens, Vocabulary


@dataclass(frozen=True)
class VocabularySettings:
    """Which words a new vocabulary keeps.

    Attributes
    ----------
    size
        The most tokens it may have, the three special ones included.
    min_count
        How often a word must stand in the training text to be kept; a pair of subwords, to be merged.
    special
        The names of the special tokens.
    extends
        A vocabulary whose tokens come first, with their ids; its special tokens are then taken too.
    """

    size: int = 8000
    min_count: int = 1
    special: SpecialTokens = field(default_factory=SpecialTokens)
    extends: Vocabulary | None = None

    def check(self) -> None:
        """Refuse what no vocabulary can be.

        Raises
        ------
        RnnlmError
            If there is no room for words, or the special tokens cannot have these names.
        """
        self.special.check()
        if self.size <= Vocabulary.first_word_id:
            raise RnnlmError(f"--vocab-size {self.size} leaves no room for words beside the special tokens.")


def with_punkt(settings: TextSettings, pieces: Iterator[Piece]) -> tuple[TextSettings, Iterator[Piece]]:
    """Find the sentence splitter its parameters, in the beginning of the corpus if need be."""
    if not settings.sentences or settings.punkt:
        return settings, pieces
    punkt = installed_punkt()
    if punkt is None:
        prefix, pieces = _take_prefix(pieces, TRAINING_CHARACTERS)
        punkt = train_punkt(clean_comment(piece.text) if settings.clean else piece.text for piece in prefix)
    return replace(settings, punkt=punkt), pieces


def with_subwords(
    settings: TextSettings, pieces: Iterator[Piece], choice: VocabularySettings
) -> tuple[TextSettings, Iterator[Piece]]:
    """Find parts of words in the beginning of the corpus if the tokenizer needs them."""
    if settings.tokenizer != "bpe" or settings.subwords:
        return settings, pieces
    prefix, pieces = _take_prefix(pieces, SUBWORD_TRAINING_CHARACTERS)
    processor = TextProcessor(settings)
    sentences = (sentence for piece in prefix for sentence in processor.sentence_texts(piece.text))
    size = choice.size - Vocabulary.first_word_id
    return replace(settings, subwords=train_subwords(sentences, size, choice.min_count)), pieces


def choose_words(
    types: dict[str, int],
    type_counts: NDArray[np.int64],
    sentences: int,
    settings: TextSettings,
    choice: VocabularySettings,
) -> tuple[Vocabulary, int]:
    """Keep the most frequent words, those of one count in the order of the alphabet; return their number too."""
    first = [choice.special.unknown, choice.special.start, choice.special.end]
    if choice.extends is not None:
        first = choice.extends.tokens
    known = set(first)
    if not sentences:
        raise RnnlmError("There is no training text to take words from; lower the fractions, or give --vocab.")
    words: Iterable[tuple[str, int]] = (
        (token, int(type_counts[index]))
        for token, index in types.items()
        if type_counts[index] >= max(choice.min_count, 1) and token not in known
    )
    if settings.subwords and choice.extends is None:  # any text may hold any of them
        subwords = (token for token in all_subwords(settings.subwords) if token not in known)
        words = ((token, int(type_counts[types[token]]) if token in types else 0) for token in subwords)
    kept = heapq.nsmallest(choice.size - len(first), words, key=lambda word: (-word[1], word[0]))
    tokens = [*first, *(token for token, _ in kept)]
    counts = [int(type_counts[types[word]]) if word in types else 0 for word in tokens[Vocabulary.first_word_id :]]
    unknown_count = int(type_counts.sum()) - sum(counts)
    return Vocabulary(tokens, [unknown_count, sentences, sentences, *counts], settings), len(kept)


def _take_prefix(pieces: Iterator[Piece], characters: int) -> tuple[list[Piece], Iterator[Piece]]:
    """Return the first pieces, of about so many characters, and an iterator over all of them."""
    prefix: list[Piece] = []
    size = 0
    for piece in pieces:
        prefix.append(piece)
        size += len(piece.text)
        if size >= characters:
            break
    return prefix, chain(prefix, pieces)
