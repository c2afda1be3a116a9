"""Documents of plain text."""

import pytest

from rnnlm.text.documents import whole_pieces
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport
from rnnlm.text.sentences import SentenceSplitter, train_punkt
from tests.text.reading import read, write

NEW = """The Project Gutenberg eBook of A Tale
Title: A Tale
*** START OF THE PROJECT GUTENBERG EBOOK A TALE ***

It was the best of times.

{}
It was the worst.
*** END OF THE PROJECT GUTENBERG EBOOK A TALE ***
Updated editions will replace the previous one.
"""
MIDDLE = """***START OF THE PROJECT GUTENBERG EBOOK A TALE***

It was the best of times.

{}
It was the worst.
End of Project Gutenberg's A Tale, by Somebody
*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***
"""
OLD = """Project Gutenberg Etext of A Tale
***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this here?
*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

It was the best of times.

{}
It was the worst.

End of the Project Gutenberg Etext of A Tale
"""


@pytest.mark.parametrize("book", [NEW, MIDDLE, OLD])
@pytest.mark.parametrize("documents", ["line", "paragraph", "file"])
def test_the_licence_of_project_gutenberg_is_left_out(tmp_path, book, documents):
    file, report = write(tmp_path / "a.txt", book.format("It was.")), ReadReport()
    text = "\n".join(read(file, report=report, documents=documents))
    assert text.split() == ["It", "was", "the", "best", "of", "times.", "It", "was.", "It", "was", "the", "worst."]
    number = len(book.splitlines()) - 5 - (book == OLD)
    assert (
        f"{number} lines around the text of Project Gutenberg left out, the first in line 1."
        in report.messages()[0]
    )


def test_books_in_one_file(tmp_path):
    report = ReadReport()
    file = write(tmp_path / "a.txt", NEW.format("One.") + MIDDLE.format("Two."))
    text = "".join(read(file, report=report, documents="file"))
    assert text.count("the best of times") == 2
    assert "Gutenberg" not in text
    assert "Updated" not in text


def test_a_text_about_project_gutenberg_is_whole(tmp_path):
    text = "I like Project Gutenberg.\nThey write *** START OF THE PROJECT GUTENBERG EBOOK there.\n"
    assert read(write(tmp_path / "a.txt", text)) == text.splitlines()


def test_documents_between_separators(tmp_path):
    file = write(tmp_path / "a.txt", "***\nOne\ntwo.\n\nThree.\n *** \n***\nFour *** five.\n***\n")
    assert read(file, documents="***") == ["One\ntwo.\n\nThree.\n", "Four *** five.\n"]


def test_a_separator_that_is_nowhere_is_said(tmp_path):
    file, report = write(tmp_path / "a.txt", "One.\n---\nTwo.\n"), ReadReport()
    assert read(file, report=report, documents="***") == ["One.\n---\nTwo.\n"]
    assert report.messages() == [f"{file}: no line is '***', so all is one document (see `documents`)."]


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("paragraph", ["It was the best of times. It was the ", "worst, they say. "]),
        ("file", ["It was the best of times. It was the \nworst, they say. "]),
        ("---", ["It was the best of times. It was the \nworst, they say. "]),
        ("line", ["It was the best of", "times. It was the", "worst, they", "say."]),
    ],
)
def test_lines_are_joined_where_sentences_are_looked_for(tmp_path, documents, expected):
    file = write(tmp_path / "a.txt", "It was the best of\ntimes. It was the\n\nworst, they\nsay.\n")
    pieces = read_documents([str(file)], ReaderSettings(documents=documents), ReadReport(), join_lines=True)
    assert [piece.text for piece in pieces] == expected


SENTENCES = [
    f"{start} {number}.{'' if number % 3 else '”'}"
    for number in range(40)
    for start in ("It was", "Was it? It was 3.5 x")
]


@pytest.mark.parametrize(
    ("whole", "joint"),
    [
        (SENTENCES, " "),
        (SENTENCES, "\n"),
        (["他说：“我来了。”", "门关上了！", "真的吗？！"] * 30, ""),
        (["यह एक वाक्य है।", "यह भी।"] * 30, " "),
    ],
)
def test_long_documents_are_cut_where_sentences_end(whole, joint, monkeypatch):
    monkeypatch.setattr("rnnlm.text.documents.PIECE_SIZE", 100)
    text = joint.join(whole)
    cut = list(whole_pieces(text))
    assert "".join(piece.text for piece in cut) == text
    assert [piece.begins_document for piece in cut] == [True] + [False] * (len(cut) - 1)
    split = SentenceSplitter(train_punkt([])).split
    assert [sentence for piece in cut for sentence in split(piece.text)] == list(split(text))
    assert all(50 < len(piece.text) <= 100 for piece in cut[:-1])


@pytest.mark.parametrize(
    ("text", "first"),
    [("a" * 30 + "\u00a0" + "b" * 90, "a" * 30 + "\u00a0"), ("a." * 60, "a." * 50), ("。" * 120, "。" * 100)],
)
def test_other_long_documents_are_cut_at_white_space_or_anywhere(text, first, monkeypatch):
    monkeypatch.setattr("rnnlm.text.documents.PIECE_SIZE", 100)
    assert [piece.text for piece in whole_pieces(text)] == [first, text[len(first) :]]


BOOK = """It was the best of times, it was the worst of times, it was the
age of wisdom, it was the age of foolishness, it was the epoch of
belief, it was the epoch of incredulity.

"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOOK * 50, True),
        ("The cat sat on the mat, and the dog looked at it for a very long time.\n" * 200, False),
        ("a short line\n" * 200, False),
        (BOOK, False),
        (BOOK * 50 + "A line of more characters than a page is wide. " * 3, False),
    ],
    ids=["a book", "sentences", "short lines", "too little", "a long line"],
)
def test_lines_that_end_where_a_page_does_are_said(tmp_path, text, said):
    report = ReadReport()
    read(write(tmp_path / "book.txt", text), report=report)
    assert any("`documents=paragraph` and `sentences` join them" in each for each in report.messages()) == said
    report = ReadReport()
    read(write(tmp_path / "book.txt", text), report=report, documents="paragraph")
    assert not report.messages()
