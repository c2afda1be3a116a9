"""Datasets of every tokenizer: what is learned from the corpus, and what it refuses."""

import json
from dataclasses import replace

import pytest

from rnnlm.dataset.building import learning
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.crew import Crew
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.vocabulary import Vocabulary
from tests.dataset.building.datasets import ALL_TRAIN, WORDS, sentences, write

LINES = [f"The {word}est of the {word}s, said number {number}." for number in range(99) for word in ("low", "new")]
CHINESE = "同样施力的大小不同，引起的加速度不同。\n" * 9


def texts(dataset: Dataset, split: str = "train") -> list[str]:
    """Return the sentences of a part as readable text."""
    processor, part = TextProcessor(dataset.vocabulary.settings), dataset.split(split)
    ids = (part.sentence(number)[1:-1] for number in range(part.num_sentences))
    return [processor.detokenize(dataset.vocabulary.decode(sentence)) for sentence in ids]


def test_subwords_come_from_the_corpus_and_stand_in_the_vocabulary(tmp_path):
    pytest.importorskip("tokenizers")
    file = write(tmp_path / "a.txt", "\n".join(LINES))
    choice = VocabularySettings(size=90)
    result = build_dataset(
        [file], tmp_path / "out", text=TextSettings("bpe"), vocabulary=choice, division=ALL_TRAIN
    )
    dataset = Dataset.open(tmp_path / "out")
    assert texts(dataset) == [line.lower() for line in LINES]
    assert len(dataset.vocabulary) == 90
    assert "▁the" in dataset.vocabulary
    assert result.total.unknown_tokens == 0
    assert "subwords" not in dataset.metadata["text"]
    assert dataset.vocabulary.counts[3:] == sorted(dataset.vocabulary.counts[3:], reverse=True)
    assert sum(dataset.vocabulary.counts[3:]) + result.total.sentences == result.total.tokens


def test_subwords_are_the_same_for_any_number_of_workers(tmp_path):
    pytest.importorskip("tokenizers")
    file = write(tmp_path / "a.txt", "\n".join(LINES))
    for workers in (1, 2):
        build_dataset([file], tmp_path / str(workers), text=TextSettings("bpe"), crew=Crew(workers))
    for name in ("vocabulary.json", "train.bin", "valid.bin"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_the_beginning_of_a_corpus_decides_on_subwords_and_later_characters_are_unknown(tmp_path, monkeypatch):
    pytest.importorskip("tokenizers")
    monkeypatch.setattr(learning, "SUBWORD_TRAINING_CHARACTERS", 1000)
    file = write(tmp_path / "a.txt", "\n".join([*LINES, "Zeta ζ Zeta"]))
    result = build_dataset([file], tmp_path / "out", text=TextSettings("bpe"), division=ALL_TRAIN)
    assert "ζ" not in result.vocabulary
    assert result.total.unknown_tokens == 3  # with two z
    reused = build_dataset([file], tmp_path / "again", vocabulary=result.vocabulary, division=ALL_TRAIN)
    assert reused.vocabulary == result.vocabulary
    extension = VocabularySettings(size=len(result.vocabulary) + 1, extends=result.vocabulary)
    extended = build_dataset([file], tmp_path / "more", vocabulary=extension, division=ALL_TRAIN)
    assert extended.vocabulary.tokens == [*result.vocabulary.tokens, "z"]
    assert extended.total.unknown_tokens == 1


@pytest.mark.parametrize("tokenizer", ["nltk", "tweet", "whitespace"])
def test_words_that_touch_are_refused(tmp_path, tokenizer):
    file = write(tmp_path / "a.txt", CHINESE)
    with pytest.raises(RnnlmError, match=r"script without spaces.*`tokenizer=unicode`.*`level=char`"):
        build_dataset([file], tmp_path / "out", text=TextSettings(tokenizer))
    assert not (tmp_path / "out").exists()


def test_words_that_touch_are_cut_by_unicode(tmp_path):
    file = write(tmp_path / "a.txt", CHINESE)
    build_dataset([file], tmp_path / "out", text=TextSettings("unicode"), division=ALL_TRAIN)
    assert texts(Dataset.open(tmp_path / "out")) == CHINESE.splitlines()


def test_an_old_vocabulary_goes_on_reading_what_it_was_made_for(tmp_path):
    old = Vocabulary(["<unk>", "<s>", "</s>", CHINESE[:19]], [0, 9, 9, 9], TextSettings("whitespace"))
    result = build_dataset([write(tmp_path / "a.txt", CHINESE)], tmp_path / "out", vocabulary=old)
    assert result.total.unknown_tokens == 0
    more = VocabularySettings(size=9, extends=old)
    build_dataset([write(tmp_path / "a.txt", CHINESE)], tmp_path / "more", vocabulary=more)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [("file", ["one two\nthree\n\nfour"]), ("paragraph", ["one two\nthree", "four"]),
     ("line", ["one two", "three", "four"])],
)  # fmt: skip
def test_lines_are_kept_within_documents(tmp_path, documents, expected):
    file = write(tmp_path / "a.txt", "\n \n one two\nthree\n\n\n\nfour\n\n")
    reader = ReaderSettings(documents=documents)
    build_dataset([file], tmp_path / "out", text=TextSettings(keep_lines=True), reader=reader, division=ALL_TRAIN)
    assert texts(Dataset.open(tmp_path / "out")) == expected


