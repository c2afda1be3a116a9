"""What a person can name at every token of a text: whether it is in quotes, where it is in its line, and so on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnlm.inspect.reading import Token
from rnnlm.nn.arrays import Floats

FEWEST = 10
"""Tokens that must have a property, and that must lack it, for it to be measured."""

MOST_LABELS = 30
"""The most labels that are properties; the most frequent ones."""

OPENING, CLOSING, QUOTES = "([{（［｛【「『", ")]}）］｝】」』", '"“”„«»'
STOPS, APOSTROPHES = ".!?…。！？।؟", "'’"
LINE_POSITION = "position in the line"
PENN_QUOTES = ("``", "''")
"""Quotation marks as the Penn Treebank's tokenizer writes them."""

TAB = 4
"""Columns of a tab, in an indentation."""


@dataclass(frozen=True)
class Property:
    """Something that a person can name, at each of N tokens.

    Attributes
    ----------
    name
        What it is called.
    values : (N,)
        How much of it there is after the token was read; 1 and 0 where it is there or not.
    is_yes_or_no
        Whether it is there or not, and is no amount.
    """

    name: str
    values: Floats
    is_yes_or_no: bool


def properties(tokens: Sequence[Token]) -> list[Property]:
    """Return what can be said of the tokens of a text, as far as there is enough of it to be measured."""
    place = _Place()
    rows = [place.after(token) for token in tokens]
    found = [
        Property(name, np.array([float(row[name]) for row in rows]), isinstance(rows[0][name], bool))
        for name in rows[0]
    ]
    labels = [token.label for token in tokens]
    found += [
        Property(label, np.array([float(each == label) for each in labels]), True)
        for label, _ in Counter(filter(None, labels)).most_common(MOST_LABELS)
    ]
    has_lines = any("\n" in token.text for token in tokens)
    return [each for each in found if _is_measured(each) and (has_lines or each.name != LINE_POSITION)]


def _is_measured(of: Property) -> bool:
    have = int(np.count_nonzero(of.values))
    if of.is_yes_or_no:
        return min(have, len(of.values) - have) >= FEWEST
    return have >= FEWEST and len(np.unique(of.values)) > 2


class _Place:
    """Where in a text one is, token after token."""

    def __init__(self) -> None:
        self._begin_text()

    def _begin_text(self) -> None:
        self._in_quotes, self._depth, self._word = False, 0, ""
        # Tokens since the line and the sentence began, and lines of the paragraph before this one.
        self._in_line = self._in_sentence = self._lines = 0
        self._indentation, self._is_empty_line = 0, True
        self._after_stop = self._sentence_is_over = False

    def after(self, token: Token) -> dict[str, float | bool]:
        """Go on to the end of a token, and return what can be named there, by name."""
        if token.begins == "text":
            self._begin_text()
        elif token.begins:
            self._sentence_is_over = True
        if token.role == "end":
            self._word = ""
        text = "" if token.role == "end" else '"' if token.text in PENN_QUOTES else token.text
        for character in f" {text}" if token.space else text:
            self._read(character)
        self._in_sentence += 1
        self._in_line = 0 if text.endswith("\n") else self._in_line + 1
        return {
            "inside quotes": self._in_quotes,
            "inside brackets": self._depth > 0,
            "depth of brackets": self._depth,
            LINE_POSITION: self._in_line,
            "position in the sentence": self._in_sentence,
            "length of the word so far": len(self._word),
            "capital letter": text[:1].isupper(),
            "word in capitals": len(self._word) > 1 and self._word.isupper(),
            "after a full stop": self._after_stop,
            "first line after an empty line": self._lines == 0,
            "indentation": self._indentation,
        }

    def _read(self, character: str) -> None:
        self._read_line(character)
        if character in QUOTES:
            self._in_quotes = not self._in_quotes
        elif character in OPENING:
            self._depth += 1
        elif character in CLOSING:
            self._depth = max(0, self._depth - 1)
        elif character in STOPS:
            self._after_stop = True
        elif character.isspace():
            self._sentence_is_over |= self._after_stop
        else:
            if self._sentence_is_over:
                self._in_sentence = 0
            self._after_stop = self._sentence_is_over = False
        goes_on = character.isalnum() or (character in APOSTROPHES and self._word)
        self._word = self._word + character if goes_on else ""

    def _read_line(self, character: str) -> None:
        if character == "\n":
            self._lines = 0 if self._is_empty_line else self._lines + 1
            if self._is_empty_line:  # a quotation mark that was forgotten ends with its paragraph
                self._in_quotes, self._sentence_is_over = False, True
            self._indentation, self._is_empty_line = 0, True
        elif not character.isspace():
            self._is_empty_line = False
        elif self._is_empty_line:
            self._indentation += TAB if character == "\t" else 1
