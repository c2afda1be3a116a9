"""How a token leans, and all that decides it."""

from collections import deque
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple


class Lean(NamedTuple):
    """On which of its neighbours a token leans, and whether it opens or closes a quotation or bracket."""

    left: bool
    right: bool
    opens: bool = False
    closes: bool = False


ALONE = Lean(left=False, right=False)
LEFT = Lean(left=True, right=False)
RIGHT = Lean(left=False, right=True)
BOTH = Lean(left=True, right=True)
OPENS = Lean(left=False, right=True, opens=True)
CLOSES = Lean(left=True, right=False, closes=True)

PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ('"', "``", "''"), "“”„", "‘’‚", "«»")
FAMILIES = {mark: pair[0] for pair in PAIRS for mark in pair}
"""One mark for all that open and close the same quotation or bracket."""

RECENT = 12
"""The number of tokens before a mark that show its language."""

ADDRESS = ("//", "www.")
"""The beginnings of web addresses, which NLTK leaves in one token; marks may follow."""

EYES, NOSES = (":", ";"), ("-", "'", "^")
"""Parts that NLTK cuts off the mouth of a smiley."""


class Place:
    """A place in a sequence of tokens: the tokens before it, and a look ahead.

    Attributes
    ----------
    token, before, recent
        The token at this place, the one before it, empty at the start, and the last tokens before; in lower case.
    lean, run
        How the token before it, and the row of stars before it, lean.
    in_address
        Whether a web address may go on here.
    spaced_marks
        Whether the text has spaces inside its « ».
    peeked
        Whether `ahead` was asked for a token that has not come yet.
    """

    def __init__(self) -> None:
        self.token = self.before = ""
        self.lean, self.run = RIGHT, ALONE
        self.recent: deque[str] = deque(maxlen=RECENT)
        self.in_address = self.spaced_marks = self.peeked = False
        self._opened: dict[str, str] = {}
        self._tokens: Sequence[str] = ()
        self._index = 0

    def copy(self) -> "Place":
        """Return a place that goes on from here by itself."""
        other = copy(self)
        other.recent, other._opened = self.recent.copy(), self._opened.copy()
        return other

    def arrive(self, tokens: Sequence[str], index: int) -> None:
        """Stand at a token."""
        self._tokens, self._index, self.peeked = tokens, index, False
        self.token = tokens[index].lower()

    def ahead(self, number: int = 1) -> str:
        """Return the token `number` places ahead, in lower case; empty if there is none yet."""
        index = self._index + number
        if index < len(self._tokens):
            return self._tokens[index].lower()
        self.peeked = True
        return ""

    def comes(self, mark: str, within: int) -> bool:
        """Return whether a mark is among the next tokens, `within` of them."""
        for number in range(1, within + 1):
            token = self.ahead(number)
            if token == mark or not token:
                return token == mark
        return False

    def opener(self, mark: str = "") -> str:
        """Return what opened the quotation or bracket of a mark, or of this token; empty if it is not open."""
        return self._opened.get(_family(mark or self.token), "")

    @property
    def in_smiley(self) -> bool:
        """Whether the eyes of a smiley, or its eyes and nose, come right before."""
        if self.before in EYES:
            return self.lean == RIGHT
        return self.before in NOSES and self.lean == BOTH and len(self.recent) > 1 and self.recent[-2] in EYES

    def leave(self, lean: Lean, joined: bool) -> None:
        """Go past the token, which leans so, and is joined to the one before it or not."""
        token = self.token
        if lean.opens:
            self._opened[_family(token)] = token
        elif lean.closes:
            self._opened.pop(_family(token), None)
        self.before, self.lean = token, lean
        self.recent.append(token)
        self.in_address = (joined and self.in_address) or token.startswith(ADDRESS)


def _family(mark: str) -> str:
    return FAMILIES.get(mark) or FAMILIES.get(mark[:1], mark)
