"""Long text in pieces of bounded length."""

import re
from collections.abc import Iterator, Sequence


def cut(text: str, longest: int, places: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """Yield pieces of at most so many characters, the last one after all others; empty text is one piece.

    `places` are patterns of text up to a place where it may be cut, the best first. Where none matches, it is cut
    anywhere.
    """
    start = 0
    while len(text) - start > longest:
        limit = start + longest
        found = filter(None, (place.match(text, start, limit) for place in places))
        end = next((match.end() for match in found), limit)
        yield text[start:end]
        start = end
    yield text[start:]
