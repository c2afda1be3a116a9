"""How quotation marks and apostrophes lean."""

import re
from collections.abc import Iterable

from rnnlm.text.joining.characters import ends_word, is_greek, starts_word
from rnnlm.text.joining.place import BOTH, CLOSES, LEFT, OPENS, RIGHT, Lean, Place

SPACED_OPENS, SPACED_CLOSES = OPENS._replace(right=False), CLOSES._replace(left=False)

LONGEST_QUOTATION = 12
"""Tokens among which a second mark is looked for, where only that shows that the first opens a quotation."""

OPENING_MARKS = frozenset(("“", "‘", "``", '"', "(", "[", "#", "@", "$"))
APOSTROPHES = ("'", "’", "‘")
ENDING = re.compile(r"s|t|re|ve|ll|d|m|all|am|[dt]a|te|[dt]an|n[ıi]n")
"""Endings after an apostrophe inside a word: don’t, I’m, ma’am, y’all, 90’s, Paris’te."""
ELISION = re.compile(r"[cdjlmnosty]|ma|un|(?:jus|lors|puis|quoi)?qu|aujourd|(?:a|da|de|ne|su|que)ll")
"""Beginnings before an apostrophe, also inside a quotation: l’eau, qu’il, o’clock."""
BEHEADED = re.compile(r"em|till?|cause|cuz|coz|bout|round|n|tis|twas|ere|gainst|cept|kay|\d\d(?:s|ers?)?")
"""Words that have lost their beginning: 'em, 'cause, and the '90s."""
LOSES_LETTER = re.compile(r".*\w\w(?:s|z|x|in)|ol|po")
"""Words that may end in an apostrophe: the dogs' home, goin' home, ol' friend."""

ABBREVIATION = re.compile(r"(?:\w\.)+|[jsm]r\.")

FRENCH_WORD = re.compile(
    "aux?|avai[st]|avec|avoir|ça|cette?|ceux|chez|comme|dans|depuis|donc|elles?|encore|est|étai[st]|être|eux|fai[st]|faut"
    "|ils|jamais|je?|leurs?|moi|même|notre|nous|oui|où|parce|pas|peut?|pour|pourquoi|puis|qu|quand|quelle|quelques?|quoi"
    "|rien|sans|ses|soit|sont|sous|suis|toi|toujours|tous|toute?s?|trop|très|une|vers|voilà|votre|vous"
    "|cria|demanda|murmura|répondit"
)
FRENCH_FORM = re.compile(r"(?:j|qu)['’].+|.+-(?:je|tu|ils?|elles?|nous|vous|ce|là|moi|toi)")
"""Words and forms of French that the other languages with « » do not have."""
FRENCH_AHEAD = 6


def is_french(tokens: Iterable[str], enough: int) -> bool:
    """Return whether tokens have a form that shows that they are French, or enough such words."""
    words = 0
    for token in tokens:
        words += enough if FRENCH_FORM.fullmatch(token) else FRENCH_WORD.fullmatch(token) is not None
    return words >= enough


def spaces_marks(place: Place) -> bool:
    """Return whether the text before a place seems to have spaces before ? ! : ; as French does."""
    if place.token == ":" and place.ahead() == "«":
        return place.spaced_marks or quotes_french(place, 2)
    return place.spaced_marks or is_french(place.recent, 2)


def quotes_french(place: Place, first: int) -> bool:
    """Return whether what is quoted from a place on is French, given how many tokens further on it begins."""
    following = [place.ahead(number) for number in range(first, first + FRENCH_AHEAD)]
    return "dit" in place.recent or is_french((*place.recent, *following), 1)


def closing(place: Place) -> Lean:
    """Lean of '', which NLTK makes of a quotation mark that has no space before it."""
    return BOTH if place.ahead() == "s" else CLOSES


def double(place: Place) -> Lean:
    """Lean of a plain quotation mark: opening and closing in turn."""
    before, after = place.before, place.ahead()
    if after == "s" and ends_word(before):
        return BOTH
    if place.opener():
        return OPENS if before == ":" else CLOSES
    inches = before[-1:].isdigit() and (_follows_apostrophe(place) or not place.comes('"', LONGEST_QUOTATION))
    # At the end of the text, a quotation ends that began in another.
    return LEFT if inches or not (place.lean.right or after) else OPENS


def left_curly(place: Place) -> Lean:
    """Lean of “, which closes what „ opened."""
    return CLOSES if place.opener() == "„" else OPENS


def right_curly(place: Place) -> Lean:
    """Lean of ”, which opens a quotation too in Swedish and Finnish."""
    if place.opener():
        return CLOSES
    if place.before in ("", ":") or (ends_word(place.before) and place.comes("”", LONGEST_QUOTATION)):
        return OPENS
    return CLOSES


def left_angle(place: Place) -> Lean:
    """Lean of «, which closes in »so«, and opens in «so» and in French « so »."""
    if place.opener() == "»":
        return CLOSES
    place.spaced_marks = quotes_french(place, 1)
    return SPACED_OPENS if place.spaced_marks else OPENS


def right_angle(place: Place) -> Lean:
    """Lean of », which opens in »so« and »so»."""
    if not place.opener() and starts_word(place.ahead()):
        return OPENS
    return SPACED_CLOSES if place.spaced_marks else CLOSES


def left_single(place: Place) -> Lean:
    """Lean of ‘, which closes what ‚ opened, and which some write for an apostrophe."""
    after = place.ahead()
    if place.opener()[:1] == "‚":
        return CLOSES
    if ends_word(place.before) and ENDING.fullmatch(after):
        return BOTH
    return RIGHT if BEHEADED.fullmatch(after) else OPENS


def apostrophe(place: Place) -> Lean:
    """Lean of ' and ’: inside a word, at its end, at its beginning, or around a quotation."""
    before, after = place.before, place.ahead()
    if place.in_smiley:
        return BOTH
    if ends_word(before) and not place.lean.right:
        return _after_word(place, before, after)
    if place.lean.right and before:
        return RIGHT if BEHEADED.fullmatch(after) else OPENS
    if BEHEADED.fullmatch(after):
        return RIGHT
    curly = place.token == "’"
    if not place.opener() and ENDING.fullmatch(after):
        initial = before == "." and len(place.recent) > 1 and len(place.recent[-2]) == 1
        if initial or ABBREVIATION.fullmatch(before):
            return BOTH  # Washington D.C.’s
        if curly:
            return RIGHT  # ’t is
    if place.opener() or (before and (curly or not (starts_word(after) or after in OPENING_MARKS))):
        return CLOSES
    return RIGHT if curly else OPENS


def _follows_apostrophe(place: Place) -> bool:
    return len(place.recent) > 1 and place.recent[-2] in APOSTROPHES


def _after_word(place: Place, before: str, after: str) -> Lean:
    curly, number = place.token == "’", before[-1:].isdigit()
    if before == "'n" or (BEHEADED.fullmatch(before) and not number and _follows_apostrophe(place)):
        return LEFT
    if ENDING.fullmatch(after) or (number and after[:1].isdigit()) or (curly and ELISION.fullmatch(before)):
        return BOTH
    if place.opener():
        return CLOSES
    if curly and number and after[:1].isalpha():
        return BOTH
    if number or not starts_word(after):
        return LEFT
    if BEHEADED.fullmatch(after):
        return RIGHT
    if curly:
        return LEFT if LOSES_LETTER.fullmatch(before) or is_greek(before[-1:]) else BOTH
    if LOSES_LETTER.fullmatch(before) and not place.comes("'", LONGEST_QUOTATION):
        return LEFT
    return OPENS
