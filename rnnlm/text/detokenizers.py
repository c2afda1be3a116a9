"""Readable text made of tokens, of all at once or as they come."""

from collections.abc import Callable, Mapping, Sequence
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


class SettledText:
    """Text of tokens that depends on nothing that follows; `written` returns what a token adds to a text."""

    def __init__(self, tokens: Sequence[str], written: Callable[[str, str], str]) -> None:
        self._written = written
        whole = ""
        for token in tokens:
            whole += written(whole, token)
        self._whole = whole

    @property
    def text(self) -> str:
        """The text of all tokens."""
        return self._whole

    @property
    def settled(self) -> str:
        """All of it."""
        return self.text

    def append(self, token: str) -> None:
        """Add a token."""
        self._whole += self._written(self._whole, token)


class GrowingProse:
    """Prose: punctuation, quotation marks and the parts of words are attached as `rules` say how they lean."""

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
