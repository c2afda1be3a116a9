from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize.treebank import TreebankWordDetokenizer

from rnnlm.text.detokenizers import GrowingProse, Prose, _prepare
from tests.text.words import WORDS

PROSE = Prose()


def every_pattern(tokens: Sequence[str]) -> str:
    """Apply all patterns, also those that cannot match."""
    text: str = TreebankWordDetokenizer().detokenize(_prepare(tokens))
    for pattern, replacement in PROSE.TIDY:
        text = pattern.sub(replacement, text)
    return text


@settings(max_examples=300)
@given(tokens=st.lists(st.sampled_from(WORDS) | st.text(max_size=4).filter(bool), max_size=12))
def test_prose_is_that_of_every_pattern_however_it_grows(tokens: list[str]):
    assert PROSE.detokenize(tokens) == every_pattern(tokens)
    growing = GrowingProse(PROSE, tokens[:2])
    for number, token in enumerate(tokens[2:], start=3):
        growing.append(token)
        assert growing.text == every_pattern(tokens[:number])
        assert growing.text.startswith(growing.settled)


@pytest.mark.parametrize(
    ("tokens", "settled"),
    [
        (["can", "not", "see"], "cannot"),
        (["see", "it", ".", "the"], "see it."),
        (['"', "yes", '"', "and", '"', "no", "more"], '"yes" and "no'),
        (["(", "a", ")"], ""),
    ],
)
def test_prose_is_settled_to_the_last_place_where_words_are_apart(tokens: list[str], settled: str):
    growing = GrowingProse(PROSE, [])
    for token in tokens:
        growing.append(token)
    assert growing.settled == settled
