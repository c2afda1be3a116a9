"""Text whose tokens have tags, as lines of pairs."""

import gzip

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import documents, lines, tagged
from rnnlm.text.readers import ReaderSettings, read_documents, read_texts
from rnnlm.text.report import ReadReport
from rnnlm.text.tagged import CONLLU
from tests.text.reading import read, write


def sentences(file, format="tagged", **settings):
    """Return the sentences as strings such as ``a/X b/Y``."""
    return [text.replace("\t", "/").replace("\n", " ") for text in read(file, format=format, **settings)]


def refused(file, format="tagged", **settings):
    with pytest.raises(RnnlmError) as caught:
        read(file, format=format, **settings)
    return str(caught.value)


CONLL_U = """# newdoc
# text = Don't go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
2.1\tyou\tyou\tPRON\tPRP\t_\t_\t_\t3:nsubj\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_

# text = 10 000
1\t10 000\t10000\tNUM\tCD\t_\t0\troot\t_\t_
2\t_\t_\tSYM\tSYM\t_\t1\tdep\t_\t_
"""


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_token_and_its_tag_a_line(tmp_path, end, line_end):
    text = f"\n\nThe\tDET\ncat\tNOUN\n\n  \n\nNew York\tPROPN{end}".replace("\n", line_end)
    assert sentences(write(tmp_path / "a.txt", text)) == ["The/DET cat/NOUN", "New York/PROPN"]


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        (None, "AUX PART VERB NUM SYM"),
        ("xpos", "VB RB VB CD SYM"),
        ("DepRel", "aux advmod root root dep"),
        ("8", "aux advmod root root dep"),
        ("feats", "Mood=Imp _ _ _ _"),
    ],
)
def test_conll_u(tmp_path, column, tags):
    found = read(write(tmp_path / "a.conllu", CONLL_U), format="tagged", tag_column=column)
    pairs = [line.split("\t") for sentence in found for line in sentence.split("\n")]
    assert [token for token, _ in pairs] == ["Do", "n't", "go", "10 000", "_"]
    assert " ".join(tag for _, tag in pairs) == tags
    assert len(found) == 2


def test_columns_between_spaces_as_in_conll_2003(tmp_path):
    text = "-DOCSTART- -X- -X- O\n\n# # B-NP O\nEU  NNP B-NP B-ORG\n-DOCSTART- -X- -X- O\n\nhere RB B-ADVP O\n"
    file = write(tmp_path / "a.txt", text)
    assert sentences(file) == ["#/O EU/B-ORG", "here/O"]
    assert sentences(file, tag_column="2") == ["#/# EU/NNP", "here/RB"]


def test_columns_between_tabs_and_comments(tmp_path):
    file = write(
        tmp_path / "a.txt", "#\tSYM\tO\n# a comment\n1 000\tNUM\tB-N\n\n# another\n#tag\tX\tO\n#x\tX\tO\n"
    )
    assert "line 2 has no tag" in refused(file)
    file = write(tmp_path / "b.txt", "# a comment\n#\tSYM\tO\n1 000\tNUM\tB-N\n\n# another\n#tag\tX\tO\n")
    assert sentences(file) == ["#/O 1 000/B-N", "#tag/O"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tX\nb\n", "line 2 has no tag ('b')"),
        ("a\tX\nb\t\n", "line 2 has no tag"),
        ("just text\n\nof lines\nno\n", "line 4 has no tag"),
        ("words\n", "line 1 has no tag"),
        ("a\tX\n\tY\n", "line 2 has an empty token"),
        ("a\tX\n\t\n", "line 2 has an empty token"),
        ("a\tX\n \tY\n", "line 2 has an empty token"),
        ("a\tX\nb\tc\tY\n", "line 2 has 3 columns, but the first has 2"),
        ("a\tX\n\nb\t_\n", "line 3 has an underscore as its tag"),
        (CONLL_U.replace("VERB", "_"), "line 7 has an underscore as its tag"),
        (CONLL_U.replace("\n3\t", "\nx\t"), "line 7 does not begin with the number of a word"),
        ("a\tX\n\0\tY\n", "line 2 has an empty token"),
        ("a\tX\n" + "b" * 70_000 + "\tY\n", "line 2 has more than 65,536 characters"),
    ],
)
def test_what_is_no_tagged_text_is_refused_with_its_line(tmp_path, text, message):
    file = write(tmp_path / "a.txt", text)
    found = refused(file)
    assert found.startswith(f"{file}: line ")
    assert message in found


