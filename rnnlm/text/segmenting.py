"""Tokenizers that remember where spaces stood, so that text comes back as it was.

A token after a space begins with the mark ``▁``, as SentencePiece has it, and one without is attached to the
token before it: ``I said, "no."`` is ``▁I ▁said , ▁" no . "``. White space at the beginning of a text says
nothing: a first word has the mark, and one of a script without spaces has none, as they would in the middle. A
``▁`` of the text itself never begins a token that follows no space: it stays at the end of the one before it.

References
----------
Unicode Standard Annex #29, "Unicode Text Segmentation".
T. Kudo and J. Richardson, "SentencePiece: A simple and language independent subword tokenizer and detokenizer for
Neural Text Processing", EMNLP 2018.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import cast

from rnnlm.errors import RnnlmError
from rnnlm.text.detokenizers import GrowingText, SettledText
from rnnlm.text.scripts import begins_without_space, stand_apart
from rnnlm.text.tokenizers import MARK, Tokenizer

FLAG = r"(?:[\U0001f1e6-\U0001f1ff][\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*+){2}"
"""A flag; `regex` would look for the boundary after it in a time quadratic in the number of flags."""

ANY_WORD = "word"
"""Stands for the unknown token, which may have any name but is set apart as a word is."""


class MarkedTokenizer(Tokenizer):
    """Cuts words further and marks which tokens follow a space.

    `unknown` stands for unknown words, with a space before them or without.
    """

    def __init__(self, unknown: str = "") -> None:
        self._unknown = unknown

    @abstractmethod
    def segments(self, word: str) -> list[str]:
        """Return the parts of what stands between two spaces; joined, they are the same."""

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens, with their marks."""
        tokens = []
        for word in text.split():
            segments = self.segments(word)
            if MARK in word:
                segments = _attached(segments)
            segments[0] = MARK + segments[0]
            tokens += segments
        if tokens and begins_without_space(tokens[0], 1):
            tokens[0] = tokens[0].removeprefix(MARK)
        return tokens

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return the text that the tokens were made of, its white space folded."""
        return MarkedText(tokens, self._written)

    def _written(self, before: str, token: str) -> str:
        if token == self._unknown:
            apart = before and not before[-1].isspace() and stand_apart(before, ANY_WORD)
            return f" {token}" if apart else token
        return f" {token[1:]}" if token.startswith(MARK) else token


class MarkedText(SettledText):
    """Text of marked tokens."""

    @property
    def text(self) -> str:
        """The text, without the space before its first word."""
        return super().text.removeprefix(" ")


class PatternTokenizer(MarkedTokenizer):
    """Cuts words into what a pattern of the package `regex` finds."""

    pattern: str

    def __init__(self, unknown: str = "") -> None:
        import regex

        super().__init__(unknown)
        self._segments = regex.compile(self.pattern)

    def segments(self, word: str) -> list[str]:
        """Return what the pattern finds."""
        segments: list[str] = self._segments.findall(word)
        return segments


class UnicodeTokenizer(PatternTokenizer):
    """Word boundaries of Unicode (UAX #29), for every language; Chinese and Thai are cut into letters."""

    pattern = rf"(?sw){FLAG}|.+?\b"


class JiebaTokenizer(MarkedTokenizer):
    """Chinese words, found with jieba's dictionary and its model of unknown words.

    The package is rjieba, the same algorithm and dictionary in Rust: ten times as fast, and unlike jieba itself it
    is still kept, prints nothing, and writes no cache into the directory of temporary files.
    """

    def segments(self, word: str) -> list[str]:
        """Return the words and punctuation marks; raises `RnnlmError` if the package rjieba is missing."""
        segments: list[str] = self._cut(word)
        return segments

    @cached_property
    def _cut(self) -> Callable[[str], list[str]]:
        """The library's function, which making text of tokens does not need."""
        try:
            from rjieba import cut
        except ImportError as error:
            raise RnnlmError("`tokenizer=jieba` needs the package rjieba; run: pip install rjieba.") from error
        return cast("Callable[[str], list[str]]", cut)


def _attached(segments: list[str]) -> list[str]:
    """Attach segments that begin with the mark's own character to the one before them."""
    attached = segments[:1]
    for segment in segments[1:]:
        if segment.startswith(MARK):
            attached[-1] += segment
        else:
            attached.append(segment)
    return attached
