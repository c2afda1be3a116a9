"""From pairs of texts to a dataset and back."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
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
from rnnlm.text.vocabulary import SpecialTokens
from tests.dataset.building.datasets import ALL_TRAIN, LETTERS, WORDS, files_of, sentences, write

PAIRS = ReaderSettings("pairs")


def build(inputs, out, division=ALL_TRAIN, reader=PAIRS, **settings):
    result = build_dataset(inputs, out, reader=reader, division=division, **settings)
    return result, Dataset.open(out)


def sources(dataset, split):
    """Return the sources of a split as tokens, without START and END, which are checked."""
    part, vocabulary = dataset.split(split).source, dataset.source_vocabulary
    decoded = [vocabulary.decode(part.sentence(k)) for k in range(part.num_sentences)]
    assert all(one[0] == vocabulary.start_token and one[-1] == vocabulary.end_token for one in decoded)
    return [one[1:-1] for one in decoded]


def test_by_hand(tmp_path):
    train = write(tmp_path / "a.tsv", "Ein Hund\tA dog\nEin Hund hier\tDog\n")
    valid = write(tmp_path / "b.tsv", "Eine Katze\tA cat dog\n")
    test = write(tmp_path / "c.tsv", "Hund\tA\nHund Hund\tDog\n")
    result, dataset = build([train], tmp_path / "out", DivisionSettings(valid, test))
    assert dataset.vocabulary.tokens[3:] == ["dog", "a"]
    assert dataset.vocabulary.counts == [0, 2, 2, 2, 1]
    assert dataset.source_vocabulary.tokens[3:] == ["ein", "hund", "hier"]
    assert dataset.source_vocabulary.counts == [0, 2, 2, 2, 2, 1]
    assert dataset.vocabulary.settings == dataset.source_vocabulary.settings == TextSettings("nltk")
    assert sentences(dataset, "train") == [["a", "dog"], ["dog"]]
    assert sources(dataset, "train") == [["ein", "hund"], ["ein", "hund", "hier"]]
    assert sentences(dataset, "valid") == [["a", "UNKNOWN_TOKEN", "dog"]]
    assert sources(dataset, "valid") == [["UNKNOWN_TOKEN"] * 2]
    assert sources(dataset, "test") == [["hund"], ["hund"] * 2]
    numbers = result.to_dict()
    assert (numbers["documents"], numbers["sentences"], numbers["tokens"]) == (5, 5, 5 + 4 + 4)
    assert (numbers["vocabulary_size"], numbers["source"]["vocabulary_size"]) == (5, 6)
    assert numbers["source"]["unique_tokens"] == 3
    assert numbers["source"]["splits"]["valid"]["unknown_tokens"] == 2
    assert numbers["source"]["splits"]["train"]["characters"] == len("Ein Hund") + len("Ein Hund hier") + 2
    assert result.source.vocabulary == dataset.source_vocabulary
    assert dataset.metadata["source"]["splits"]["test"] == result.source.splits["test"].to_dict()


def test_pairs_without_a_token_on_one_side_are_left_out(tmp_path):
    text = "a\t1\n\t2\nb\t\n\n \t \nc\t3\n"
    result, dataset = build([write(tmp_path / "a.tsv", text)], tmp_path / "out")
    assert (result.documents, result.empty_documents) == (2, 4)
    assert (result.source.documents, result.source.empty_documents) == (2, 4)
    assert sentences(dataset, "train") == [["1"], ["3"]]
    assert sources(dataset, "train") == [["a"], ["c"]]
    assert "2" not in dataset.vocabulary
    assert "b" not in dataset.source_vocabulary


WORD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=5)
SIDE = st.lists(WORD, max_size=5)


@settings(max_examples=40)
@given(st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=8), st.booleans())
def test_what_is_written_is_read_back(written, are_parallel):
    whole = [(source, target) for source, target in written if source and target]
    with tempfile.TemporaryDirectory() as directory:
        sides = [[" ".join(side) for side in sides] for sides in zip(*written, strict=True)]
        if are_parallel:
            texts = ["\n".join(side) for side in sides]
        else:
            texts = ["\n".join(map("\t".join, zip(*sides, strict=True)))]
        files = [Path(directory, name) for name in "ab"[: len(texts)]]
        for file, text in zip(files, texts, strict=True):
            file.write_text(f"{text}\n", encoding="utf-8", newline="\n")
        inputs, reader = [str(file) for file in files], ReaderSettings("pairs", encoding="utf-8")
        if not whole:
            with pytest.raises(RnnlmError, match="there is no text in it"):
                build(inputs, Path(directory, "out"), reader=reader)
            return
        _, dataset = build(
            inputs, Path(directory, "out"), reader=reader, text=WORDS, vocabulary=VocabularySettings(size=6)
        )
        for found, vocabulary, side in (
            (sources, dataset.source_vocabulary, 0),
            (sentences, dataset.vocabulary, 1),
        ):
            known = set(vocabulary.tokens[3:])
            assert found(dataset, "train") == [
                [word if word in known else "UNKNOWN_TOKEN" for word in pair[side]] for pair in whole
            ]
            assert len(known) == min(3, len({word for pair in whole for word in pair[side]}))


def test_both_sides_come_into_the_same_part(tmp_path):
    text = "\n".join(f"a{k} b{k} c\t{'x ' * (k % 7)}y{k}" for k in range(200))
    division = DivisionSettings(valid_fraction=0.2, test_fraction=0.1)
    _, dataset = build([write(tmp_path / "a.tsv", text)], tmp_path / "out", division, text=WORDS)
    assert [dataset.split(name).num_sentences for name in SPLITS] == [140, 40, 20]
    numbers = []
    for name in SPLITS:
        unknown = name != "train"  # every word that tells which pair it is
        for source, target in zip(sources(dataset, name), sentences(dataset, name), strict=True):
            assert unknown == (source[0] == "UNKNOWN_TOKEN") == (target[-1] == "UNKNOWN_TOKEN")
            if not unknown:
                assert source[0][1:] == source[1][1:] == target[-1][1:]
                assert len(target) == int(source[0][1:]) % 7 + 1
                numbers.append(source[0][1:])
    assert len(set(numbers)) == 140


def test_few_pairs_are_not_cut(tmp_path):
    file = write(tmp_path / "a.tsv", "a b c d e f\tg h i j k\nl m n\to p q\n")
    with pytest.raises(RnnlmError, match="The corpus has 2 pairs, too few to divide in 3"):
        build([file], tmp_path / "out", DivisionSettings())
    assert not (tmp_path / "out").exists()


def test_workers_do_not_change_a_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 400)
    text = "\n".join(
        f"{' '.join(f'W{k * j % 37}' for j in range(k % 9))}\t{' '.join(f'V{k * j % 23}' for j in range(k % 5))}"
        for k in range(200)
    )
    file = write(tmp_path / "a.tsv", text)
    for workers in (1, 3):
        build([file], tmp_path / str(workers), DivisionSettings(), crew=Crew(workers))
    assert files_of(tmp_path / "1") == files_of(tmp_path / "3")


def test_rare_words_are_forgotten_on_each_side(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_TYPES", 40)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 100)
    monkeypatch.setattr(spool, "BLOCK_TOKENS", 16)
    monkeypatch.setattr(spool, "BLOCK_SEGMENTS", 3)
    file = write(tmp_path / "a.tsv", "".join(f"der hund{k} da\tthe dog {k % 3}\n" for k in range(500)))
    result, dataset = build([file], tmp_path / "out", text=WORDS)
    assert (result.forgot_types, result.source.forgot_types) == (False, True)
    assert sentences(dataset, "train") == [["the", "dog", str(k % 3)] for k in range(500)]
    assert sources(dataset, "train")[250] == ["der", "UNKNOWN_TOKEN", "da"]


def test_parallel_files_divided_by_files(tmp_path):
    train = [write(tmp_path / "a.de", "eins\nzwei\n"), write(tmp_path / "a.en", "one\ntwo\n")]
    valid = [write(tmp_path / "b.de", "drei\n"), write(tmp_path / "b.en", "three\n")]
    test = write(tmp_path / "c.tsv", "eins\ttwo\n")
    _, dataset = build(train, tmp_path / "out", DivisionSettings(",".join(valid), test))
    assert sources(dataset, "train") == [["eins"], ["zwei"]]
    assert sentences(dataset, "test") == [["two"]]
    assert sources(dataset, "test") == [["eins"]]
    assert dataset.valid.source.num_sentences == 1
    with pytest.raises(RnnlmError, match=r"none\.en: there is no such file"):
        build(train, tmp_path / "other", DivisionSettings(f"{valid[0]},{tmp_path / 'none.en'}", test))


def test_the_vocabularies_may_be_chosen_differently(tmp_path):
    file = write(tmp_path / "a.tsv", "a a b\tc c d\n" * 3)
    special = SpecialTokens("<unk>", "<s>", "</s>")
    _, dataset = build(
        [file],
        tmp_path / "out",
        vocabulary=VocabularySettings(size=4, special=special),
        source_vocabulary=VocabularySettings(min_count=4),
    )
    assert dataset.vocabulary.tokens == ["<unk>", "<s>", "</s>", "c"]
    assert dataset.source_vocabulary.tokens == ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "a"]
    _, dataset = build([file], tmp_path / "same", vocabulary=VocabularySettings(size=4, special=special))
    assert dataset.source_vocabulary.tokens == ["<unk>", "<s>", "</s>", "a"]


def test_characters(tmp_path):
    _, dataset = build([write(tmp_path / "a.tsv", "Ab c\txY\n")], tmp_path / "out", text=LETTERS)
    assert sources(dataset, "train") == [["A", "b", " ", "c"]]
    assert sentences(dataset, "train") == [["x", "Y"]]


def test_subwords_are_learned_for_each_side(tmp_path):
    pytest.importorskip("tokenizers")
    file = write(tmp_path / "a.tsv", "lauf laufen\twalk walking\n" * 30)
    text = TextSettings.choose(formats=["pairs"], tokenizer="bpe")
    _, dataset = build([file], tmp_path / "out", text=text, vocabulary=VocabularySettings(size=40, min_count=2))
    assert "▁walk" in dataset.vocabulary
    assert "▁lauf" in dataset.source_vocabulary
    assert dataset.vocabulary.settings.subwords != dataset.source_vocabulary.settings.subwords
    assert dataset.train.source.unknown_tokens == dataset.train.unknown_tokens == 0


@pytest.mark.parametrize("column", [0, 1])
def test_words_that_touch_are_refused_on_each_side(tmp_path, column):
    sides = ["他们在这里等着大家一起去公园里面玩", "They are waiting here."]
    file = write(tmp_path / "a.tsv", "\t".join(sides[::-1] if column else sides) + "\n")
    with pytest.raises(RnnlmError, match="a script without spaces between words"):
        build([file], tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "name"),
    [(TextSettings("nltk", sentences=True), "sentences"), (TextSettings("nltk", keep_lines=True), "keep_lines")],
)
def test_settings_that_pairs_cannot_have(tmp_path, text, name):
    file = write(tmp_path / "a.tsv", "a\tb\n")
    with pytest.raises(RnnlmError, match=f"`{name}` is for text, but `format=pairs` has whole lines"):
        build([file], tmp_path / "out", text=text)
    with pytest.raises(RnnlmError, match=f"`{name}` is for text"):
        TextSettings.choose(formats=["pairs"], **{name: True})


def test_text_for_the_vocabularies_of_a_dataset(tmp_path):
    file = write(tmp_path / "a.tsv", "Ein Hund\tA dog\nEin Hund\tA dog\n")
    _, dataset = build(
        [file], tmp_path / "out", vocabulary=VocabularySettings(special=SpecialTokens("U", "S", "E"))
    )
    other = write(tmp_path / "b.tsv", "Ein Tier\tA beast\n")
    with text_split(other, dataset.vocabulary, PAIRS, source_vocabulary=dataset.source_vocabulary) as part:
        assert dataset.vocabulary.decode(part.sentence(0)) == ["S", "a", "U", "E"]
        assert dataset.source_vocabulary.decode(part.source.sentence(0)) == ["S", "ein", "U", "E"]
    for reader in (None, ReaderSettings(format="tsv")):
        with (
            pytest.raises(RnnlmError, match=r"b\.tsv: the model translates; give a text of pairs"),
            text_split(other, dataset.vocabulary, reader, source_vocabulary=dataset.source_vocabulary),
        ):
            pass
    with text_split(other, dataset.vocabulary, PAIRS) as part:  # for a language model of the targets
        assert dataset.vocabulary.decode(part.sentence(0)) == ["S", "a", "U", "E"]


def test_no_pair_at_all(tmp_path):
    with pytest.raises(RnnlmError, match=r"a\.tsv: there is no text in it \(2 documents without a token\)"):
        build([write(tmp_path / "a.tsv", "\ta\nb\t\n")], tmp_path / "out")
    with pytest.raises(RnnlmError, match=r"a\.de, .*a\.en: there is no text in it"):
        build([write(tmp_path / "a.de", ""), write(tmp_path / "a.en", "")], tmp_path / "out")
