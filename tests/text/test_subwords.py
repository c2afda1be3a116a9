import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.subwords import all_subwords, is_subword_data, train_subwords
from rnnlm.text.tokenizers import make_tokenizer

TEXTS = ["low lower lowest, newer newest!", "the lowest of the low, 2024", "slower than the newest one"] * 3
DATA = {"characters": ["▁", "a", "b", "c"], "merges": [["▁", "a"], ["b", "c"], ["▁a", "bc"]]}
texts = st.text(st.sampled_from(" ▁abcab'.1é漢") | st.characters(exclude_categories=["Cs"]))


@pytest.fixture(autouse=True)
def _library():
    pytest.importorskip("tokenizers")


def test_frequent_parts_of_words_are_found():
    data = train_subwords(TEXTS, 60)
    assert is_subword_data(data)
    found = all_subwords(data)
    assert len(found) <= 60
    assert {"▁low", "▁the", "west"} <= set(found)
    assert make_tokenizer("bpe", subwords=data).tokenize("the slowest") == ["▁the", "▁slo", "west"]
    assert data == train_subwords(iter(TEXTS), 60)


def test_half_of_the_subwords_at_most_are_characters():
    data = train_subwords(["abcdefgh " * 9 + "z"], 12)
    assert data["characters"] == ["▁", "a", "b", "c", "d", "e"]
    assert len(all_subwords(data)) <= 12


def test_rare_pairs_are_not_merged():
    assert train_subwords(["abc"], 99)["merges"] == []
    assert len(train_subwords(["ab ab ab cd cd"], 99, min_count=3)["merges"]) == 2


def test_no_subword_goes_beyond_a_word():
    data = train_subwords(["so, so, so, don't. 12345 " * 50], 300)
    assert {"▁so", "▁don't"} <= set(all_subwords(data))
    assert not any("o," in subword or "1234" in subword for subword in all_subwords(data))


def test_subwords_and_back():
    tokenizer = make_tokenizer("bpe", subwords=DATA)
    assert tokenizer.tokenize("abc bca") == ["▁abc", "▁", "bc", "a"]
    assert tokenizer.tokenize("aéz") == ["▁a", "é", "z"]
    assert tokenizer.detokenize(["▁abc", "▁", "bc", "a"]) == "abc bca"


@given(texts)
def test_any_text_comes_back(text):
    tokenizer = make_tokenizer("bpe", subwords=DATA)
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == " ".join(text.split())


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        {"characters": ["a"]},
        {**DATA, "more": 1},
        {**DATA, "characters": ["ab"]},
        {**DATA, "characters": "ab"},
        {**DATA, "characters": ["\ud800"]},
        {**DATA, "merges": [["a", "x"]]},
        {**DATA, "merges": [["a"]]},
        {**DATA, "merges": [[["a"], "b"]]},
        {**DATA, "merges": {"a": "b"}},
    ],
)
def test_damaged_subwords_are_told(damaged):
    assert is_subword_data(DATA)
    assert not is_subword_data(damaged)


def test_the_library_is_needed_to_cut_text_but_not_to_join_it(monkeypatch):
    tokenizer = make_tokenizer("bpe", subwords=DATA)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert tokenizer.detokenize(["▁a", "bc"]) == "abc"
    for use in (lambda: tokenizer.tokenize("abc"), lambda: train_subwords(["abc"], 9)):
        with pytest.raises(RnnlmError, match="needs the package tokenizers; run: pip install tokenizers"):
            use()
