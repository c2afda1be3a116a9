"""The documents that a model is to read: those of a file, or one text."""

import os
from collections.abc import Iterator
from dataclasses import replace

from rnnlm.errors import RnnlmError
from rnnlm.inspect.reading import Document
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.model import TextModel
from rnnlm.text.inputs import ReaderSettings
from rnnlm.text.lines import STDIN
from rnnlm.text.readers import read_documents
from rnnlm.text.report import ReadReport

MOST_CHARACTERS = 1_000_000
"""Characters of a document that are read at most, more than any page has."""


def is_file(text: str) -> bool:
    """Return whether what was given is the name of a file, or of standard input, and no text."""
    return text == STDIN or os.path.exists(text)


def title_of(text: str) -> str:
    """Return what the page of a text or a file is called."""
    name = "Standard input" if text == STDIN else os.path.basename(text) if is_file(text) else "A text"
    return f"{name} as the model reads it"


def documents_of(
    text: str, model: TextModel, reader: ReaderSettings, report: ReadReport, label: str | None = None
) -> Iterator[Document]:
    """Yield the documents of a file, read as those that the model was trained on, or a text as one document.

    Parameters
    ----------
    text
        A file, ``-`` for standard input, or the text itself; see `is_file`.
    model
        What is to read them.
    reader
        How a file is read.
    report
        Where it is noted how that was done.
    label
        The label of all documents; None for that which the file says, if it says one.

    Raises
    ------
    RnnlmError
        If the file cannot be read, or the model has no labels or not this one.
    """
    if label is not None:
        model.vocabulary.label_start(label)
    if not is_file(text):
        yield Document(text, label)
        return
    if reader.label_column is not None and not model.vocabulary.labels:
        raise RnnlmError(f"`label_column={reader.label_column}`: the model has no labels; leave it out.")
    is_of_lines = not isinstance(model, LanguageModel)
    default = "line" if is_of_lines else model.vocabulary.settings.default_documents
    reader = replace(reader, documents=reader.documents or default)
    parts: list[str] = []
    of_parts = label
    for piece in read_documents([text], reader, report):
        if piece.begins_document and parts:
            yield Document("".join(parts), of_parts)
            parts = []
        of_parts = label or piece.label
        if sum(map(len, parts)) < MOST_CHARACTERS:
            parts.append(piece.text)
    if parts:
        yield Document("".join(parts), of_parts)
