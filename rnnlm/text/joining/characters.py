"""Kinds of characters and tokens that the rules tell apart."""

import re
import unicodedata

CLOSING_MARKS = frozenset((")", "]", "}", ">", "''", '"', "”", "’", "'", "»", "*", "%"))

UNSPACED = re.compile("[\u2e80-\u9fff\uf900-\ufaff\ufe30-\uffef]")

PARTICLE = re.compile(
    r"(?:이?라|하)[고는며면].*|[은는이가을를의에와과도로만]|에서|으로|까지|부터|처럼|이다|입니다"
)
"""Korean words that are written together with a quotation or bracket before them."""


def starts_word(token: str) -> bool:
    """Return whether a token begins with a letter or digit."""
    return token[:1].isalnum()


def ends_word(token: str) -> bool:
    """Return whether a token ends with a letter or digit."""
    return token[-1:].isalnum()


def is_unspaced(character: str) -> bool:
    """Return whether a character is of Chinese or Japanese script, which puts no spaces around marks either."""
    return UNSPACED.match(character) is not None


def is_hangul(character: str) -> bool:
    """Return whether a character is a syllable of Korean script."""
    return "\uac00" <= character <= "\ud7a3"


def is_greek(character: str) -> bool:
    """Return whether a character is of Greek script."""
    return "\u0370" <= character <= "\u03ff" or "\u1f00" <= character <= "\u1fff"


def is_emoji(character: str) -> bool:
    """Return whether a character is a pictograph, or shapes the one before it."""
    return "\U0001f000" <= character <= "\U0001faff" or character == "\ufe0f"


def is_combining(character: str) -> bool:
    """Return whether a character goes with the one before it."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me") or character in "\u200c\u200d"


def touch(earlier: str, before: str, token: str) -> bool:
    """Return whether two tokens that do not lean on each other are joined because of the characters that meet.

    They are in lower case; `earlier` is the token before both of them.
    """
    last, first = before[-1:], token[:1]
    if not (last and first):
        return False
    if last.isascii() and first.isascii():
        if first in "([{$*#@&" and last in "_^/=~\\-+":  # the rest of a word that NLTK cuts in two
            return before == "^" or (len(before) > 1 and before != "--" and before[0] != "_")
        if first in "-/=_.\\" and before in CLOSING_MARKS:
            return len(token) > 1 and token not in ("--", "/s", "/r") and not earlier.endswith((".", "!", "?"))
        return last == ":" and before[0].isdigit() and first.isdigit()  # the time of day
    if is_unspaced(last):
        return not (first.isalnum() and last.isalnum()) and first not in "#@"
    if is_unspaced(first):
        return not (last.isalnum() and first.isalnum())
    if is_hangul(first):
        return before in CLOSING_MARKS and PARTICLE.fullmatch(token) is not None
    return first == "(" and is_hangul(last)
