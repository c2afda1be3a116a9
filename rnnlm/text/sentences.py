"""Sentence splitting with Punkt: its English data where installed, else trained on the corpus itself.

Nothing is ever downloaded. The parameters used are plain data that is stored with the vocabulary, so that a
model's text is split in the same way later, on any machine.

References
----------
T. Kiss and J. Strunk, "Unsupervised Multilingual Sentence Boundary Detection", Computational Linguistics
32(4), 2006.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

# Punkt's statistics settle long before this many characters; more would only cost time.
TRAINING_CHARACTERS = 1_000_000
# Punkt keeps an object a word while it trains, so it is fed in portions.
TRAINING_PORTION = 100_000
# Longer lines are cut, so that text without line ends cannot make the splitter slow.
MAX_LINE = 50_000
SENTENCE_ENDS = frozenset(".?!")


class PunktData(TypedDict):
    """Punkt's parameters as plain data; `ortho_context` holds flags of the cases that a word is seen in."""

    abbreviations: list[str]
    collocations: list[list[str]]
    sentence_starters: list[str]
    ortho_context: dict[str, int]


def installed_punkt() -> PunktData | None:
    """Return NLTK's English Punkt parameters if its ``punkt_tab`` data is installed, else None."""
    from nltk.tokenize.punkt import PunktTokenizer

    try:
        parameters = PunktTokenizer("english")._params
    except (LookupError, OSError):
        return None
    return _to_data(parameters, parameters.ortho_context)


def train_punkt(texts: Iterable[str]) -> PunktData:
    """Train Punkt on running text, of which at most the first 1,000,000 characters are read.

    Parameters
    ----------
    texts
        The text in pieces of any length.

    Returns
    -------
    dict
        The parameters as plain data, for `SentenceSplitter` and for JSON.
    """
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
    # A word seen once says next to nothing about its case, and such words are half of the types.
    frequent = {word: flags for word, flags in parameters.ortho_context.items() if trainer._type_fdist[word] > 1}
    return _to_data(parameters, frequent)


def _to_data(parameters: Any, ortho_context: dict[str, int]) -> PunktData:
    return {
        "abbreviations": sorted(parameters.abbrev_types),
        "collocations": sorted([first, second] for first, second in parameters.collocations),
        "sentence_starters": sorted(parameters.sent_starters),
        "ortho_context": {word: flags for word, flags in sorted(ortho_context.items()) if flags},
    }


class _OrthoContext(dict[str, int]):
    """A look-up that does not grow: Punkt's own defaultdict remembers every word it is asked for."""

    def __missing__(self, word: str) -> int:
        return 0


class SentenceSplitter:
    """Splits a document into sentences, at Punkt's boundaries and at every newline.

    Parameters
    ----------
    punkt
        Parameters from `installed_punkt` or `train_punkt`.
    """

    def __init__(self, punkt: PunktData) -> None:
        from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

        parameters = PunktParameters()
        parameters.abbrev_types = set(punkt["abbreviations"])
        parameters.collocations = {tuple(pair) for pair in punkt["collocations"]}
        parameters.sent_starters = set(punkt["sentence_starters"])
        parameters.ortho_context = _OrthoContext(punkt["ortho_context"])
        self._punkt = PunktSentenceTokenizer(parameters)

    def split(self, text: str) -> Iterator[str]:
        """Yield the sentences of a document, without surrounding white space; none is empty."""
        for line in text.split("\n"):
            for start in range(0, len(line), MAX_LINE):
                piece = line[start : start + MAX_LINE].strip()
                if SENTENCE_ENDS.isdisjoint(piece):
                    if piece:
                        yield piece
                else:
                    yield from filter(None, map(str.strip, self._punkt.tokenize(piece)))
