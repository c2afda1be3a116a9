"""From text whose tokens have tags to a dataset and back."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.crew import Crew
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.building.text_split import text_split
from rnnlm.dataset.store import SPLITS, Dataset
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.tokenizers import CHARACTERS
from rnnlm.text.vocabulary import Vocabulary
from tests.dataset.building.datasets import ALL_TRAIN, files_of, sentences, write

TAGGED, SEGMENTED = ReaderSettings("tagged"), ReaderSettings("segmented")


def build(file, out, reader=TAGGED, division=ALL_TRAIN, **settings):
    result = build_dataset([file], out, reader=reader, division=division, **settings)
    return result, Dataset.open(out)


def tags_of(dataset, split):
    part = dataset.split(split)
    for k in range(part.num_sentences):
        first, last = int(part.offsets[k]), int(part.offsets[k + 1]) - 1
        assert part.tags[first] == part.tags[last] == 0
        names = ["", *dataset.tags.names]
        yield [names[tag] for tag in part.tags[first + 1 : last]]


def spellings_of(dataset, split):
    part = dataset.split(split)
    for k in range(part.num_sentences):
        first, last = int(part.offsets[k]), int(part.offsets[k + 1]) - 1
        assert part.spellings[first] == part.spellings[last] == 0
        yield [dataset.train.words[index] for index in part.spellings[first + 1 : last]]


def test_by_hand(tmp_path):
    train = write(tmp_path / "a.txt", "The\tDET\ncat\tNOUN\n\nthe\tDET\ncat\tVERB\nsat\tVERB\n")
    valid = write(tmp_path / "b.txt", "THE\tX\ncat\tNOUN\n")
    test = write(tmp_path / "c.txt", "dog\tNOUN\n\ndog\tNOUN\n")
    result, dataset = build(train, tmp_path / "out", division=DivisionSettings(valid, test))
    assert dataset.vocabulary.tokens[3:] == ["cat", "the", "sat"]
    assert dataset.vocabulary.counts == [0, 2, 2, 2, 2, 1]
    assert dataset.vocabulary.settings == TextSettings("whitespace")
    assert (dataset.tags.names, dataset.tags.counts) == (["DET", "VERB", "NOUN"], [2, 2, 1])
    assert dataset.tags == result.tags
    assert not dataset.tags.segmented
    assert sentences(dataset, "train") == [["the", "cat"], ["the", "cat", "sat"]]
    assert list(tags_of(dataset, "train")) == [["DET", "NOUN"], ["DET", "VERB", "VERB"]]
    assert list(spellings_of(dataset, "train")) == [["The", "cat"], ["the", "cat", "sat"]]
    assert list(tags_of(dataset, "valid")) == [["", "NOUN"]]
    assert list(spellings_of(dataset, "valid")) == [["THE", "cat"]]
    assert sentences(dataset, "test") == [["UNKNOWN_TOKEN"]] * 2
    assert list(spellings_of(dataset, "test")) == [["dog"]] * 2
    numbers = result.to_dict()
    assert (numbers["documents"], numbers["unique_tokens"], numbers["tags"]) == (5, 3, 3)
    assert [numbers["splits"][name]["unknown_tags"] for name in SPLITS] == [0, 1, 0]
    # As the text "The cat" and "the cat sat" has, each with an end.
    assert numbers["splits"]["train"]["characters"] == 8 + 12


def test_characters_of_words(tmp_path):
    file = write(tmp_path / "a.txt", "同样 的 大多数\n的\n")
    result, dataset = build(file, tmp_path / "out", SEGMENTED)
    assert dataset.vocabulary.settings == TextSettings(CHARACTERS, lowercase=False)
    assert dataset.tags.segmented
    assert dataset.tags.names == ["B", "E", "S", "M"]
    assert list(tags_of(dataset, "train")) == [list("BESBME"), ["S"]]
    assert sentences(dataset, "train") == [list("同样的大多数"), ["的"]]
    assert dataset.train.words is None
    assert dataset.train.spellings is None
    assert result.splits["train"].characters == 6 + 1 + 2


WORD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=5)
TAG = st.text("ABX-", min_size=1, max_size=2)


@given(st.lists(st.lists(st.tuples(WORD, TAG), min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_is_written_is_read_back(written):
    text = "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in sentence) for sentence in written)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "a.txt")
        # Ten columns could be CoNLL-U, and a comment has no tab: not so here, where the first line has one tab.
        file.write_text(text, encoding="utf-8", newline="\n")
        reader = ReaderSettings("tagged", encoding="utf-8")
        _, dataset = build(str(file), Path(directory, "out"), reader, vocabulary=VocabularySettings(size=6))
        lower = [[word.lower() for word, _ in sentence] for sentence in written]
        known = set(dataset.vocabulary.tokens[3:])
        assert list(tags_of(dataset, "train")) == [[tag for _, tag in sentence] for sentence in written]
        assert list(spellings_of(dataset, "train")) == [[word for word, _ in sentence] for sentence in written]
        assert sentences(dataset, "train") == [
            [word if word in known else "UNKNOWN_TOKEN" for word in sentence] for sentence in lower
        ]
        assert len(known) == min(3, len({word for sentence in lower for word in sentence}))


def test_sentences_are_divided_whole(tmp_path):
    text = "\n\n".join(f"a{k}\tX\nb{k}\tY\nc{k}\tZ" for k in range(40))
    division = DivisionSettings(valid_fraction=0.2, test_fraction=0.2)
    _, dataset = build(write(tmp_path / "a.txt", text), tmp_path / "out", division=division)
    assert [dataset.split(name).num_sentences for name in SPLITS] == [24, 8, 8]
    for name in SPLITS:
        assert list(tags_of(dataset, name)) == [["X", "Y", "Z"]] * dataset.split(name).num_sentences


def test_workers_do_not_change_a_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 400)
    text = "\n\n".join("\n".join(f"W{k * j % 37}\tT{j % 5}" for j in range(12)) for k in range(60))
    file = write(tmp_path / "a.txt", text)
    made = []
    for workers in (1, 2):
        build(file, tmp_path / f"out{workers}", division=DivisionSettings(seed=3), crew=Crew(workers))
        made.append(files_of(tmp_path / f"out{workers}"))
    assert made[0] == made[1]
    assert len(made[0]) == 8 + 2 * 4


def test_a_long_sentence_stays_one(tmp_path):
    file = write(tmp_path / "a.txt", "word\tX\nother\tY\n" * 50_000)
    _, dataset = build(file, tmp_path / "out")
    assert (dataset.train.num_sentences, dataset.train.num_tokens) == (1, 100_001)
    np.testing.assert_array_equal(dataset.train.tags, [0, *[1, 2] * 50_000, 0])


def test_types_that_are_forgotten_are_unknown_without_a_tag(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_TYPES", 50)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 300)
    text = "\n\n".join(f"the\tDET\nWord{k}\tNOUN" for k in range(300))
    result, dataset = build(write(tmp_path / "a.txt", text), tmp_path / "out")
    assert result.forgot_types
    assert dataset.vocabulary.tokens[3] == "the"
    forgotten = dataset.train.ids == Vocabulary.unknown_id
    assert forgotten.sum() > 100
    assert not dataset.train.tags[forgotten].any()
    assert {dataset.train.words[k] for k in set(dataset.train.spellings[forgotten])} == {"\ufffd"}
    assert result.splits["train"].unknown_tags == forgotten.sum()


def test_a_vocabulary_and_tags_are_reused(tmp_path):
    _, dataset = build(write(tmp_path / "a.txt", "The\tDET\ncat\tNOUN\n"), tmp_path / "out")
    text = write(tmp_path / "b.txt", "cat\tVERB\nthe\tDET\n")
    with text_split(text, dataset.vocabulary, TAGGED, tags=dataset.tags) as part:
        assert part.ids.tolist() == [1, *dataset.vocabulary.encode(["cat", "the"]), 2]
        assert part.tags.tolist() == [0, 0, *dataset.tags.encode(["DET"]), 0]
    with text_split(text, dataset.vocabulary, TAGGED) as part:
        assert not part.tags.any()
    with text_split(write(tmp_path / "c.txt", "the cat\n"), dataset.vocabulary) as part:
        assert part.tags is None
    other, again = build(text, tmp_path / "again", vocabulary=dataset.vocabulary)
    assert again.vocabulary == dataset.vocabulary
    assert other.tags.names == ["DET", "VERB"]


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (TAGGED, TextSettings(CHARACTERS, lowercase=False), "has tags for words"),
        (SEGMENTED, TextSettings("whitespace"), "has tags for characters"),
        (SEGMENTED, TextSettings(CHARACTERS), "`lowercase` is for words"),
        (TAGGED, TextSettings("unicode"), "`tokenizer=unicode` makes tokens"),
        (TAGGED, TextSettings("nltk", keep_lines=True), "`keep_lines` makes tokens"),
        (TAGGED, TextSettings("nltk", sentences=True), "`sentences` is for text"),
    ],
)
def test_settings_that_given_tokens_cannot_have(tmp_path, reader, text, message):
    with pytest.raises(RnnlmError, match=message):
        build(write(tmp_path / "a.txt", "a\tX\n"), tmp_path / "out", reader, text=text)
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_is_kept_for_other_text(tmp_path):
    text = TextSettings.choose(formats=["tagged"], tokenizer="nltk", lowercase=False)
    _, dataset = build(write(tmp_path / "a.txt", "don't.\tX\nA b\tY\n"), tmp_path / "out", text=text)
    assert sentences(dataset, "train") == [["don't.", "A b"]]
    assert dataset.vocabulary.settings.tokenizer == "nltk"


def test_no_sentence_at_all(tmp_path):
    with pytest.raises(RnnlmError, match=r"a\.txt: there is no text in it"):
        build(write(tmp_path / "a.txt", "\n\n# only this\n"), tmp_path / "out")
