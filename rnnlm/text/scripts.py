"""Peculiarities of scripts.

Chinese, Japanese, Thai, Lao, Khmer, Burmese and Tibetan put no spaces between words. Turkish and Azerbaijani
have two letters i.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from rnnlm.errors import RnnlmError, shown

if TYPE_CHECKING:
    from rnnlm.text.documents import Piece
    from rnnlm.text.report import ReadReport

SCRIPTS = r"\p{Han}\p{Bopomofo}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
PUNCTUATION = r"\u3000-\u303f\uff00-\uff65\uffe0-\uffef"
"""Their punctuation, and the wide forms of other characters."""

LONGEST_WORD = 8
"""Letters without vowel signs; hardly a word of these scripts has more."""
LOOKED_AT = 1_000_000
"""Characters of a text that show whether its words stand apart."""
MOST_IN_RUNS, SOME_IN_RUNS = 1 / 3, 1 / 100
"""The share of a text in runs without spaces: above the first it is refused, above the second there is a note."""

CLOSING_MARKS = tuple(",.;:!?)]}%")
OPENING_MARKS = tuple("([{")

TURKISH_LETTERS = "ığş"
TURKISH_SHARE = 0.03
"""The least share of Turkish letters; Turkish has 8 %, Romanian with the wrong ş less than 2 %."""


@cache
def _pattern(text: str) -> Any:
    import regex

    return regex.compile(text, regex.VERSION1)


def begins_without_space(text: str, position: int = 0) -> bool:
    """Return whether a character is of these scripts, so that it needs no space before it."""
    return bool(_pattern(f"[{SCRIPTS}{PUNCTUATION}]").match(text, position))


def stand_apart(text: str, following: str) -> bool:
    """Return whether a space is written between a text in these scripts and the token that follows it.

    Only words of other scripts are set apart, and not from the marks that close or open something.
    """
    if begins_without_space(text, len(text) - 1) or begins_without_space(following):
        return False
    return not (text.endswith(OPENING_MARKS) or following.startswith(CLOSING_MARKS))


def refuse_unsegmented(pieces: "Iterable[Piece]", report: "ReadReport") -> None:
    """Refuse a text of words, by its first 1,000,000 characters, if there are no spaces between the words.

    Where only a small share of the text has none, the report says so.

    Raises
    ------
    RnnlmError
        If a third of them is in long runs of letters of scripts without spaces.
    """
    read = in_runs = 0
    example = ""
    for piece in pieces:
        read += len(piece.text)
        runs = _runs(piece.text)
        in_runs += sum(map(len, runs))
        example = example or next(iter(runs), "")
        if read >= LOOKED_AT:
            break
    _refuse(read, in_runs, example)
    if in_runs > SOME_IN_RUNS * read:
        report.note(
            f"{in_runs / read:.0%} of the text is in runs without spaces such as {shown(example[:30])}, each of"
            " which is one word here; `tokenizer=unicode` cuts them."
        )


def are_unsegmented(texts: Iterable[str]) -> bool:
    """Return whether a third of some texts is in long runs of letters of scripts without spaces."""
    read = in_runs = 0
    for text in texts:
        read += len(text)
        in_runs += sum(map(len, _runs(text)))
    return in_runs > MOST_IN_RUNS * read


def is_turkish(words: Sequence[str], counts: Sequence[int]) -> bool:
    """Return whether words that are so frequent are Turkish or Azerbaijani, by the letters ı, ğ and ş."""
    letters = turkish = 0
    for word, count in zip(words, counts, strict=True):
        letters += len(word) * count
        turkish += sum(map(word.count, TURKISH_LETTERS)) * count
    return turkish > TURKISH_SHARE * letters


def _runs(text: str) -> list[str]:
    if text.isascii():
        return []
    letters = _pattern(rf"[[{SCRIPTS}]&&\p{{L}}]")
    words = (word for word in text.split() if not word.isascii())
    return [word for word in words if len(letters.findall(word)) > LONGEST_WORD]


def _refuse(read: int, in_runs: int, example: str) -> None:
    if in_runs > MOST_IN_RUNS * read:
        raise RnnlmError(
            f"Much of the text is in a script without spaces between words, such as {shown(example[:30])}, so that"
            " whole sentences would be words; cut it with `tokenizer=unicode`, jieba (for Chinese) or bpe, or take"
            " characters with `level=char`."
        )
