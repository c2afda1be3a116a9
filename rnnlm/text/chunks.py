"""Texts in groups that are worked on side by side."""

from collections.abc import Iterable, Iterator

from rnnlm.errors import RnnlmError, shown

CHUNK_CHARACTERS = 1 << 17
"""A group takes no more texts when they have more characters than this."""


def chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield texts in lists of `size`, or fewer where they are long; what was read before an error comes first.

    Raises
    ------
    RnnlmError
        If one is not a string, or all are, as the letters of a single one.
    """
    if isinstance(texts, str):
        raise RnnlmError(f"Texts must be a list, not the text {shown(texts)}; put it in [ ].")
    chunk: list[str] = []
    characters = 0
    try:
        for text in texts:
            if not isinstance(text, str):
                raise RnnlmError(f"A text must be a string, not {shown(text)}.")
            chunk.append(text)
            characters += len(text)
            if len(chunk) == size or characters > CHUNK_CHARACTERS:
                yield chunk
                chunk, characters = [], 0
    except RnnlmError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
