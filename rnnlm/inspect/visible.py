"""Tokens written so that nothing of them is invisible."""

from rnnlm.inspect.reading import Token

PICTURES = {"\n": "↵\n", "\t": "⇥\t"}
"""What is shown of white space that nobody would see."""

CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
"""Control characters, and the separators of lines and paragraphs."""

DIRECTIONS = [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Characters that change the direction of writing."""

NUMBERS = {code: f"⟨U+{code:04X}⟩" for code in CONTROLS + DIRECTIONS}
"""What is shown of both."""


def visible(token: Token) -> str:
    """Return what is shown of a token in the text."""
    if token.role == "end":
        return "¶"
    return PICTURES.get(token.text) or plain(token.text)


def plain(text: str) -> str:
    """Return a text in which characters that only change how others are shown are replaced by their numbers."""
    return text.translate(NUMBERS)


def named(text: str) -> str:
    """Return a token as one among others, where white space alone would not be seen."""
    return plain(text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") if text.isspace() else text)
