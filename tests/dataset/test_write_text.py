from pathlib import Path

import pytest

from rnnlm.dataset import write_text as module
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.store import Dataset
from rnnlm.dataset.write_text import check_text_destination, write_text
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.tokenizers import CHARACTERS


def build(directory: Path, text: str, settings: TextSettings, size: int = 8000) -> Dataset:
    for name, content in (("train", text), ("valid", "the dog\n")):
        (directory / f"{name}.txt").write_text(content, encoding="utf-8")
    division = DivisionSettings(str(directory / "valid.txt"), None, test_fraction=0)
    choice = VocabularySettings(size=size)
    documents = ReaderSettings(documents="paragraph" if settings.keep_lines else None)
    inputs = [str(directory / "train.txt")]
    build_dataset(
        inputs,
        directory / "data",
        text=settings,
        vocabulary=choice,
        division=division,
        reader=documents,
        overwrite=True,
    )
    return Dataset.open(directory / "data")


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_a_sentence_a_line_with_unknown_words_replaced(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    dataset = build(tmp_path, "the cat sat\nthe cat, too\n", TextSettings("nltk"), size=6)
    write_text(dataset, tmp_path / "a" / "text")
    texts = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "a" / "text").iterdir()}
    assert texts == {
        "train.txt": "the cat UNKNOWN_TOKEN\nthe cat , UNKNOWN_TOKEN\n",
        "valid.txt": "the UNKNOWN_TOKEN\n",
        "test.txt": "",
    }


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        (TextSettings(CHARACTERS), "a b\nc\u3000\td\n", r"a ▁ b \n c \u3000 \t d \n"),
        (TextSettings("nltk", keep_lines=True), "a b.\nc\n\nd\n", "a b . \\n c\nd"),
        (TextSettings("unicode"), "Well, no.\n", "▁well , ▁no ."),
    ],
)
def test_a_line_stays_a_line_and_a_token_a_word(tmp_path, settings, text, expected):
    write_text(build(tmp_path, text, settings), tmp_path / "text")
    assert (tmp_path / "text" / "train.txt").read_text(encoding="utf-8") == f"{expected}\n"


def test_files_are_replaced_only_if_that_is_wanted(tmp_path):
    dataset = build(tmp_path, "the cat\n", TextSettings())
    place = tmp_path / "text"
    place.mkdir()
    (place / "valid.txt").write_text("mine")
    with pytest.raises(RnnlmError, match=r"valid\.txt: this file exists; .*`overwrite`"):
        write_text(dataset, place)
    assert [file.name for file in place.iterdir()] == ["valid.txt"]
    write_text(dataset, place, overwrite=True)
    assert (place / "valid.txt").read_text() == "the UNKNOWN_TOKEN\n"
    assert len(list(place.iterdir())) == 3


def test_where_text_cannot_be_written(tmp_path):
    dataset = build(tmp_path, "the cat\n", TextSettings())
    for place in (dataset.path, dataset.path / "text"):
        with pytest.raises(
            RnnlmError, match=r"this is in the dataset; choose another directory with `write_text`"
        ):
            check_text_destination(place, dataset.path, overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(RnnlmError, match="file: the text cannot be written"):
        write_text(dataset, tmp_path / "file")
    (tmp_path / "other" / "test.txt").mkdir(parents=True)
    with pytest.raises(RnnlmError, match=r"test\.txt: this file exists"):
        write_text(dataset, tmp_path / "other", overwrite=True)


def test_tags_are_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("The\tDET\nold cat\tNOUN\n\nIt\tPRON\n")
    reader, division = ReaderSettings("tagged"), DivisionSettings(valid_fraction=0, test_fraction=0)
    build_dataset([str(tmp_path / "a.txt")], tmp_path / "data", reader=reader, division=division)
    write_text(Dataset.open(tmp_path / "data"), tmp_path / "text")
    assert (tmp_path / "text" / "train.txt").read_text(encoding="utf-8") == "the old▁cat\nit\n"
