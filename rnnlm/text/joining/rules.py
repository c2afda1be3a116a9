"""How each mark leans, for the tokens of NLTK's two tokenizers."""

from collections.abc import Callable, Mapping

from rnnlm.text.joining import punctuation, quotes, signs
from rnnlm.text.joining.characters import is_emoji, touch
from rnnlm.text.joining.place import ALONE, BOTH, CLOSES, LEFT, OPENS, RIGHT, Lean, Place

OTHER = ""
"""Key of the rule for tokens that are neither words nor listed."""

Rule = Lean | Callable[[Place], Lean]


def after(lean: Lean, *words: str) -> Rule:
    """Make the rule of a token that leans so after certain words only."""
    return lambda place: lean if place.before in words else ALONE


def clitic(place: Place) -> Lean:
    """Lean of 't, which NLTK cuts off 'tis and 'twas too."""
    return RIGHT if place.ahead() in ("is", "was") else LEFT


def ordinal(place: Place) -> Lean:
    """Lean of what follows a fraction: 2/3rds."""
    return LEFT if place.before[-1:].isdigit() else ALONE


def unlisted_in_tweet(place: Place) -> Lean:
    """Lean of other tokens of a tokenizer that cuts off every pictograph."""
    if is_emoji(place.token[:1]) and is_emoji(place.before[-1:]):
        return LEFT
    return punctuation.unlisted(place)


NLTK: Mapping[str, Rule] = {
    ".": punctuation.point,
    ",": punctuation.comma,
    **dict.fromkeys("?!", punctuation.ending),
    **dict.fromkeys("،؛؟۔।॥·", LEFT),
    **dict.fromkeys(":;", punctuation.colon),
    **dict.fromkeys("([", punctuation.bracket),
    **dict.fromkeys(")]}", CLOSES),
    "{": OPENS,
    "<": punctuation.less,
    ">": punctuation.greater,
    "-": punctuation.single_hyphen,
    "--": punctuation.double_hyphen,
    **dict.fromkeys("\u2012\u2013\u2014\u2015", punctuation.long_dash),
    "``": OPENS,
    "''": quotes.closing,
    '"': quotes.double,
    **dict.fromkeys("„‚", OPENS),
    "“": quotes.left_curly,
    "”": quotes.right_curly,
    "«": quotes.left_angle,
    "»": quotes.right_angle,
    "‘": quotes.left_single,
    **dict.fromkeys("'’", quotes.apostrophe),
    # The parts of contractions.
    **dict.fromkeys(("'s", "'re", "'ve", "'ll", "'d", "'m", "n't", "'ye"), LEFT),
    "'t": clitic,
    "'n": after(LEFT, "more"),
    "is": after(LEFT, "'t"),
    "was": after(LEFT, "'t"),
    "not": after(LEFT, "can"),
    "na": after(LEFT, "gon", "wan"),
    "me": after(LEFT, "gim", "lem"),
    "ta": after(LEFT, "got"),
    **dict.fromkeys(("`", "```"), signs.tick),
    "*": signs.star,
    "@": signs.at,
    "#": signs.number_sign,
    "$": signs.currency,
    "%": signs.percent,
    "&": signs.ampersand,
    OTHER: punctuation.unlisted,
}

TWEET: Mapping[str, Rule] = {
    **NLTK,
    **dict.fromkeys(":;", punctuation.colon_in_tweet),
    "…": punctuation.dots,
    **dict.fromkeys("™®", LEFT),
    **dict.fromkeys("¿¡", RIGHT),
    **dict.fromkeys("£€¥₹", signs.currency),
    **dict.fromkeys("^~", signs.prefix),
    **dict.fromkeys("_\\", BOTH),
    "/": signs.slash,
    "-": signs.hyphen,
    "+": signs.plus,
    "|": signs.pipe,
    "°": signs.degree,
    **dict.fromkeys((";d", ":d"), after(BOTH, "tl")),
    **dict.fromkeys(("rd", "rds", "th", "ths"), ordinal),
    OTHER: unlisted_in_tweet,
}
"""The rules for a tokenizer that cuts off more signs, and takes some marks for smileys that are none."""


def lean_of(place: Place, rules: Mapping[str, Rule]) -> Lean:
    """Return how the token at a place leans."""
    rule = rules.get(place.token)
    if rule is None:
        if place.token.isalnum():
            return ALONE
        rule = rules[OTHER]
    return rule if isinstance(rule, Lean) else rule(place)


def is_joined(place: Place, lean: Lean) -> bool:
    """Return whether there is no space before the token at a place, given how it leans."""
    if place.lean.right or lean.left:
        return True
    earlier = place.recent[-2] if len(place.recent) > 1 else ""
    return touch(earlier, place.before, place.token)
