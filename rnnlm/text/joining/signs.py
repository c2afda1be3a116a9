"""How signs lean that are neither punctuation nor quotation marks."""

import re

from rnnlm.text.joining.characters import starts_word
from rnnlm.text.joining.place import ALONE, BOTH, CLOSES, LEFT, OPENS, RIGHT, Lean, Place
from rnnlm.text.joining.punctuation import NUMBER
from rnnlm.text.joining.quotes import OPENING_MARKS

DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
HIDDEN_AFTER = re.compile(r"[a-z]|sh|bi|bu|fu|as|cu|ni|bull ?sh")
HIDDEN_BEFORE = re.compile(
    r"(?=.*[^aeiou]$)[^aeiouy\W\d_]{1,4}|y|k?ing|ked|er|ers|holes?|ck(?:ing|ed|ers?)|tches|nes"
)
"""How words with hidden letters begin before the sign that hides them, and how they go on after it."""
ENTITY = re.compile("#|amp|[lg]t|quot|nbsp|apos")
UNIT = re.compile("bit|day|foot|hour|inch|man|mile|minute|month|page|person|point|second|star|time|way|week|year")
LONGEST_RUN = 4
LONGEST_ACTION = 10
"""Two stars that stand further apart do not belong together."""


def star(place: Place) -> Lean:
    """Lean of *, which hides letters, marks what is done or added, and multiplies; of a row as of one."""
    if place.in_smiley:
        return LEFT
    if place.before == "*":
        return Lean(left=True, right=place.ahead() == "*" or place.run.right)
    length = next((number for number in range(1, LONGEST_RUN) if place.ahead(number) != "*"), LONGEST_RUN)
    place.run = _row_of_stars(place, length)
    return place.run if length == 1 else place.run._replace(right=True)


def _row_of_stars(place: Place, length: int) -> Lean:
    before, after = place.before, place.ahead(length)
    if place.opener():
        return CLOSES
    if starts_word(before) and not place.lean.right:
        paired = length > 1 or place.comes("*", LONGEST_ACTION)
        if before[-1:].isdigit() or (not paired and after[:1].isdigit()):
            return ALONE
        if HIDDEN_AFTER.fullmatch(before) and (length > 1 or not paired):
            return BOTH if length == 1 or HIDDEN_BEFORE.fullmatch(after) else LEFT
        if not paired or not starts_word(after):
            return LEFT
    return OPENS if after else LEFT


def tick(place: Place) -> Lean:
    """Lean of backticks: opening and closing in turn."""
    if place.opener():
        return CLOSES
    return OPENS if place.ahead() else LEFT


def at(place: Place) -> Lean:
    """Lean of @: before a name, inside an address, between prices."""
    after = place.ahead()
    if place.before[-1:].isdigit() or after in ("http", "https"):
        return ALONE
    if place.in_address or (starts_word(place.before) and DOMAIN.fullmatch(after)):
        return BOTH
    return RIGHT if after[:1].isalpha() or after[:1] == "_" else ALONE


def number_sign(place: Place) -> Lean:
    """Lean of #: before a tag or number, after the letter of a language, inside an address or a hidden word."""
    before, after = place.before, place.ahead()
    if place.in_address or before == "&" or (len(before) == 1 and HIDDEN_BEFORE.fullmatch(after)):
        return BOTH
    if before in ("c", "f") and not after[:1].isdigit():
        return LEFT
    return RIGHT if starts_word(after) and after != "of" else ALONE


def currency(place: Place) -> Lean:
    """Lean of the sign of a currency: before or after the amount, in rows, for a letter."""
    token, before, after = place.token, place.before, place.ahead()
    if place.in_smiley:
        return LEFT
    amount = after == token or NUMBER.match(after) is not None
    if before in (token, "~", "+", "au", "nz", "hk"):
        return BOTH if amount else LEFT
    if before[:1].isdigit() and not amount:
        return LEFT
    if len(before) == 1 and before.isalpha() and after.isalpha():
        return BOTH
    return RIGHT if amount or starts_word(after) else ALONE


def percent(place: Place) -> Lean:
    """Lean of %."""
    if place.in_address:
        return BOTH
    return ALONE if place.before.isalpha() else LEFT


def ampersand(place: Place) -> Lean:
    """Lean of &: between words, between letters, inside an address, at the start of an entity."""
    before, after = place.before, place.ahead()
    if place.in_address:
        return BOTH
    if ENTITY.fullmatch(after) and place.ahead(2) in (";", "39", "x27"):
        return RIGHT
    if not (before[-1:].isalpha() and after[:1].isalpha()):
        return ALONE
    short = min(len(before), len(after)) == 1 and len(before) <= 2 and len(after) <= 4
    return BOTH if short and after != "i" and (before not in ("a", "i") or len(after) == 1) else ALONE


def slash(place: Place) -> Lean:
    """Lean of / where it is cut off words: and/or, /r/sub, yes /s, <br />."""
    before, after = place.before, place.ahead()
    if after == ">" and place.opener("<"):
        return RIGHT
    if after in ("r", "u") and place.ahead(2) == "/":
        return RIGHT
    if after == "s" and not starts_word(place.ahead(2)) and (len(before) != 1 or not before.isalpha()):
        return RIGHT
    return BOTH


def hyphen(place: Place) -> Lean:
    """Lean of - where it is cut off words: between words, in compounds, before an option, in rows."""
    before, after = place.before, place.ahead()
    if place.in_smiley:
        return BOTH
    if not before and after[:1].isdigit():
        return RIGHT
    if before == "-" and len(place.recent) == 1 and starts_word(after):
        return BOTH
    if before in ("-", "|", "|:"):
        return BOTH if after in ("-", "|", ":|") else LEFT if before == "-" else ALONE
    if after in ("-", ">"):
        return RIGHT
    if not starts_word(after):
        return LEFT if starts_word(before) and after not in OPENING_MARKS else ALONE
    compound = (before[-1:].isalpha() and after[:1].isdigit()) or (len(before) < 4 and UNIT.fullmatch(after))
    return BOTH if compound else ALONE


def plus(place: Place) -> Lean:
    """Lean of + where it is cut off words: C++, 50+, +1, Ctrl+C."""
    before, after = place.before, place.ahead()
    if after == "(":
        return ALONE
    if len(after) == 1 and len(before) > 2 and after.isalpha():
        return BOTH
    if before == "+" or (starts_word(before) and not after[:1].isdigit()):
        return LEFT
    return RIGHT if after[:1].isdigit() and not before[-1:].isdigit() else ALONE


def pipe(place: Place) -> Lean:
    """Lean of | where it is cut off the line below the head of a table."""
    right = place.ahead() in ("-", ":") and place.ahead(2) in ("-", "|", ":")
    return Lean(left=place.before in ("-", ":") and place.lean.right, right=right)


def prefix(place: Place) -> Lean:
    """Lean of signs that stand before a word, in rows too: ~5, ^^this."""
    return Lean(left=place.before == place.token, right=True) if place.ahead() else LEFT


def degree(place: Place) -> Lean:
    """Lean of the sign of degrees."""
    return BOTH if place.ahead() in ("c", "f") else LEFT
