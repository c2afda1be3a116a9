"""Line ends as tokens, for poems and lyrics."""

import re
from collections.abc import Sequence

from rnnlm.text.detokenizers import GrowingText
from rnnlm.text.tokenizers import Tokenizer

LINE_END = "\n"
MOST_LINE_ENDS = 2
"""The most line ends in a row: one of several empty lines is kept."""
LINE_ENDS = re.compile("\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


class LineTokenizer(Tokenizer):
    """Tokenizes each line by itself and keeps the ends of lines, but only one of several empty lines."""

    def __init__(self, of_lines: Tokenizer) -> None:
        self._of_lines = of_lines

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of the lines, with a line end between one line and the next."""
        first, *others = LINE_ENDS.split(text)
        tokens = self._of_lines.tokenize(first)
        for line in others:
            if tokens[-MOST_LINE_ENDS:] != [LINE_END] * MOST_LINE_ENDS:
                tokens.append(LINE_END)
            tokens += self._of_lines.tokenize(line)
        return tokens

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return the text of all lines."""
        return GrowingLines(self._of_lines, tokens)


class GrowingLines:
    """Text of several lines, each detokenized by itself."""

    def __init__(self, of_lines: Tokenizer, tokens: Sequence[str]) -> None:
        self._of_lines = of_lines
        *ended, last = _lines(tokens)
        self._before = "".join(of_lines.detokenize(line) + LINE_END for line in ended)
        self._line = of_lines.growing(last)

    @property
    def text(self) -> str:
        """The text of all tokens."""
        return self._before + self._line.text

    @property
    def settled(self) -> str:
        """The part of it that stays whatever tokens follow."""
        return self._before + self._line.settled

    def append(self, token: str) -> None:
        """Add a token."""
        if token == LINE_END:
            self._before += self._line.text + LINE_END
            self._line = self._of_lines.growing([])
        else:
            self._line.append(token)


def _lines(tokens: Sequence[str]) -> list[list[str]]:
    """Divide tokens at the ends of lines."""
    lines: list[list[str]] = [[]]
    for token in tokens:
        if token == LINE_END:
            lines.append([])
        else:
            lines[-1].append(token)
    return lines
