import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import SpecialTokens, Vocabulary

PUNKT = {"abbreviations": [], "collocations": [], "sentence_starters": [], "ortho_context": {}}
TOKENS = ["<unk>", "<s>", "</s>", "the", "cat", "ü"]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(TOKENS, [5, 2, 2, 9, 3, 1], TextSettings("whitespace"))


def test_ids(vocabulary):
    assert (vocabulary.unknown_id, vocabulary.start_id, vocabulary.end_id) == (0, 1, 2)
    assert (vocabulary.unknown_token, vocabulary.start_token, vocabulary.end_token) == ("<unk>", "<s>", "</s>")
    assert len(vocabulary) == 6
    assert "cat" in vocabulary
    assert "dog" not in vocabulary
    assert vocabulary.decode([1, 3, 2]) == ["<s>", "the", "</s>"]


def test_special_tokens_in_text_are_unknown(vocabulary):
    assert vocabulary.encode(["the", "dog", "<unk>", "<s>", "</s>", "ü"]) == [3, 0, 0, 0, 0, 5]
    assert vocabulary.encode(["the", "<s>"], start=True) == [1, 3, 0]
    assert vocabulary.encode([], start=True) == [1]


@given(st.lists(st.sampled_from(TOKENS[3:])))
def test_round_trip(words):
    vocabulary = Vocabulary(TOKENS, [1] * 6, TextSettings())
    assert vocabulary.decode(vocabulary.encode(words)) == words


def test_equality(vocabulary):
    assert vocabulary == Vocabulary.from_dict(vocabulary.to_dict())
    assert vocabulary != Vocabulary(TOKENS, vocabulary.counts, TextSettings())
    assert vocabulary != "vocabulary"


def test_wrong_arguments_are_refused():
    for tokens, counts in ((["a", "b"], [1, 1]), (["a", "b", "a"], [1, 1, 1]), (["a", "b", "c"], [1])):
        with pytest.raises(ValueError, match="a vocabulary needs"):
            Vocabulary(tokens, counts, TextSettings())


def test_saved_and_found(vocabulary, tmp_path):
    file = tmp_path / "vocabulary.json"
    vocabulary.save(file)
    for path in (file, str(file), tmp_path):
        assert Vocabulary.load(path) == vocabulary
    assert list(json.loads(file.read_text(encoding="utf-8"))) == [
        "format_version", "level", "special_tokens", "tokens", "counts", "text",
    ]  # fmt: skip


def test_nothing_to_load(tmp_path):
    with pytest.raises(RnnlmError, match=r"vocabulary\.json: cannot be read"):
        Vocabulary.load(tmp_path)
    with pytest.raises(RnnlmError, match="none: cannot be read"):
        Vocabulary.load(tmp_path / "none")


def test_what_contradicts_a_vocabulary_is_named(vocabulary):
    assert vocabulary.contradictions() == []
    agreed = {"level": "word", "tokenizer": "whitespace", "vocab_size": 6, "end_token": "</s>", "clean": None}
    assert vocabulary.contradictions(**agreed) == []
    assert vocabulary.contradictions(level="char", clean=True, vocab_size=9, end_token="x", min_count=1) == [
        "level", "clean", "vocab_size", "end_token", "min_count",
    ]  # fmt: skip


def test_options_of_joining_and_lines_can_contradict():
    vocabulary = Vocabulary(TOKENS, [1] * 6, TextSettings("whitespace", join="none"))
    assert vocabulary.contradictions(join="none", keep_lines=None) == []
    assert vocabulary.contradictions(join="space", keep_lines=True) == ["join", "keep_lines"]


def test_tokens_as_people_see_them(vocabulary):
    tokens = ["UNKNOWN", "START", "END", "▁cat", "cat", ",", "▁(", "▁", "\n", "世界", "ing"]
    marked = Vocabulary(tokens, [1] * 11, TextSettings("unicode"))
    shown = ["UNKNOWN", "START", "END", "cat", "…cat", ",", "(", "' '", r"'\n'", "世界", "…ing"]
    assert [marked.visible(token) for token in tokens] == shown
    assert [vocabulary.visible(token) for token in ("▁cat", "cat", " ", "\n")] == ["▁cat", "cat", "' '", r"'\n'"]


def test_a_word_is_found_as_people_write_it(vocabulary):
    marked = Vocabulary([*TOKENS[:3], "▁cat", "cat", ",", "▁,"], [0, 0, 0, 9, 1, 9, 1], TextSettings("unicode"))
    assert [marked.find(word) for word in ("Cat", "▁cat", ",", "dog")] == [3, 3, 5, 0]
    assert [vocabulary.find(word) for word in ("The", "cat", "dog", "<s>")] == [3, 4, 0, 0]


def test_special_tokens_are_three_different_names():
    SpecialTokens("<unk>", "<s>", "</s>").check()
    for wrong in (SpecialTokens("x", "x", "y"), SpecialTokens("")):
        with pytest.raises(RnnlmError, match="three different names"):
            wrong.check()
    with pytest.raises(RnnlmError, match=r"'a\\udcff' is not valid Unicode"):
        SpecialTokens("a\udcff").check()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_files_that_are_not_json(tmp_path, content):
    file = tmp_path / "vocabulary.json"
    file.write_bytes(content)
    with pytest.raises(RnnlmError, match=r"vocabulary\.json: this is not a vocabulary"):
        Vocabulary.load(file)


