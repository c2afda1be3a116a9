from collections.abc import Iterator

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.chunks import CHUNK_CHARACTERS, chunks


def test_long_texts_come_in_small_groups():
    long = ["the cat " * CHUNK_CHARACTERS, "owl"]
    assert [len(chunk) for chunk in chunks(long * 2, 64)] == [1, 2, 1]
    assert list(chunks(["a", "b", "c"], 2)) == [["a", "b"], ["c"]]


def test_what_was_read_before_an_error_comes_first():
    def texts() -> Iterator[str]:
        yield "a"
        raise RnnlmError("broken")

    groups = chunks(texts(), 64)
    assert next(groups) == ["a"]
    with pytest.raises(RnnlmError, match="broken"):
        next(groups)
    with pytest.raises(RnnlmError, match="A text must be a string, not 5"):
        list(chunks(["a", 5], 64))  # type: ignore[list-item]
    with pytest.raises(RnnlmError, match=r"Texts must be a list, not the text 'ab'; put it in \[ \]"):
        list(chunks("ab", 64))
