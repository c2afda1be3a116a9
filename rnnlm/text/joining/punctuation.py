"""How punctuation, brackets and dashes lean."""

import re

from rnnlm.text.joining.characters import CLOSING_MARKS, is_combining, starts_word
from rnnlm.text.joining.place import ALONE, BOTH, CLOSES, LEFT, NOSES, OPENS, RIGHT, Lean, Place
from rnnlm.text.joining.quotes import spaces_marks

OPENS_JOINED = BOTH._replace(opens=True)

NUMBER = re.compile(r"[+-]?\.?\d[\d.,:]*")
ADDRESS_PART = re.compile(r".*[=_/].*|\d{5,}|[~:]")
"""Parts of a web address after ? and :"""
MOUTH = re.compile(r"-?[dp/\\|()\]}]|-[a-z]")
SIGN_MOUTH = re.compile(r"[ox*$<>@{]")
"""Signs that are mouths unless a word follows, which they belong to: costs: $5."""
RULE_LINE = re.compile(r"[|:-]+")
"""A part of the line below the head of a table."""
INLINE_TAG = re.compile("[abisu]|em|strong|code|su[bp]")
DOTS = re.compile(r"\.[. ]*\.")
LONGEST_BRACKET = 12
"""Tokens among which a closing bracket is looked for, where it decides what the opening one is."""
ADDED_LETTERS = re.compile(r"e?s|ed|ly|ing|ren")
"""Endings that a word has in brackets: word(s), emphasiz[ing]."""


def point(place: Place) -> Lean:
    """Lean of a full stop: after a word, at the start of one, between letters and in numbers."""
    before, after = place.before, place.ahead()
    if place.lean.right:
        return RIGHT if after else LEFT
    if len(before) == len(after) == 1 and before.isalpha() and after.isalpha():
        return BOTH if place.ahead(2) == "." else LEFT
    in_number = after.isdigit() and NUMBER.fullmatch(before) and ("." in before or "," in before)
    return BOTH if in_number else LEFT


def comma(place: Place) -> Lean:
    """Lean of a comma: after a word, and between thousands."""
    after = place.ahead()
    return BOTH if len(after) == 3 and after.isdigit() and NUMBER.fullmatch(place.before) else LEFT


def dots(place: Place) -> Lean:
    """Lean of an ellipsis: before the first word, else after a word."""
    if place.lean.right:
        return RIGHT if place.token != ".." and starts_word(place.ahead()) else ALONE
    return LEFT


def ending(place: Place) -> Lean:
    """Lean of ? and !, which end a sentence or go on in a web address."""
    if place.in_address and place.token == "?" and ADDRESS_PART.fullmatch(place.ahead()):
        return BOTH
    if place.before in ("?", "!"):
        return LEFT
    return ALONE if spaces_marks(place) else LEFT


def colon(place: Place) -> Lean:
    """Lean of : and ; which may be the eyes of a smiley."""
    return _colon(place, _is_mouth(place))


def colon_in_tweet(place: Place) -> Lean:
    """Lean of : and ; for a tokenizer that keeps most smileys whole."""
    return _colon(place, _is_rare_mouth(place))


def _colon(place: Place, has_mouth: bool) -> Lean:
    token, before, after = place.token, place.before, place.ahead()
    if after.startswith("//") or (place.in_address and ADDRESS_PART.fullmatch(after)):
        return BOTH
    if before.endswith("|") or (before.startswith("-") and after.startswith(("-", "|"))):
        return BOTH  # the line below the head of a table
    if (token == ":" and ":" in (before, after)) or (before, after) == ("tl", "dr"):
        return BOTH
    if has_mouth:
        return RIGHT
    return ALONE if spaces_marks(place) else LEFT


def _is_mouth(place: Place) -> bool:
    after = place.ahead()
    if after == "(":
        return not _is_closed(place)
    if after == ")" and place.token == ";":
        return not place.opener("(")
    return MOUTH.fullmatch(after) is not None or _is_rare_mouth(place)


def _is_closed(place: Place) -> bool:
    """Return whether the bracket that opens after a place is closed before another one opens."""
    for number in range(2, LONGEST_BRACKET + 1):
        if place.ahead(number) in ("(", ")", ""):
            return place.ahead(number) == ")"
    return False