def test_a_vocabulary_without_end_is_neither_read_nor_written(vocabulary, tmp_path, monkeypatch):
    file = tmp_path / "vocabulary.json"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(RnnlmError, match=r"vocabulary\.json: this is not a vocabulary \(longer than 64 MiB\)"):
        Vocabulary.load(file)
    file.unlink()
    monkeypatch.setattr("rnnlm.text.vocabulary.LARGEST_FILE", 1 << 8)
    with pytest.raises(RnnlmError, match=r"vocabulary\.json: .* set a lower `vocab_size`"):
        vocabulary.save(file)
    assert not file.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format version 2 is not 1"),
        ({"tokens": ["a", "b", "c", "d", "d", "e"]}, "the token 'd' appears twice"),
        ({"tokens": ["a"]}, "'tokens' must be"),
        ({"tokens": "abc"}, "'tokens' must be"),
        ({"tokens": [1, 2, 3, 4, 5, 6]}, "'tokens' must be"),
        ({"tokens": ["a", "b", "c", "d", "e", "\ud800"]}, "'tokens' must be a list of strings of valid Unicode"),
        ({"tokens": ["x" * 10**6] * 6}, "the token 'xxx.{,100} appears twice"),
        ({"text": {**asdict(TextSettings(sentences=True)), "punkt": {**PUNKT, "abbreviations": ["\ud800"]}}},
         "'text.punkt' does not hold"),
        ({"counts": [1]}, "'counts' must hold"),
        ({"counts": [1, 1, 1, 1, 1, -1]}, "'counts' must hold"),
        ({"counts": [1, 1, 1, 1, 1, True]}, "'counts' must hold"),
        ({"special_tokens": {}}, "'special_tokens' does not name"),
        ({"level": "char"}, "'level' is 'char'"),
        ({"text": None}, "'text' must hold"),
    ],
)  # fmt: skip
def test_damaged_vocabularies_are_refused(vocabulary, change, message):
    with pytest.raises(RnnlmError, match=f"file: {message}"):
        Vocabulary.from_dict({**vocabulary.to_dict(), **change}, "file")


@pytest.mark.parametrize(
    "labels", [None, "ab", ["a"], ["b", "a"], ["a", "b", "c"], [1, 2], ["a", "\ud800"], list("abcdefghij")]
)
def test_labels_that_are_not_the_last_tokens_are_refused(vocabulary, labels):
    labelled = vocabulary.with_labels({"a": 2, "b": 1})
    assert Vocabulary.from_dict(labelled.to_dict()) == labelled
    with pytest.raises(RnnlmError, match="file: 'labels' must be a list of strings that name the last"):
        Vocabulary.from_dict({**labelled.to_dict(), "labels": labels}, "file")


def test_the_label_of_a_text_is_one_of_the_labels(vocabulary):
    labelled = vocabulary.with_labels({"science": 2, "history": 5})
    assert [labelled.label_start(label) for label in ("history", "science")] == [len(TOKENS), len(TOKENS) + 1]
    assert labelled.start_ids == [labelled.start_id, len(TOKENS), len(TOKENS) + 1]
    assert labelled.label_counts == {"history": 5, "science": 2}
    with pytest.raises(RnnlmError, match=r"`label` 'sience': the model has no such label; .* such as 'science'\."):
        labelled.label_start("sience")
    with pytest.raises(RnnlmError, match=r"`label` is missing, .*; give one, such as 'history' or 'science'"):
        labelled.label_start(None)
    assert vocabulary.label_start(None) == vocabulary.start_id
    with pytest.raises(RnnlmError, match="`label` 'x': the model has no labels; leave it out"):
        vocabulary.label_start("x")
    assert labelled.start_of("x") == labelled.start_id
    assert labelled.contradictions(vocab_size=len(TOKENS)) == []


def test_missing_keys_are_named(vocabulary):
    data = vocabulary.to_dict()
    del data["counts"]
    with pytest.raises(RnnlmError, match="the key 'counts' is missing"):
        Vocabulary.from_dict(data)
    with pytest.raises(RnnlmError, match="this is not a vocabulary"):
        Vocabulary.from_dict([])


def test_a_special_token_is_no_label():
    data = Vocabulary(["u", "s", "s:a", "s:b"], [1] * 4, TextSettings("whitespace")).to_dict()
    assert Vocabulary.from_dict({**data, "labels": ["b"]}).first_label_id == 3
    with pytest.raises(RnnlmError, match="'labels' must be a list of strings that name the last"):
        Vocabulary.from_dict({**data, "labels": ["a", "b"]})


def test_no_label_is_empty():
    data = Vocabulary(["u", "s", "e", "s:"], [1] * 4, TextSettings("whitespace")).to_dict()
    with pytest.raises(RnnlmError, match="'labels' must be a list of strings that name the last"):
        Vocabulary.from_dict({**data, "labels": [""]})
