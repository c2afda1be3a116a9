"""How texts and numbers are written in a page."""

import html
import math


def escape(text: object) -> str:
    """Return a text as HTML has it, in attributes too; half a surrogate pair becomes ?."""
    return html.escape(str(text).encode(errors="replace").decode())


def capitalized(text: str) -> str:
    """Return a text with a large first letter, and the others as they are."""
    return text[:1].upper() + text[1:]


def number(value: float, decimals: int = 2) -> str:
    """Write a number to be read: no decimals if it is whole, a power of ten if it is very long, a dash for NaN."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 1e12:
        return f"{value:.3g}"
    return f"{value:,.{0 if value == int(value) else decimals}f}"


def short(value: float) -> str:
    """Write a number in few characters, as there is room for beside an axis."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < 1e12:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"