def test_lines_of_records_are_kept(tmp_path):
    songs = ["La la,\nla la.\n", "\n", "Na\r\nna"]
    file = write(tmp_path / "a.jsonl", "".join(json.dumps({"text": song}) + "\n" for song in songs))
    settings = TextSettings.choose("word", ["jsonl"], keep_lines=True)
    result = build_dataset([file], tmp_path / "out", text=settings, division=ALL_TRAIN)
    assert texts(Dataset.open(tmp_path / "out")) == ["la la,\nla la.", "na\nna"]
    assert result.empty_documents == 1


def test_no_line_end_is_lost_or_made_between_the_pieces_of_a_long_document(tmp_path):
    lines = [f"line {number}" for number in range(30_000)]
    file = write(tmp_path / "a.txt", "\n".join(lines))
    settings, reader = TextSettings("unicode", keep_lines=True), ReaderSettings(documents="file")
    build_dataset(
        [file], tmp_path / "out", text=settings, reader=reader, division=ALL_TRAIN,
        vocabulary=VocabularySettings(size=40_000), crew=Crew(2),
    )  # fmt: skip
    assert texts(Dataset.open(tmp_path / "out")) == ["\n".join(lines)]


def test_vocabulary_is_cut_by_size_and_count_with_ties_in_order(tmp_path):
    file = write(tmp_path / "a.txt", "d d d c c b b a\n")

    def words(**choice: int) -> list[str]:
        result = build_dataset(
            [file],
            tmp_path / "out",
            text=WORDS,
            vocabulary=VocabularySettings(**choice),
            division=ALL_TRAIN,
            overwrite=True,
        )
        return result.vocabulary.tokens[3:]

    assert words() == ["d", "b", "c", "a"]
    assert words(size=5) == ["d", "b"]
    assert words(min_count=2) == ["d", "b", "c"]
    assert words(min_count=9) == []


def test_only_training_words_are_counted(tmp_path):
    train, test = write(tmp_path / "a.txt", "a\n" * 3), write(tmp_path / "b.txt", "b\n" * 9)
    result = build_dataset([train], tmp_path / "out", text=WORDS, division=DivisionSettings(None, test, 0))
    assert result.vocabulary.tokens[3:] == ["a"]
    assert result.unique_tokens == 1


def test_an_existing_vocabulary_is_extended_by_the_most_frequent_new_words(tmp_path):
    old = Vocabulary(["<unk>", "<", ">", "the", "cat", "sat"], [9] * 6, TextSettings(tokenizer="whitespace"))
    text = tmp_path / "text.txt"
    text.write_text("the dog ran\nthe dog sat\nthe bird < ran\n")
    result = build_dataset(
        [str(text)],
        tmp_path / "out",
        vocabulary=VocabularySettings(size=len(old) + 2, extends=old),
        division=DivisionSettings(valid_fraction=0, test_fraction=0),
    )
    assert result.vocabulary.tokens == [*old.tokens, "dog", "ran"]
    assert result.vocabulary.counts == [2, 3, 3, 3, 0, 1, 2, 2]
    assert result.least_frequent == ("ran", 2)
    assert result.vocabulary.settings == old.settings


def test_an_existing_vocabulary_brings_its_settings(tmp_path):
    first = build_dataset(
        [write(tmp_path / "a.txt", "The cat.\nA dog.\nB c.\n")], tmp_path / "one", division=ALL_TRAIN
    )
    result = build_dataset(
        [write(tmp_path / "b.txt", "The new cat.\n")],
        tmp_path / "two",
        vocabulary=Vocabulary.load(first.path),
        division=DivisionSettings(valid_fraction=0, test_fraction=1),
    )
    dataset = Dataset.open(result.path)
    assert sentences(dataset, "test") == [["the", "UNKNOWN_TOKEN", "cat", "."]]
    assert dataset.vocabulary == first.vocabulary
    assert dataset.train.num_tokens == dataset.train.num_sentences == 0
    assert result.unique_tokens == 0


def test_punkt_parameters_are_kept(tmp_path):
    punkt = build_dataset(
        [write(tmp_path / "a.txt", "A b. C d.\n")],
        tmp_path / "one",
        text=TextSettings(sentences=True),
        division=ALL_TRAIN,
    ).vocabulary.settings.punkt
    given = replace(TextSettings(sentences=True), punkt={**punkt, "abbreviations": ["zz"]})
    result = build_dataset(
        [write(tmp_path / "b.txt", "About zz. more. End.\n")], tmp_path / "two", text=given, division=ALL_TRAIN
    )
    assert result.vocabulary.settings == given
    assert result.total.sentences == 2
