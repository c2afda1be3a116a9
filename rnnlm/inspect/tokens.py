"""Tokens as they are shown."""

from collections.abc import Iterator, Sequence

from rnnlm.inspect.reading import Token
from rnnlm.text.tokenizers import MARK, MARKED
from rnnlm.text.vocabulary import Vocabulary


def shown_sentence(
    words: Sequence[str], vocabulary: Vocabulary, begins: str = "text", label: str | None = None
) -> Iterator[Token]:
    """Yield the tokens of a sentence, or of a text, without its end.

    Parameters
    ----------
    words, vocabulary
        The tokens, at least one, of the vocabulary's own tokenizer.
    begins, label
        As in a `Token`.
    """
    settings, ids = vocabulary.settings, vocabulary.encode(map(vocabulary.processor.cased, words))
    before = "\n"
    for word, index in zip(words, ids, strict=True):
        text, space = word, settings.level != "char"
        if settings.tokenizer in MARKED:
            text, space = word.removeprefix(MARK) or " ", word.startswith(MARK) and word != MARK
        role = "unknown" if index == vocabulary.unknown_id else "word"
        yield Token(text, role, space and text != "\n" and before != "\n", begins, label)
        before, begins = text, ""


def end_of(vocabulary: Vocabulary, label: str | None = None) -> Token:
    """Return the end of a sentence, or of a text."""
    return Token(vocabulary.end_token, "end", label=label)
