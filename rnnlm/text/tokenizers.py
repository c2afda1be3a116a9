"""Tokenizers: text to tokens and back."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

WORD_TOKENIZERS = ("nltk", "tweet", "whitespace")
CHARACTERS = "characters"

DOTS = re.compile(r"\.{2,}")


class Tokenizer(ABC):
    """Turns a sentence into tokens and tokens into readable text."""

    separator: ClassVar[str | None] = None
    """What `detokenize` puts between any two tokens; None where it depends on the tokens."""

    @abstractmethod
    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text."""

    @abstractmethod
    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return readable text made of the tokens."""


class CharacterTokenizer(Tokenizer):
    """Every Unicode character is a token, newlines and spaces included; lossless."""

    separator = ""

    def tokenize(self, text: str) -> list[str]:
        """Return the characters."""
        return list(text)

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return the characters as one string."""
        return self.separator.join(tokens)


class WhitespaceTokenizer(Tokenizer):
    """For text that is tokenized already: tokens are what white space separates."""

    separator = " "

    def tokenize(self, text: str) -> list[str]:
        """Return the words between white space."""
        return text.split()

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return the tokens with a space between them."""
        return self.separator.join(tokens)


class NltkTokenizer(Tokenizer):
    """NLTK's tokenizer in the style of the Penn Treebank: ``do n't``, quotes as `````` and ``''``.

    It expects one sentence at a time: a full stop is split off at the end of the text only.
    """

    def __init__(self) -> None:
        from nltk.tokenize.destructive import NLTKWordTokenizer

        self._tokenizer = NLTKWordTokenizer()
        self._detokenizer = _ProseDetokenizer()

    def tokenize(self, text: str) -> list[str]:
        """Return the words and punctuation marks of a sentence."""
        # Runs of white space say nothing here, and some of NLTK's patterns are slow on long ones.
        tokens: list[str] = self._tokenizer.tokenize(" ".join(text.split()))
        return tokens

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return prose: contractions joined, punctuation and quotes attached."""
        return self._detokenizer.detokenize(tokens)


class TweetTokenizer(Tokenizer):
    """NLTK's tokenizer for casual text: keeps emoticons, hashtags, @names and URLs whole."""

    def __init__(self) -> None:
        from nltk.tokenize.casual import TweetTokenizer as NltkTweetTokenizer

        self._tokenizer = NltkTweetTokenizer()
        self._detokenizer = _ProseDetokenizer()

    def tokenize(self, text: str) -> list[str]:
        """Return the words, punctuation marks and emoticons of a text."""
        tokens: list[str] = self._tokenizer.tokenize(" ".join(text.split()))
        return tokens

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return prose: punctuation and quotes attached."""
        return self._detokenizer.detokenize(tokens)


class _ProseDetokenizer:
    """NLTK's Treebank detokenizer, and the marks of real text that it leaves loose."""

    TIDY = (
        (re.compile(r"([“‘«„]) "), r"\1"),
        (re.compile(r" ([”»…])"), r"\1"),
        (re.compile(r" ’ ?(?=(?:s|t|re|ve|ll|d|m)\b)", re.IGNORECASE), "’"),
        (re.compile(r" ’"), "’"),
        (re.compile(r" (n't|'(?:s|re|ve|ll|d|m))\b", re.IGNORECASE), r"\1"),
        (re.compile(r"\b(https?): //"), r"\1://"),
        (re.compile(r"``|''"), '"'),
    )

    def __init__(self) -> None:
        from nltk.tokenize.treebank import TreebankWordDetokenizer

        self._treebank = TreebankWordDetokenizer()

    def detokenize(self, tokens: Sequence[str]) -> str:
        text: str = self._treebank.detokenize(_prepare(tokens))
        for pattern, replacement in self.TIDY:
            text = pattern.sub(replacement, text)
        return text


def _prepare(tokens: Sequence[str]) -> list[str]:
    """Make plain double quotes opening and closing ones in turn, and attach dots to the word before them."""
    opening = True
    prepared: list[str] = []
    for token in tokens:
        if token == '"':
            token = "``" if opening else "''"
        if token in ("``", "''"):
            opening = token == "''"
        if DOTS.fullmatch(token) and prepared and prepared[-1].isalnum():
            prepared[-1] += token
        else:
            prepared.append(token)
    return prepared


def make_tokenizer(name: str) -> Tokenizer:
    """Return the tokenizer of a name: ``nltk``, ``tweet``, ``whitespace`` or ``characters``."""
    classes: dict[str, type[Tokenizer]] = {
        "nltk": NltkTokenizer,
        "tweet": TweetTokenizer,
        "whitespace": WhitespaceTokenizer,
        CHARACTERS: CharacterTokenizer,
    }
    return classes[name]()
