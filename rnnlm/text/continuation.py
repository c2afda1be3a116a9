"""Readable text that grows token by token."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from rnnlm.text.processor import TextProcessor


class Continuation:
    """The text that a model adds to a seed text.

    Parameters
    ----------
    seed_text, seed_tokens
        The text that is continued, and its tokens.
    tokens
        The first tokens that are added.
    stop
        Texts before which the continuation ends, wherever `append` makes them appear in the added text.
    keep_stop
        Whether it ends after them instead, with the token in which one ends. White space at the end of a stop text
        is not waited for if it comes with a further word; that word is left out.

    Attributes
    ----------
    tokens
        The tokens added.
    added
        The text that they add.
    stopped
        Whether a stop text has appeared. Unless it is kept, `tokens` and `added` are then without it, and without
        the whole token in which it began.
    """

    def __init__(
        self,
        processor: TextProcessor,
        seed_text: str,
        seed_tokens: list[str],
        tokens: Sequence[str] = (),
        stop: Sequence[str] = (),
        keep_stop: bool = False,
    ) -> None:
        self.tokens = list(tokens)
        self.stopped = False
        self._processor = processor
        self._seed_text, self._seed_tokens = seed_text, seed_tokens
        self._stop, self._longest_stop = stop, max(map(len, stop), default=0)
        self._keep_stop = keep_stop
        self._begun = processor.detokenize(seed_tokens)
        self._whole = processor.growing([*seed_tokens, *tokens])
        self._alone = processor.growing(tokens)
        self.added = self._after_seed(self._whole.text, self._alone.text)
        self._settled_ends = [0]  # lengths of what was settled, after one token and another

    @property
    def text(self) -> str:
        """The seed text and what is added."""
        return self._seed_text + self.added

    @property
    def settled(self) -> str:
        """The part of `added` that stays whatever tokens follow."""
        end = self._settled_ends[-1]
        if self._keep_stop:
            return self.added[:end]
        # Where a stop text may have begun, whole tokens may be left out again.
        for position in range(max(0, end - self._longest_stop + 1), end):
            if any(stop.startswith(self.added[position:end]) for stop in self._stop):
                end = self._settled_ends[bisect_right(self._settled_ends, position) - 1]
                break
        return self.added[:end]

    def append(self, token: str) -> None:
        """Add a token."""
        self.tokens.append(token)
        self._whole.append(token)
        if not self._whole.settled.startswith(self._begun):
            self._alone.append(token)
        self.added = self._after_seed(self._whole.text, self._alone.text)
        # A new stop text does not end within what was settled before.
        start = max(0, self._settled_ends[-1] - self._longest_stop + 1)
        found = [(at, stop) for stop in self._stop if (at := self.added.find(stop, start)) >= 0]
        if found:
            self.stopped = True
            if self._keep_stop:
                self._end_after(*min(found))
            else:
                self._shorten(min(found)[0])
        elif self._is_settled(self._whole.settled):
            settled = self._after_seed(self._whole.settled, self._alone.settled)
            if len(settled) > self._settled_ends[-1]:
                self._settled_ends.append(len(settled))

    def _shorten(self, position: int) -> None:
        """Leave out the tokens that do not end before a position in the added text."""
        while len(self.added) > position:
            self.added = self._without_last()
            self.tokens.pop()

    def _end_after(self, position: int, stop: str) -> None:
        """Leave out the tokens after a stop text at a position, also one that only adds its last white space."""
        end, word_end = position + len(stop), position + len(stop.rstrip())
        while len(self.added) > end and len(shorter := self._without_last()) >= word_end:
            self.added = shorter
            self.tokens.pop()

    def _without_last(self) -> str:
        """Return the added text without the last token."""
        return Continuation(self._processor, self._seed_text, self._seed_tokens, self.tokens[:-1]).added

    @cached_property
    def _typed(self) -> str:
        """The sentence that goes on, as it was given and not as its tokens read."""
        *_, last = "", *self._processor.sentence_texts(self._seed_text)
        return " ".join(last.split())

    def _is_settled(self, whole: str) -> bool:
        """Return whether the settled text goes beyond the seed."""
        return whole.startswith(self._begun) or len(whole) >= max(len(self._begun), len(self._typed))

    def _after_seed(self, whole: str, alone: str) -> str:
        """Return the added text, given that of the seed's tokens and the others, and that of the others alone."""
        if whole.startswith(self._begun):
            added = whole[len(self._begun) :]
        elif self._typed and whole.startswith(self._typed):
            added = whole[len(self._typed) :]
        else:
            # The seed's last word, such as a quotation mark, would change before what follows, but it stays.
            added = f" {alone}"
        if self._seed_text[-1:].isspace() and not self._begun[-1:].isspace():
            added = added.lstrip(" ")
        return added
