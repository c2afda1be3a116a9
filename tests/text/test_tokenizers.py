import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize.destructive import NLTKWordTokenizer

from rnnlm.errors import RnnlmError
from rnnlm.text.tokenizers import CHARACTERS, SPACE_BOUND, make_tokenizer


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


def test_subwords_have_to_be_there():
    with pytest.raises(RnnlmError, match="The tokenizer bpe has no subwords"):
        make_tokenizer("bpe")


def test_text_that_came_segmented_is_joined_without_spaces_where_its_script_has_none():
    tokenizer = make_tokenizer("whitespace", join="none")
    for text, joined in (
        ("他 说 ： “ 你 好 ！ ”", "他说：“你好！”"),
        ("我 用 iPhone 12 手机 看 The New York Times 。", "我用iPhone 12手机看The New York Times。"),
        ("hello , world ( of words ) : 50 % .", "hello, world (of words): 50%."),
        ("日本 の コーヒー 、 タイ", "日本のコーヒー、タイ"),
        ("ภาษา ไทย ดี", "ภาษาไทยดี"),
        ("", ""),
    ):
        tokens = tokenizer.tokenize(text)
        assert tokens == text.split()
        assert tokenizer.detokenize(tokens) == joined
        growing = tokenizer.growing([])
        for token in tokens:
            growing.append(token)
        assert growing.text == growing.settled == joined


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


@given(text=st.text(st.characters(exclude_categories=["Cs"])), name=st.sampled_from([*SPACE_BOUND, "unicode"]))
def test_words_are_never_empty_nor_hold_white_space(text, name):
    tokenizer = make_tokenizer(name)
    tokens = tokenizer.tokenize(text)
    assert all(tokens)
    assert isinstance(tokenizer.detokenize(tokens), str)


nltk_texts = st.text(st.one_of(st.sampled_from(" .,:;'\"`()[]<>-“’«…aAnstTcioeġı1"), st.characters()))
phrases = st.sampled_from(
    ["cannot ", "GIMME ", "wanna go", " 'tis", "d'ye", "n't ", "'ll ", "...", '"', "''", "``"]
)


@given(st.lists(st.one_of(nltk_texts, phrases)).map("".join))
def test_the_tokens_are_those_of_nltk(text):
    text = " ".join(text.split())
    assert make_tokenizer("nltk").tokenize(text) == NLTKWordTokenizer().tokenize(text)


def test_an_unknown_pattern_is_always_tried(monkeypatch):
    monkeypatch.setattr(NLTKWordTokenizer, "PARENS_BRACKETS", (re.compile("b"), " b "))
    assert make_tokenizer("nltk").tokenize("abc") == ["a", "b", "c"]


def test_character_references_do_not_make_lone_surrogates():
    assert make_tokenizer("tweet").tokenize("a &#xD800; b") == ["a", "\ufffd", "b"]
