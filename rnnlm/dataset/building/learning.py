"""What a dataset learns from its corpus: ends of sentences, parts of words, and which words it keeps."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.spool import Spool
from rnnlm.dataset.store import SPLITS
from rnnlm.errors import RnnlmError
from rnnlm.text.cleaning import clean_comment
from rnnlm.text.documents import Piece
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.scripts import LOOKED_AT, refuse_unsegmented
from rnnlm.text.sentences import TRAINING_CHARACTERS, installed_punkt, train_punkt
from rnnlm.text.subwords import TRAINING_CHARACTERS as SUBWORD_TRAINING_CHARACTERS
from rnnlm.text.subwords import all_subwords, train_subwords
from rnnlm.text.tokenizers import SPACE_BOUND
from rnnlm.text.vocabulary import SpecialTokens, Vocabulary


@dataclass(frozen=True)
class VocabularySettings:
    """Which words a new vocabulary keeps.

    Attributes
    ----------
    size
        The most tokens it may have, the three special ones included.
    min_count
        How often a word must appear in the training text to be kept; a pair of subwords, to be merged.
    special
        The names of the special tokens.
    extends
        A vocabulary whose tokens come first, with their ids; its special tokens are then taken too. The labels are
        the corpus's.
    """

    size: int = 8000
    min_count: int = 1
    special: SpecialTokens = field(default_factory=SpecialTokens)
    extends: Vocabulary | None = None

    def check(self) -> None:
        """Refuse a size without room for words, and names that special tokens cannot have."""
        self.special.check()
        if self.size <= Vocabulary.first_word_id:
            raise RnnlmError(f"`size={self.size}` leaves no room for words beside the special tokens.")


def settings_of(vocabulary: Vocabulary | VocabularySettings) -> TextSettings | None:
    """Return the text settings that an old vocabulary brings; None for a new one."""
    old = vocabulary if isinstance(vocabulary, Vocabulary) else vocabulary.extends
    return old.settings if old is not None else None


def learn(
    settings: TextSettings,
    pieces: Iterator[Piece],
    vocabulary: Vocabulary | VocabularySettings,
    report: ReadReport,
) -> tuple[TextSettings, Iterator[Piece]]:
    """Learn from the beginning of the corpus what the settings lack: ends of sentences, parts of words.

    Punkt is trained only where NLTK's own parameters are not installed. All pieces are returned. A corpus whose
    words have no spaces between them is refused, unless the vocabulary is reused.
    """
    if settings_of(vocabulary) is None and settings.tokenizer in SPACE_BOUND:
        prefix, pieces = _take_prefix(pieces, LOOKED_AT)
        refuse_unsegmented(prefix, report)
    settings, pieces = _with_punkt(settings, pieces)
    if isinstance(vocabulary, VocabularySettings):
        settings, pieces = _with_subwords(settings, pieces, vocabulary)
    return settings, pieces


def unseen_labels(
    spool: Spool, sentences: NDArray[np.int64], vocabulary: Vocabulary
) -> dict[str, tuple[int, list[str]]]:
    """Return, by the name of a part, how many sentences have labels that a vocabulary lacks, and these labels.

    `sentences` are those of each part by the number of their label.
    """
    seen = np.array([True, *(vocabulary.start_of(label) != Vocabulary.start_id for label in spool.labels)])
    names, counts = list(spool.labels), np.where(seen, 0, sentences)
    return {
        part: (int(of_part.sum()), [names[k - 1] for k in np.flatnonzero(of_part)])
        for part, of_part in zip(SPLITS, counts, strict=True)
        if of_part.any()
    }


def _with_punkt(settings: TextSettings, pieces: Iterator[Piece]) -> tuple[TextSettings, Iterator[Piece]]:
    if not settings.sentences or settings.punkt:
        return settings, pieces
    punkt = installed_punkt()
    if punkt is None:
        prefix, pieces = _take_prefix(pieces, TRAINING_CHARACTERS)
        punkt = train_punkt(clean_comment(piece.text) if settings.clean else piece.text for piece in prefix)
    return replace(settings, punkt=punkt), pieces


def _with_subwords(
    settings: TextSettings, pieces: Iterator[Piece], choice: VocabularySettings
) -> tuple[TextSettings, Iterator[Piece]]:
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
    """Keep the most frequent words, those of one count in alphabetical order; return their number too."""
    special = [choice.special.unknown, choice.special.start, choice.special.end]
    first = special if choice.extends is None else choice.extends.tokens[: choice.extends.first_label_id]
    known = set(first)
    if not sentences:
        raise RnnlmError(
            "There is no training text to take words from; lower the fractions, or give `vocabulary`."
        )
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
