"""Sentence splitting with Punkt: its English data where installed, else trained on the corpus itself.

Nothing is downloaded. The parameters are plain data that is stored with the vocabulary, so that a model's text is
split in the same way later, on any machine. Punkt judges full stops after unknown words; `sentence_ends` does the
rest.

References
----------
T. Kiss and J. Strunk, "Unsupervised Multilingual Sentence Boundary Detection", Computational Linguistics
32(4), 2006.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

from rnnlm.text import abbreviations
from rnnlm.text.cutting import cut
from rnnlm.text.sentence_ends import SentenceEnds

TRAINING_CHARACTERS = 1_000_000
"""Punkt is trained on the first of a text; its statistics settle long before."""
TRAINING_PORTION = 100_000
"""Punkt is fed in portions, because it keeps an object for each word."""
LONGEST_SENTENCE = 50_000
PLACES = [re.compile(f".*{place}", re.DOTALL) for place in (r"\s", "[,;:，；：、]")]
"""Longer sentences are cut: after a word, else after a comma, else anywhere."""
LETTER_OR_DIGIT = re.compile(r"[^\W_]")


class _Learned(TypedDict):
    abbreviations: list[str]
    collocations: list[list[str]]
    sentence_starters: list[str]
    ortho_context: dict[str, int]


class PunktData(_Learned, total=False):
    """Punkt's parameters as plain data; `ortho_context` holds flags of the cases that a word is seen in.

    `known_abbreviations` holds what `SentenceEnds` takes. Vocabularies made before it was there lack it, and their
    text is split by Punkt alone.
    """

    known_abbreviations: dict[str, str]


def installed_punkt() -> PunktData | None:
    """Return NLTK's English Punkt parameters if its ``punkt_tab`` data is installed, else None."""
    from nltk.tokenize.punkt import PunktTokenizer

    try:
        parameters = PunktTokenizer("english")._params
    except (LookupError, OSError):
        return None
    return _to_data(parameters, parameters.ortho_context)


def train_punkt(texts: Iterable[str]) -> PunktData:
    """Train Punkt on the first 1,000,000 characters of running text, in pieces of any length."""
    from nltk.tokenize.punkt import PunktTrainer

    trainer = PunktTrainer()
    portion: list[str] = []
    portion_length = total = 0
    for text in texts:
        portion.append(text)
        portion_length += len(text)
        total += len(text)
        if portion_length >= TRAINING_PORTION or total >= TRAINING_CHARACTERS:
            trainer.train("\n".join(portion), finalize=False)
            portion, portion_length = [], 0
        if total >= TRAINING_CHARACTERS:
            break
    trainer.train("\n".join(portion), finalize=False)
    parameters = trainer.get_params()
    # A word that was seen once hardly shows its case, and such words are half of the types.
    frequent = {word: flags for word, flags in parameters.ortho_context.items() if trainer._type_fdist[word] > 1}
    return _to_data(parameters, frequent)


def _to_data(parameters: Any, ortho_context: dict[str, int]) -> PunktData:
    """Return the parameters as plain data, together with what need not be learned."""
    # In scripts without case, Punkt takes the words that end most sentences for abbreviations.
    learned = (word for word in parameters.abbrev_types if word.lower() != word.upper())
    ordinals = (("##number##", word) for word in abbreviations.AFTER_ORDINALS.split())
    return {
        "abbreviations": sorted({*learned, *abbreviations.ABBREVIATIONS.split()}),
        "collocations": sorted([first, second] for first, second in {*parameters.collocations, *ordinals}),
        "sentence_starters": sorted({*parameters.sent_starters, *abbreviations.SENTENCE_STARTERS.split()}),
        "ortho_context": {word: flags for word, flags in sorted(ortho_context.items()) if flags},
        "known_abbreviations": {
            word: before for before, words in abbreviations.GOES_ON_BEFORE.items() for word in words.split()
        },
    }


class _OrthoContext(dict[str, int]):
    """A look-up that does not grow, unlike Punkt's own defaultdict."""

    def __missing__(self, word: str) -> int:
        return 0


class SentenceSplitter:
    """Splits a document into sentences, at every newline and where `SentenceEnds` and Punkt find an end."""

    def __init__(self, punkt: PunktData) -> None:
        from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

        parameters = PunktParameters()
        parameters.abbrev_types = set(punkt["abbreviations"])
        parameters.collocations = {tuple(pair) for pair in punkt["collocations"]}
        parameters.sent_starters = set(punkt["sentence_starters"])
        parameters.ortho_context = _OrthoContext(punkt["ortho_context"])
        self._punkt = PunktSentenceTokenizer(parameters)
        known = punkt.get("known_abbreviations")
        self._ends = None if known is None else SentenceEnds(self._punkt, known)

    def split(self, text: str) -> Iterator[str]:
        """Yield the sentences of a document, without surrounding white space; none is empty.

        None is longer than 50,000 characters, and each has a letter or digit if the document has any.
        """
        if self._ends is None:
            yield from self._split_by_punkt_alone(text)
            return
        for sentence in _with_words(self._sentences(text, self._ends)):
            yield from filter(None, map(str.strip, cut(sentence, LONGEST_SENTENCE, PLACES)))

    def _sentences(self, text: str, ends: SentenceEnds) -> Iterator[str]:
        for line in text.split("\n"):
            start = 0
            for end in ends.find(line):
                yield line[start:end].strip()
                start = end
            if rest := line[start:].strip():
                yield rest

    def _split_by_punkt_alone(self, text: str) -> Iterator[str]:
        """Split text as for older vocabularies."""
        for line in text.split("\n"):
            for start in range(0, len(line), LONGEST_SENTENCE):
                piece = line[start : start + LONGEST_SENTENCE].strip()
                if piece:
                    yield from filter(None, map(str.strip, self._punkt.tokenize(piece)))


def _with_words(sentences: Iterable[str]) -> Iterator[str]:
    """Join sentences without letters and digits to the one before, at the beginning to the one after."""
    held: list[str] = []
    has_words = False
    for sentence in sentences:
        if LETTER_OR_DIGIT.search(sentence):
            if has_words:
                yield " ".join(held)
                held = []
            has_words = True
        held.append(sentence)
    if held:
        yield " ".join(held)