def _is_rare_mouth(place: Place) -> bool:
    """Return whether a nose and a mouth follow, or a mouth that is seldom one."""
    number = 2 if place.ahead() in NOSES else 1
    mouth, following = place.ahead(number), place.ahead(number + 1)
    if number == 2 and MOUTH.fullmatch(mouth):
        return True
    return SIGN_MOUTH.fullmatch(mouth) is not None and not starts_word(following) and following != mouth


def bracket(place: Place) -> Lean:
    """Lean of ( and [, which may stand inside a word or after the name of a function."""
    before, inside = place.before, place.ahead()
    if place.in_smiley:
        return LEFT
    if (before, place.token) == ("]", "(") or (len(before) > 1 and before[-1] in "_^" and before[0] != "_"):
        return OPENS_JOINED
    if not starts_word(before):
        return OPENS
    if inside == ")":
        return OPENS_JOINED
    volume = before.isdigit() and inside.isdigit()  # of a journal: 12(3)
    if volume or ADDED_LETTERS.fullmatch(inside) or len(before) == len(inside) == 1:
        return OPENS_JOINED if place.ahead(2) in (")", "]") else OPENS
    return OPENS


def less(place: Place) -> Lean:
    """Lean of <, which opens a tag or arrow, begins a heart, or compares."""
    before, after = place.before, place.ahead()
    if before in ("<", "_") or after.startswith("/"):
        return OPENS_JOINED
    compares = len(before) == 1 and starts_word(before) and after != "3"
    if compares and len(after) == 1 and place.ahead(2) != ">":
        return ALONE
    if after.startswith(("-", "<", "=")) or (after[:1].isdigit() and not compares):
        return RIGHT
    return OPENS if place.comes(">", LONGEST_BRACKET) else ALONE


def greater(place: Place) -> Lean:
    """Lean of >, which closes a tag or arrow, begins a smiley, or compares."""
    after = place.ahead()
    if place.opener():
        return CLOSES._replace(right=True) if INLINE_TAG.fullmatch(place.before) else CLOSES
    if place.before.endswith(("-", "=", ">")):
        return LEFT
    smiley = after == "_" or (after in (":", ";") and MOUTH.fullmatch(place.ahead(2)))
    compares = place.before[-1:].isdigit() or (len(place.before) == 1 and starts_word(place.before))
    return RIGHT if smiley or after in (">", "=") or (after[:1].isdigit() and not compares) else ALONE


def double_hyphen(place: Place) -> Lean:
    """Lean of --: between words, before an option at the start, and in rows."""
    before, after = place.before, place.ahead()
    goes_on = after.startswith(("-", ">", "|", ":|")) or (after == ":" and place.ahead(2) == "|")
    if before.endswith("-"):
        return BOTH if goes_on else LEFT
    if goes_on:
        return BOTH if before.endswith(("|", ":")) else RIGHT
    return RIGHT if not before and starts_word(after) else ALONE


def single_hyphen(place: Place) -> Lean:
    """Lean of a hyphen that NLTK found alone, or cut off a row of them or a smiley."""
    if place.in_smiley:
        return BOTH
    return LEFT if place.before.endswith("--") else ALONE


def long_dash(place: Place) -> Lean:
    """Lean of – and —: between words, between numbers, in rows, and before a Spanish question."""
    before, after = place.before, place.ahead()
    if before == place.token:
        return LEFT
    if before[-1:].isdigit() and after[:1].isdigit():
        return BOTH
    return RIGHT if not before and after[:1] in ("¿", "¡") else ALONE


def unlisted(place: Place) -> Lean:
    """Lean of a token that is neither word nor listed mark."""
    token, before = place.token, place.before
    if DOTS.fullmatch(token):
        return dots(place)
    if token.startswith("‚"):
        return ALONE._replace(opens=True)
    if RULE_LINE.fullmatch(token) and RULE_LINE.fullmatch(before) and ("|" in before + token or before[-1] == "-"):
        return LEFT
    if token.startswith((")", "]", "}")):
        return LEFT
    if token.startswith("…") and (before in CLOSING_MARKS or before == ","):
        return LEFT
    return LEFT if token and is_combining(token[0]) else ALONE
