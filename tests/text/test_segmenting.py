import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.tokenizers import make_tokenizer

UNICODE = make_tokenizer("unicode")
texts = st.text(
    st.one_of(
        st.sampled_from(" \n\t\u00a0▁▁▁aé1.,'’:_-\"“🇩🇪👩\u200d\u0301\u00ad漢字かカーไทยกאבמ"),
        st.characters(exclude_categories=["Cs"]),
    )
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't know.", "▁I ▁don't ▁know ."),
        ('He said, "no" (or so).', '▁He ▁said , ▁" no " ▁( or ▁so ) .'),
        ("3.14 e.g. a_b x.org 10,000", "▁3.14 ▁e.g . ▁a_b ▁x.org ▁10,000"),
        ("O’Brien’s ma’am TL;DR", "▁O’Brien’s ▁ma’am ▁TL ; DR"),
        ("« Où es-tu ? » dit Jean.", "▁« ▁Où ▁es - tu ▁? ▁» ▁dit ▁Jean ."),
        ("你好，world 世界", "你 好 ， world ▁世 界"),
        ("日本のコーヒー", "日 本 の コーヒー"),
        ("👩‍👩‍👧‍👦🇩🇪🇫🇷", "▁👩‍👩‍👧‍👦 🇩🇪 🇫🇷"),
        ("i\u0307stanbul", "▁i\u0307stanbul"),
        ("a▁b ▁ c", "▁a▁ b ▁▁ ▁c"),
        (" two\n\nlines ", "▁two ▁lines"),
        ("", ""),
    ],
)
def test_words_of_unicode_remember_where_spaces_stood(text, tokens):
    assert UNICODE.tokenize(text) == tokens.split()
    assert UNICODE.detokenize(tokens.split()) == " ".join(text.split())


@given(texts)
def test_any_text_comes_back_as_it_was_but_for_its_white_space(text):
    tokens = UNICODE.tokenize(text)
    assert UNICODE.detokenize(tokens) == " ".join(text.split())
    growing = UNICODE.growing([])
    for token in tokens:
        growing.append(token)
    assert growing.text == growing.settled == " ".join(text.split())


def test_the_first_word_is_that_of_the_middle():
    assert UNICODE.tokenize("the the") == ["▁the", "▁the"]
    assert UNICODE.tokenize("你你") == ["你", "你"]


def test_many_flags_are_cut_into_flags_at_once():
    text = "🇩🇪" * 30_000  # which took a quarter of a minute
    assert UNICODE.tokenize(text) == ["▁🇩🇪"] + ["🇩🇪"] * 29_999


def test_chinese_words_of_jieba():
    pytest.importorskip("rjieba")
    jieba = make_tokenizer("jieba")
    text = "我们在London买了 The Times，很好。"
    tokens = jieba.tokenize(text)
    assert tokens == ["我们", "在", "London", "买", "了", "▁The", "▁Times", "，", "很", "好", "。"]
    assert jieba.detokenize(tokens) == text


@given(texts)
def test_any_text_comes_back_from_jieba(text):
    pytest.importorskip("rjieba")
    jieba = make_tokenizer("jieba")
    assert jieba.detokenize(jieba.tokenize(text)) == " ".join(text.split())


def test_jieba_is_needed_to_cut_text_but_not_to_join_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "rjieba", None)
    jieba = make_tokenizer("jieba")
    assert jieba.detokenize(["我们", "▁The"]) == "我们 The"
    with pytest.raises(RnnlmError, match="needs the package rjieba; run: pip install rjieba"):
        jieba.tokenize("我们")


@pytest.mark.parametrize("unknown", ["UNKNOWN_TOKEN", "<unk>", ")?", "▁unk"])
@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("▁the ? .", "the ?."),
        ("? ▁cat ? ?", "? cat ? ?"),
        ("▁said ▁( ? )", "said (?)"),
        ("我 ? 们 ， ?", "我?们，?"),
        ("▁the ▁ ?", "the ?"),
    ],
)
def test_the_unknown_token_is_set_apart_as_a_word_is_whatever_its_name(unknown, tokens, text):
    tokenizer = make_tokenizer("unicode", unknown=unknown)
    words = [unknown if token == "?" else token for token in tokens.split()]
    assert tokenizer.detokenize(words) == text.replace("?", unknown)
    growing = tokenizer.growing([])
    for word in words:
        growing.append(word)
    assert growing.text == text.replace("?", unknown)
