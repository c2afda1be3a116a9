"""Readable text that grows token by token."""

import re
from collections.abc import Sequence

from rnnlm.text.processor import TextProcessor

LAST_WORD_BACKWARDS = re.compile(r"\W*[\w'’]*\W*")


class Continuation:
    """What a model adds to a seed text.

    Parameters
    ----------
    processor : TextProcessor
        How tokens become text.
    seed_text : str
        The text that is continued, which stays as it is.
    seed_tokens : list of str
        Its tokens.
    stop : sequence of str
        Texts before which the continuation ends, wherever they come to stand in what is added.

    Attributes
    ----------
    tokens : list of str
        The tokens added.
    added : str
        The text that they add.
    stopped : bool
        Whether a stop text has appeared. `tokens` and `added` are then without it, and without the whole token
        where it began within one.
    """

    def __init__(
        self, processor: TextProcessor, seed_text: str, seed_tokens: list[str], stop: Sequence[str] = ()
    ) -> None:
        self.tokens: list[str] = []
        self.added = ""
        self.stopped = False
        self._processor = processor
        self._seed_text, self._seed_tokens = seed_text, seed_tokens
        self._stop = stop

    @property
    def text(self) -> str:
        """The seed text and what is added."""
        return self._seed_text + self.added

    @property
    def settled(self) -> str:
        """The part of `added` that stays whatever tokens follow."""
        settled = self._without_last_word(self.added)
        if not self._stop:
            return settled
        # The end of it may be the beginning of a stop text.
        begun = (at for at in range(len(settled)) if any(stop.startswith(settled[at:]) for stop in self._stop))
        _, before = self._before(next(begun, len(settled)))
        return self._without_last_word(before)

    def append(self, token: str) -> None:
        """Add a token."""
        self.tokens.append(token)
        separator = self._processor.separator
        if separator is not None and self.added:
            self.added += separator + token  # so that a long text need not be joined anew
        else:
            self.added = self._joined(self.tokens)
        found = [at for stop in self._stop if (at := self.added.find(stop)) >= 0]
        if found:
            self.stopped = True
            self.tokens, self.added = self._before(min(found))

    def _before(self, position: int) -> tuple[list[str], str]:
        """Return the tokens, and their text, that lie wholly before a position in the text added."""
        tokens, added = self.tokens.copy(), self.added
        while len(added) > position:
            tokens.pop()
            added = self._joined(tokens)
        return tokens, added

    def _without_last_word(self, text: str) -> str:
        """Leave out what may read otherwise when another token comes: the last word and the marks around it."""
        if self._processor.separator is not None:
            return text
        backwards = LAST_WORD_BACKWARDS.match(text[::-1])
        assert backwards is not None  # it matches the empty text too
        return text[: len(text) - backwards.end()]

    def _joined(self, tokens: list[str]) -> str:
        return joined(self._processor, self._seed_text, self._seed_tokens, tokens)


def joined(processor: TextProcessor, seed_text: str, seed_tokens: list[str], tokens: list[str]) -> str:
    """Return what readable text made of a seed's tokens and others has after the seed text."""
    whole, begun = processor.detokenize([*seed_tokens, *tokens]), processor.detokenize(seed_tokens)
    added = whole.removeprefix(begun)
    if not whole.startswith(begun):
        # The seed's last word reads otherwise before what follows, such as a quotation mark.
        added = f" {processor.detokenize(tokens)}"
    if seed_text[-1:].isspace() and not begun[-1:].isspace():
        added = added.lstrip(" ")
    return added
