"""Readable text made of tokens: of all of them at once, or as they come."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rnnlm.text.joining.place import Place
from rnnlm.text.joining.rules import Rule, is_joined, lean_of

OPENING, CLOSING = "``", "''"
"""Quotation marks whose direction is known."""

SHOWN = {OPENING: '"', CLOSING: '"'}


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
    """Prose: punctuation, quotation marks and the parts of words attached to what they belong to.

    Parameters
    ----------
    rules
        How marks lean.
    tokens
        The first tokens.
    """

    def __init__(self, rules: Mapping[str, Rule], tokens: Sequence[str]) -> None:
        self.text = self.settled = ""
        self._rules = rules
        self._place = Place()
        self._unsettled: list[str] = []
        self._extend(tokens)

    def append(self, token: str) -> None:
        """Add a token."""
        self._extend([token])

    def _extend(self, tokens: Sequence[str]) -> None:
        tokens = [*self._unsettled, *tokens]
        place, pieces = self._place, [self.settled]
        settled = pieces_settled = None
        for index, token in enumerate(tokens):
            place.arrive(tokens, index)
            lean = lean_of(place, self._rules)
            if place.peeked and settled is None:
                settled, pieces_settled = index, len(pieces)
                place = place.copy()  # which goes on as if no token followed
            joined = is_joined(place, lean)
            if not joined:
                pieces.append(" ")
            pieces.append(SHOWN.get(token, token))
            place.leave(lean, joined)
        self._unsettled = [] if settled is None else tokens[settled:]
        self.text = "".join(pieces)
        self.settled = self.text if settled is None else "".join(pieces[:pieces_settled])
