import json

import pytest

from rnnlm.text import sentences
from rnnlm.text.sentences import SentenceSplitter, installed_punkt, train_punkt

TEXT = ["Dr. Smith met Mr. Jones. They talked about the U.S. economy. It was late! Was it? Yes."] * 30


def test_punkt_is_trained_where_its_data_is_missing(monkeypatch):
    def find(name: str) -> None:
        raise LookupError(name)

    monkeypatch.setattr("nltk.data.find", find)
    assert installed_punkt() is None


def test_installed_punkt_data_is_used(tmp_path, monkeypatch):
    directory = tmp_path / "tokenizers" / "punkt_tab" / "english"
    directory.mkdir(parents=True)
    for name, content in {
        "collocations.tab": "##number##\tmay\n",
        "sent_starters.txt": "however\n",
        "abbrev_types.txt": "dr\nmr\n",
        "ortho_context.tab": "smith\t14\n",
    }.items():
        (directory / name).write_text(content)
    monkeypatch.setattr("nltk.data.path", [str(tmp_path)])
    punkt = installed_punkt()
    assert punkt == {
        "abbreviations": ["dr", "mr"],
        "collocations": [["##number##", "may"]],
        "sentence_starters": ["however"],
        "ortho_context": {"smith": 14},
    }
    assert list(SentenceSplitter(punkt).split("Dr. Smith left. He ran.")) == ["Dr. Smith left.", "He ran."]


def test_training_is_deterministic_and_survives_json():
    punkt = train_punkt(TEXT)
    assert json.loads(json.dumps(punkt)) == punkt == train_punkt(iter(TEXT))


def test_training_reads_a_bounded_prefix(monkeypatch):
    monkeypatch.setattr(sentences, "TRAINING_CHARACTERS", 100)
    read = []

    def texts():
        for index in range(100):
            read.append(index)
            yield "Some words. "

    train_punkt(texts())
    assert len(read) == 9


def test_sentences_end_at_newlines_and_full_stops():
    splitter = SentenceSplitter(train_punkt(TEXT))
    assert list(splitter.split("First one. Second one\n\n third ")) == ["First one.", "Second one", "third"]
    assert list(splitter.split(" \n ")) == []


def test_an_untrained_splitter_works():
    assert list(SentenceSplitter(train_punkt([])).split("One. Two.")) == ["One.", "Two."]


def test_looking_words_up_does_not_grow_the_parameters():
    splitter = SentenceSplitter(train_punkt(TEXT))
    before = len(splitter._punkt._params.ortho_context)
    list(splitter.split("etc. Zebra ... Quagga. J. Okapi."))
    assert len(splitter._punkt._params.ortho_context) == before


@pytest.mark.parametrize("unit", [".", "!", "! ", "a.", ". ", "?a ", ".)", "x", "... ", "' .", "A. "])
def test_hostile_text_keeps_its_characters(unit):
    splitter = SentenceSplitter(train_punkt(TEXT))
    text = unit * (10_000 // len(unit))
    assert "".join("".join(splitter.split(text)).split()) == "".join(text.split())
