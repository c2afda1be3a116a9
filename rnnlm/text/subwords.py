"""Subwords: parts of words that byte-pair encoding finds in the corpus itself, for any language.

They are plain data that is stored with the vocabulary, so that a model cuts text in the same way later. They are
made of characters, not bytes: a character that the training text does not have stays by itself and is unknown, as
a new word is to the other tokenizers. Bytes would take 256 places of the vocabulary, which few texts need, and a
model could write bytes that make no character.

References
----------
R. Sennrich, B. Haddow and A. Birch, "Neural Machine Translation of Rare Words with Subword Units", ACL 2016.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any, TypedDict

from rnnlm.errors import RnnlmError
from rnnlm.text.segmenting import PatternTokenizer
from rnnlm.text.tokenizers import MARK, are_strings

TRAINING_CHARACTERS = 5_000_000
"""Subwords are learned from the first of a text; which ones are frequent settles long before."""
LEAST_COUNT = 2
"""A pair that was seen once says nothing about words."""
REMEMBERED = 1 << 16


class SubwordData(TypedDict):
    """Subwords as plain data: the characters, and pairs of subwords that are merged, the most frequent first."""

    characters: list[str]
    merges: list[list[str]]


def is_subword_data(data: object) -> bool:
    """Return whether plain data from a file describes subwords."""
    if not isinstance(data, Mapping) or set(data) != {"characters", "merges"}:
        return False
    characters, merges = data["characters"], data["merges"]
    if not are_strings(characters) or any(len(character) != 1 for character in characters):
        return False
    if not isinstance(merges, list):
        return False
    known = set(characters)
    for pair in merges:
        if not (are_strings(pair) and len(pair) == 2 and known.issuperset(pair)):
            return False
        known.add("".join(pair))
    return True


def all_subwords(data: SubwordData) -> list[str]:
    """Return every token that the subwords can give, except unknown characters."""
    return list(dict.fromkeys([*data["characters"], *map("".join, data["merges"])]))


def train_subwords(texts: Iterable[str], size: int, min_count: int = 1) -> SubwordData:
    """Find the parts of words that are frequent in some text.

    Parameters
    ----------
    size
        The most subwords; at most half of them are single characters, the most frequent ones.
    min_count
        How often a pair must appear in the text to be merged; at least twice.

    Raises
    ------
    RnnlmError
        If the package tokenizers is missing.
    """
    library = _library()
    segmenter = _Segmenter()
    words = Counter(word for text in texts for word in segmenter.tokenize(text) if MARK not in word[1:])
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    # The mark comes first in any text; otherwise the first word of a sentence may be unknown.
    others = sorted(counts.keys() - {MARK}, key=lambda character: (-counts[character], character))
    characters = [MARK, *others][: max(size // 2, 1)]
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=max(min_count, LEAST_COUNT),
        initial_alphabet=characters,
        show_progress=False,
    )
    trained = library.Tokenizer(library.models.BPE())
    known = frozenset(characters)
    trained.train_from_iterator(
        (
            part
            for word in sorted(words)
            for part, is_known in _parts(word, known)
            if is_known
            for _ in range(words[word])
        ),
        trainer,
    )
    merges = json.loads(trained.to_str())["model"]["merges"]
    return {"characters": characters, "merges": [list(pair) for pair in merges]}


class _Segmenter(PatternTokenizer):
    """Cuts words into runs of letters, of digits and of other marks, which no subword crosses."""

    pattern = r"\p{L}[\p{L}\p{M}]{0,63}+(?:['’]\p{L}[\p{L}\p{M}]{0,7}+)?|\p{N}{1,3}|[^\p{L}\p{N}]{1,16}"


class SubwordTokenizer(_Segmenter):
    """Parts of words that `train_subwords` found, with the mark of `MarkedTokenizer` where a space stood."""

    def __init__(self, data: SubwordData, unknown: str = "") -> None:
        super().__init__(unknown)
        self._data = data
        self._subwords = lru_cache(REMEMBERED)(self._cut)

    @cached_property
    def _model(self) -> Any:
        """The library's model, which making text of tokens does not need."""
        ids = {token: index for index, token in enumerate(all_subwords(self._data))}
        return _library().models.BPE(vocab=ids, merges=[(first, second) for first, second in self._data["merges"]])

    @cached_property
    def _characters(self) -> frozenset[str]:
        return frozenset(self._data["characters"])

    def tokenize(self, text: str) -> list[str]:
        """Return the subwords, and each unknown character by itself."""
        return [subword for segment in super().tokenize(text) for subword in self._subwords(segment)]

    def _cut(self, segment: str) -> tuple[str, ...]:
        if MARK in segment[1:]:  # a character of the text, which would become a space
            return (segment,)
        subwords: list[str] = []
        for part, is_known in _parts(segment, self._characters):
            subwords += [token.value for token in self._model.tokenize(part)] if is_known else part
        return tuple(subwords)


def _parts(word: str, known: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Divide a word into parts whose characters are all known, or all unknown."""
    if known.issuperset(word):
        yield word, True
        return
    for is_known, characters in groupby(word, known.__contains__):
        yield "".join(characters), is_known


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise RnnlmError("`tokenizer=bpe` needs the package tokenizers; run: pip install tokenizers.") from error
    return tokenizers
