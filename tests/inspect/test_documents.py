from pathlib import Path
from typing import Any

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.inspect.documents import documents_of, title_of
from rnnlm.inspect.kinds import read
from rnnlm.inspect.reading import Document
from rnnlm.models.classifier import Classifier
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.inputs import ReaderSettings
from rnnlm.text.report import ReadReport


def documents(
    text: object, model: LanguageModel | Classifier, label: str | None = None, **reader: Any
) -> list[Document]:
    return list(documents_of(str(text), model, ReaderSettings(**reader), ReadReport(), label))


def test_what_is_no_file_is_a_text(char_model: LanguageModel) -> None:
    assert documents("The owl", char_model) == [Document("The owl")]
    assert title_of("The owl") == "A text as the model reads it"
    assert title_of("-") == "Standard input as the model reads it"


def test_a_file_is_read_as_the_training_text_was(
    char_model: LanguageModel, word_model: LanguageModel, label_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "owls.txt"
    file.write_text("The owl\nsees.\n\nThe cat")
    whole, lines = [Document(file.read_text())], [Document(text) for text in ("The owl", "sees.", "The cat")]
    assert documents(file, char_model) == whole
    assert documents(file, word_model) == lines
    assert documents(file, word_model, documents="paragraph")[-1] == Document("The cat")
    assert documents(file, Classifier.load(label_run)) == lines
    assert title_of(str(file)) == "owls.txt as the model reads it"


def test_a_long_document_is_read_in_pieces(char_model: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("The owl sees.\n" * 10_000)
    [document] = documents(tmp_path / "long.txt", char_model)
    assert document.text == "The owl sees.\n" * 10_000


def test_labels_are_those_of_the_file_or_the_one_that_is_given(label_run: Path, tmp_path: Path) -> None:
    model, file = Classifier.load(label_run), tmp_path / "texts.csv"
    file.write_text("kind,text\nplant,a very old dog\nstone,an elm\n")
    labelled = documents(file, model, label_column="kind")
    assert labelled == [Document("a very old dog", "plant"), Document("an elm", "stone")]
    assert {token.label for token in read(model, labelled).tokens} == {"label plant", "label stone"}
    assert {each.label for each in documents(file, model, "plant")} == {"plant"}
    with pytest.raises(RnnlmError, match="no such label"):
        documents(file, model, "fish")


def test_a_model_without_labels_takes_none(char_model: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("kind,text\nplant,a dog\n")
    with pytest.raises(RnnlmError, match="the model has no labels"):
        documents(tmp_path / "texts.csv", char_model, label_column="kind")
