import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.text.tokenizers import CHARACTERS, WORD_TOKENIZERS, make_tokenizer


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't know.", ["I", "do", "n't", "know", "."]),
        ("i'm sure it's fine, really!", ["i", "'m", "sure", "it", "'s", "fine", ",", "really", "!"]),
        ('"yes," he said', ["``", "yes", ",", "''", "he", "said"]),
        ("(a $5 bet)", ["(", "a", "$", "5", "bet", ")"]),
        ("gonna and cannot", ["gon", "na", "and", "can", "not"]),
        ("what?! no...", ["what", "?", "!", "no", "..."]),
    ],
)
def test_nltk_and_back(text, tokens):
    tokenizer = make_tokenizer("nltk")
    assert tokenizer.tokenize(text) == tokens
    assert tokenizer.detokenize(tokens) == text


@pytest.mark.parametrize(
    "text",
    [
        "“curly” and ‘single’ quotes",
        "he’s right, they’re wrong",
        'he said "no" and then "yes".',
        "100% of #3 & more; well: fine",
        "see https://example.org/a?b=c now",
        "wait... what",
        "the dogs' home",
        "rock 'n' roll",
    ],
)
def test_prose_reads_as_it_was(text):
    for name in ("nltk", "tweet"):
        tokenizer = make_tokenizer(name)
        words = tokenizer.detokenize(tokenizer.tokenize(text))
        assert words.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "“curly” and more",
        "he’s right, they’re wrong",
        'he said "no" and then "yes".',
        "well... the end...",
        "see https://x.org now",
    ],
)
def test_spaces_are_where_they_were(text):
    tokenizer = make_tokenizer("nltk")
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == text


def test_tweet_keeps_emoticons_and_names():
    tokenizer = make_tokenizer("tweet")
    assert tokenizer.tokenize("@you :-) #tag don't") == ["@you", ":-)", "#tag", "don't"]


def test_whitespace():
    tokenizer = make_tokenizer("whitespace")
    assert tokenizer.tokenize(" the <unk> 's\n") == ["the", "<unk>", "'s"]
    assert tokenizer.detokenize(["the", "<unk>"]) == "the <unk>"


@given(st.text())
def test_characters_round_trip(text):
    tokenizer = make_tokenizer(CHARACTERS)
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"])), name=st.sampled_from(WORD_TOKENIZERS))
def test_words_are_never_empty_nor_hold_white_space(text, name):
    tokenizer = make_tokenizer(name)
    tokens = tokenizer.tokenize(text)
    assert all(tokens)
    assert isinstance(tokenizer.detokenize(tokens), str)


@pytest.mark.parametrize("name", ["nltk", "tweet"])
@pytest.mark.parametrize("unit", [".", "'", '"', "` ", "-", "(", "a", "a'", "1,", ".)", "@", "http://", " "])
def test_hostile_text_is_tokenized_in_time(name, unit):
    tokenizer = make_tokenizer(name)
    start = time.perf_counter()
    tokenizer.tokenize(unit * (20_000 // len(unit)))
    assert time.perf_counter() - start < 2
