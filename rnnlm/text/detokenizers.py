"""Readable text made of tokens: of all of them at once, or as they come."""

import re
from collections.abc import Sequence
from typing import Protocol

DOTS = re.compile(r"\.{2,}")

OPENING, CLOSING = "``", "''"
"""Quotation marks whose direction is known."""

# What the patterns of `Prose` look for: in any text, just before a space, and just after one.
MARKS = re.compile(r"""[]["'`“”‘’«»„…(){}<>.,:;!?#$%/-]""")
ATTACHED_TO_NEXT = re.compile(r"""(?:[(\[{<#$'"`“‘«„’\s-]|\.\.)$""")
ATTACHED_TO_LAST = re.compile(r"""[]}).,:;!?%>'"`’”»…/\s-]|n't""", re.IGNORECASE)


class Prose:
    """NLTK's Treebank detokenizer, and the marks of real text that it leaves loose."""

    TIDY = (
        (re.compile(r"([“‘«„]) "), r"\1"),
        (re.compile(r" ([”»…])"), r"\1"),
        (re.compile(r" ’ ?(?=(?:s|t|re|ve|ll|d|m)\b)", re.IGNORECASE), "’"),
        (re.compile(r" ’"), "’"),
        (re.compile(r"(?<=[^.]) \.(?!\.)"), "."),  # NLTK 3.9 attaches only the last of a text
        (re.compile(r" (n't|'(?:s|re|ve|ll|d|m))\b", re.IGNORECASE), r"\1"),
        (re.compile(r"\b(https?): //"), r"\1://"),
        (re.compile(r"``|''"), '"'),
    )

    def __init__(self) -> None:
        from nltk.tokenize.treebank import TreebankWordDetokenizer as Treebank

        self._treebank = Treebank()
        contractions = [pattern.pattern for pattern in (*Treebank.CONTRACTIONS2, *Treebank.CONTRACTIONS3)]
        # One pattern of `re` in place of several of NLTK's slower ones.
        joined = "|".join(pattern.removeprefix("(?i)") for pattern in contractions)
        self._contraction = re.compile(joined, re.IGNORECASE)

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return prose made of the tokens."""
        text = f" {' '.join(tokens)} "
        if not MARKS.search(text) and not self._contraction.search(text):
            return text.strip()
        text = self._treebank.detokenize(_prepare(tokens))
        for pattern, replacement in self.TIDY:
            text = pattern.sub(replacement, text)
        return text

    def sets_apart(self, token: str, following: str) -> bool:
        """Return whether two tokens read the same side by side as alone, whatever other tokens are around them."""
        attached = ATTACHED_TO_NEXT.search(token) or ATTACHED_TO_LAST.match(following)
        return not attached and not self._contraction.search(f" {token} {following} ")


class GrowingText(Protocol):
    """Readable text of tokens that come one after another."""

    @property
    def text(self) -> str:
        """The text of all tokens, as `Tokenizer.detokenize` makes it."""

    @property
    def settled(self) -> str:
        """The part of it that stays whatever tokens follow."""

    def append(self, token: str) -> None:
        """Add a token."""


class SeparatedText:
    """Text of tokens that are never attached to one another.

    Parameters
    ----------
    tokens
        The first tokens.
    separator
        What stands between any two.
    """

    def __init__(self, tokens: Sequence[str], separator: str) -> None:
        self.text = separator.join(tokens)
        self._separator = separator

    @property
    def settled(self) -> str:
        """All of it."""
        return self.text

    def append(self, token: str) -> None:
        """Add a token."""
        self.text += self._separator + token if self.text else token


class GrowingProse:
    """Prose whose tokens are detokenized from the last place on at which they are set apart.

    Parameters
    ----------
    prose
        How tokens become prose.
    tokens
        The first tokens.
    """

    def __init__(self, prose: Prose, tokens: Sequence[str]) -> None:
        self.text = prose.detokenize(tokens)
        self.settled = ""
        self._prose = prose
        self._directions = _Directions()
        self._unsettled = [self._directions.give(token) for token in tokens]

    def append(self, token: str) -> None:
        """Add a token."""
        if self._unsettled and self._prose.sets_apart(self._unsettled[-1], token):
            self.settled, self._unsettled = self.text, []
        self._unsettled.append(self._directions.give(token))
        text = self._prose.detokenize(self._unsettled)
        self.text = f"{self.settled} {text}" if self.settled else text


class _Directions:
    """Makes plain double quotes opening and closing ones in turn."""

    def __init__(self) -> None:
        self._next = OPENING

    def give(self, token: str) -> str:
        """Return a token, with its direction where it is a quote; to be called for every token in turn."""
        if token == '"':
            token = self._next
        if token in (OPENING, CLOSING):
            self._next = CLOSING if token == OPENING else OPENING
        return token


def _prepare(tokens: Sequence[str]) -> list[str]:
    """Give plain quotes a direction, and attach dots to the word before them."""
    directions = _Directions()
    prepared: list[str] = []
    for token in map(directions.give, tokens):
        if DOTS.fullmatch(token) and prepared and prepared[-1].isalnum():
            prepared[-1] += token
        else:
            prepared.append(token)
    return prepared