def test_comments_without_end(tmp_path):
    message = refused(write(tmp_path / "a.txt", "# a comment\n" * 100_000))
    assert "a.txt: the first 1,048,576 characters are comments" in message


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("3", "a\tX\n", "there is no column 3, only 2"),
        ("11", CONLL_U, "there is no column 11, only 10"),
        ("xpos", "a\tX\n", "its columns have no names"),
        ("0", "a\tX\n", "must be a number from 1"),
        ("pos", CONLL_U, f"in CoNLL-U one of {', '.join(CONLLU)}"),
    ],
)
def test_a_column_that_is_not_there(tmp_path, column, text, message):
    assert message in refused(write(tmp_path / "a.txt", text), tag_column=column)


def test_a_column_is_for_tagged_text():
    with pytest.raises(RnnlmError, match="`tag_column` is for `format=tagged`"):
        ReaderSettings(tag_column="2").check()


def test_words_between_spaces(tmp_path):
    file = write(tmp_path / "a.txt", "同样 ，\u3000施力\u00a0的\n\n \n大多数人\n")
    assert sentences(file, "segmented") == ["同/B 样/E ，/S 施/B 力/E 的/S", "大/B 多/M 数/M 人/E"]


def test_compressed_and_in_another_encoding(tmp_path):
    file = write(tmp_path / "a.gz", gzip.compress("caf\u00e9\tN\n\nna\u00efve\tJ\n".encode("utf-16")))
    assert sentences(file) == ["caf\u00e9/N", "na\u00efve/J"]


def test_what_is_not_text_is_repaired(tmp_path):
    report = ReadReport()
    file = write(tmp_path / "a.txt", "a\0\u00e9\tX\n".encode() * 2000 + b"c\xff\tY\n")
    [sentence] = read(file, report=report, format="tagged")
    assert sentence.split("\n")[-2:] == ["a\u00e9\tX", "c\ufffd\tY"]
    assert any("NUL" in message for message in report.messages())


@pytest.mark.parametrize("size", [50, 1 << 16])
def test_long_sentences_come_in_pieces(tmp_path, monkeypatch, size):
    for module in (lines, documents, tagged):
        monkeypatch.setattr(module, "PIECE_SIZE", size)
    file = write(tmp_path / "a.txt", "word\tX\n" * 100_000 + "\nlast\tY\n")
    pieces = list(read_documents([str(file)], ReaderSettings("tagged"), ReadReport()))
    assert max(len(piece.text) for piece in pieces) <= size
    assert [piece.begins_document for piece in pieces].count(True) == 2
    assert sum(piece.text.count("\t") for piece in pieces) == 100_001
    text = " ".join(["abc", "de", "f"] * 3_000)
    file = write(tmp_path / "b.txt", text)
    pieces = list(read_documents([str(file)], ReaderSettings("segmented"), ReadReport()))
    assert max(len(piece.text) for piece in pieces) <= size
    expected = ["a\tB", "b\tM", "c\tE", "d\tB", "e\tE", "f\tS"] * 3_000
    assert [line for piece in pieces for line in piece.text.split("\n")] == expected


def test_a_word_without_end_is_cut(tmp_path, monkeypatch):
    for module in (lines, tagged):
        monkeypatch.setattr(module, "PIECE_SIZE", 40)
    file = write(tmp_path / "a.txt", "x" * 1000 + " y\n")
    pieces = list(read_documents([str(file)], ReaderSettings("segmented"), ReadReport()))
    text = "\n".join(piece.text for piece in pieces).split("\n")
    assert len(text) == 1001
    assert [piece.begins_document for piece in pieces].count(True) == 1
    assert 10 < sum(line.endswith("\tB") for line in text) < 25


def test_tags_are_not_taken_for_text(tmp_path):
    file = write(tmp_path / "a.txt", "a\tX\n")
    with pytest.raises(RnnlmError, match="`format=tagged` has tags, but only text is read here"):
        list(read_texts(str(file), ReaderSettings("tagged"), ReadReport()))


def test_a_directory(tmp_path):
    write(tmp_path / "a.conllu", CONLL_U)
    write(tmp_path / "b.txt", "a\tX\n")
    write(tmp_path / "LICENSE", "All rights reserved.\n")
    assert len(sentences(tmp_path)) == 3
