import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnlm.dataset.store import Split
from rnnlm.evaluation import novelty
from rnnlm.evaluation.novelty import Copied, find_copied

START, END = 1, 2


def split_of(sentences: list[list[int]]) -> Split:
    ids = [i for words in sentences for i in (START, *words, END)]
    offsets = np.cumsum([0, *(len(words) + 2 for words in sentences)]).astype(np.uint64)
    return Split("train", np.array(ids, np.uint16), offsets, 0, 0)


def naive(sentences: list[list[int]], text: list[int], shortest: int) -> Copied:
    pieces = {tuple(s[i:j]) for s in sentences for i in range(len(s)) for j in range(i + shortest, len(s) + 1)}
    copied = set()
    longest: list[int] = []
    for i in range(len(text)):
        for j in range(i + shortest, len(text) + 1):
            if tuple(text[i:j]) in pieces:
                copied |= set(range(i, j))
                longest = text[i:j] if j - i > len(longest) else longest
    return Copied(len(copied) / len(text) if text else 0.0, longest)


word = st.integers(3, 5)
sentence = st.lists(word, min_size=1, max_size=14)


@pytest.mark.parametrize("block", [1, 5, 1 << 18])
@given(
    sentences=st.lists(sentence, max_size=8),
    texts=st.lists(st.lists(word, max_size=20), max_size=4),
    shortest=st.integers(1, 5),
)
# Each pair of neighbours stands in some sentence, but not all of it in one.
@example(sentences=[[3, 4, 5], [4, 5, 3], [5, 3, 4]], texts=[[3, 4, 5, 3, 4], [4, 5, 3]], shortest=2)
def test_shares_and_longest_pieces_are_those_of_a_plain_search(
    block: int, sentences: list[list[int]], texts: list[list[int]], shortest: int
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(novelty, "BLOCK", block)
        found = find_copied(split_of(sentences), texts, shortest)
    assert found == [naive(sentences, text, shortest) for text in texts]


def test_sequences_of_one_hash_are_compared(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(novelty, "FACTOR", 1)  # so that the order does not matter to it
    [found] = find_copied(split_of([[3, 4, 5, 6]]), [[6, 5, 4, 3]], 3)
    assert found == Copied(0.0, [])


def test_a_text_without_end_takes_linear_time():
    sentences = [[3] * 200_000, [4, 3] * 100_000]
    copied, other = find_copied(split_of(sentences), [[3] * 100_000, [4, 4] * 30_000], 8)
    assert copied == Copied(1.0, [3] * 100_000)
    assert other == Copied(0.0, [])
