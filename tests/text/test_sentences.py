import json
from collections import Counter
from pathlib import Path

import pytest
import regex

from rnnlm.resources import SAMPLE_CORPUS
from rnnlm.text import sentences
from rnnlm.text.lines import ReadReport
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.sentence_ends import MARKS
from rnnlm.text.sentences import PunktData, SentenceSplitter, installed_punkt, train_punkt

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
    assert punkt is not None
    assert {"dr", "mr"} <= set(punkt["abbreviations"])
    assert ["##number##", "may"] in punkt["collocations"]
    assert "however" in punkt["sentence_starters"]
    assert punkt["ortho_context"] == {"smith": 14}
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


def split(text: str, punkt: PunktData | None = None) -> list[str]:
    return list(SentenceSplitter(train_punkt([]) if punkt is None else punkt).split(text))


def ends(found: list[str]) -> set[int]:
    """Return the ends of sentences but the last, in characters that are no white space."""
    lengths = [len("".join(sentence.split())) for sentence in found[:-1]]
    return {sum(lengths[: k + 1]) for k in range(len(lengths))}


@pytest.fixture(scope="module")
def labelled() -> list[tuple[str, list[str], str]]:
    """The labelled documents: language, sentences, text."""
    lines = (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines()
    documents = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(name, [part.strip() for part in text.split("‖")], text.replace("‖", "")) for name, text in documents]


@pytest.mark.parametrize("training", ["nothing", "the sample corpus"])
def test_the_labelled_sentences_of_26_languages(labelled, training):
    """The numbers stand in docs/languages.md."""
    texts = read_documents([str(SAMPLE_CORPUS)], ReaderSettings(), ReadReport())
    punkt = train_punkt([] if training == "nothing" else (piece.text for piece in texts))
    count = Counter[str]()
    for name, right, text in labelled:
        found = split(text, punkt)
        assert "".join("".join(found).split()) == "".join(text.split())
        kind = "English" if name == "en" else "other"
        count[f"{kind} documents"] += found == right
        count[f"{kind} ends found"] += len(ends(found) & ends(right))
        count[f"{kind} ends missed"] += len(ends(right) - ends(found))
        count[f"{kind} wrong"] += len(ends(found) - ends(right))
    assert count == {
        **{"English documents": 39, "English ends found": 77, "English ends missed": 1, "English wrong": 2},
        **{"other documents": 96, "other ends found": 217, "other ends missed": 1, "other wrong": 3},
    }


def test_marks_are_those_of_unicode():
    assert {mark for mark in MARKS if not regex.match(r"\p{Sentence_Terminal}", mark)} == set("…‥\u037e")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("How are you??", 1), ("What?! No!!!111 Yes...", 3), ("Good . . . and bad ! ? Yes.", 2)),
        *(("« Où es-tu ? » dit Jean.", 1), ("« Ici ! » « Là ! »", 2)),
        *(("U.S. troops, e.g. those of St. Clair, i.e. few.", 1), ("In the U.S. The rest.", 2)),
        *(("“你好！”他说。「你好。」", 2), ("是吗？！好。", 2), ("a。，b", 1), ('他走了。"你好。"她说。', 3)),
        *(("क्या? हाँ। नहीं।", 3), ("أين؟ هنا.", 2), ("αβγ; δεζ; a; b", 3)),
        *(('" Why ? " he asked . " No . " Then he left .', 3), ("Nice! :) ^^ Bye. 😂😂 Ok!😂 No", 4)),
        ("3.5 vs. 2.0.1 at example.com/?a!b", 1),
    ],
)
def test_where_sentences_end(text, number):
    assert len(split(text)) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What? !!! ***\n---\nNo.\n:)", ["What? !!! *** ---", "No. :)"]),
        ("...\nWhat", ["... What"]),
        ("?\n!\n...", ["? ! ..."]),
        (" \n ", []),
    ],
)
def test_no_sentence_is_without_words_unless_the_document_is(text, expected):
    assert split(text) == expected


def test_names_are_learned():
    punkt = train_punkt(["The man Anna knows is in Congress. We saw Anna. In Congress we sat."] * 20)
    assert split('"Why?" Anna asked. The "U.S." Congress met... Anna left.', punkt) == [
        *('"Why?" Anna asked.', 'The "U.S." Congress met... Anna left.'),
    ]
    assert len(split('"Why?" Anna asked.')) == 2


def test_words_that_end_most_sentences_are_no_abbreviations_where_letters_have_no_case():
    text = " ".join(f"{word} 있다. 그는 {word} 없다." for word in ("밥", "물", "집", "길", "꽃")) + " "
    assert split("밥 있다. 물 없다. 집", train_punkt([text * 20])) == ["밥 있다.", "물 없다.", "집"]


@pytest.mark.parametrize("unit", ["word ", "word\t", "word's\u00a0", "字字字，", "字", "All went home. "])
def test_long_lines_are_cut_where_a_word_ends(unit):
    text = unit * (120_000 // len(unit))
    found = split(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert max(map(len, found)) <= 50_000
    assert len(found) == (3 if "." not in unit else 8000)
    if unit[-1].isspace():
        assert {word for sentence in found for word in sentence.split()} == set(unit.split())
    else:
        assert {sentence[-1] for sentence in found} == {unit[-1]}


def test_the_text_of_older_vocabularies_is_split_as_before():
    punkt = PunktData(abbreviations=["dr"], collocations=[], sentence_starters=[], ortho_context={})
    assert split("Dr. Who, e.g. here. 好。坏。\nHow are you??", punkt) == [
        *("Dr. Who, e.g.", "here.", "好。坏。", "How are you?", "?"),
    ]
    assert [len(part) for part in split("x" * 120_000, punkt)] == [50_000, 50_000, 20_000]
    assert split("...\n?", punkt) == ["...", "?"]
