"""Pairs of texts: a source, a tab and its target a line, or two parallel files."""

import gzip
import io
import os
import sys
import threading

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import lines, pairs
from rnnlm.text.pairs import swapped
from rnnlm.text.readers import ReaderSettings, read_documents, read_texts
from rnnlm.text.report import ReadReport
from tests.text.reading import write


def read(*inputs, report=None, **settings):
    """Return the pairs, source and target."""
    names = [str(name) for name in inputs]
    pieces = list(read_documents(names, ReaderSettings("pairs", **settings), report or ReadReport()))
    assert all(piece.begins_document and piece.label is None for piece in pieces)
    return [(piece.source, piece.text) for piece in pieces]


def refused(*inputs, **settings):
    with pytest.raises(RnnlmError) as caught:
        read(*inputs, **settings)
    return str(caught.value)


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_source_a_tab_and_its_target_a_line(tmp_path, end, line_end):
    text = f'Ein Hund.\tA "dog".\n Zwei, drei\ttwo, three {end}'.replace("\n", line_end)
    expected = [("Ein Hund.", 'A "dog".'), (" Zwei, drei", "two, three ")]
    assert read(write(tmp_path / "a.tsv", text)) == expected


def test_empty_sides_are_empty_texts(tmp_path):
    file = write(tmp_path / "a.tsv", "\tb\na\t\n\n \t \n  \nc\td\n")
    assert read(file) == [("", "b"), ("a", ""), ("", ""), ("", ""), ("", ""), ("c", "d")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\nc d\n", "line 2 has no tab ('c d'); give each line a source, a tab and its target, or two files"),
        ("a\tb\nc\td\te\n", "line 2 has 2 tabs ('c\\td\\te'); leave one, between a source and its target."),
        ("a\tb\n" + "c" * 70_000 + "\td\n", "line 2 has more than 65,536 characters"),
    ],
)
def test_a_line_that_is_no_pair_is_refused_with_its_number(tmp_path, text, message):
    file = write(tmp_path / "a.tsv", text)
    found = refused(file)
    assert found.startswith(f"{file}: line 2")
    assert message in found


def test_two_parallel_files(tmp_path):
    report = ReadReport()
    source = write(tmp_path / "a.de", "eins\n\nzwei\tdrei\n".replace("zwei\tdrei", "zwei drei"))
    target = write(tmp_path / "a.en", "one\r\ntwo\r\nthree\tfour")
    assert read(source, target, report=report) == [("eins", "one"), ("", "two"), ("zwei drei", "three\tfour")]
    [guess] = report.guesses()
    assert guess == (
        f'Reading sources, and the line of each number in {target} as the target: "eins" "one" ({source})'
    )


def test_two_files_of_pairs(tmp_path):
    files = write(tmp_path / "a.tsv", "a\tb\n"), write(tmp_path / "b.tsv", "c\td\n")
    report = ReadReport()
    assert read(*files, report=report) == [("a", "b"), ("c", "d")]
    assert report.guesses() == [f'Reading pairs: "a" "b" ({files[0]} and 1 more)']


def test_three_files_and_a_directory(tmp_path):
    for name in "cab":
        write(tmp_path / f"{name}.tsv", f"{name}\t1\n")
    write(tmp_path / "README", "No pairs here.\n")
    expected = [("a", "1"), ("b", "1"), ("c", "1")]
    assert read(tmp_path) == expected
    assert read(*(tmp_path / f"{name}.tsv" for name in "abc")) == expected


def test_a_directory_of_two_files_is_not_taken_for_parallel_ones(tmp_path):
    write(tmp_path / "a.txt", "eins\n")
    write(tmp_path / "b.txt", "one\n")
    assert "a.txt: line 1 has no tab" in refused(tmp_path)


@pytest.mark.parametrize("longer", ["source", "target"])
def test_parallel_files_have_the_same_number_of_lines(tmp_path, longer):
    more, less = "a\nb\n\n", "c\nd\n"
    texts = (more, less) if longer == "source" else (less, more)
    source, target = write(tmp_path / "a.de", texts[0]), write(tmp_path / "a.en", texts[1])
    short, long = (target, source) if longer == "source" else (source, target)
    assert refused(source, target) == (
        f"{short}: it has 2 lines, but {long} has more; give two files whose lines belong together."
    )


def test_of_parallel_files_a_damaged_one_may_be_kept_up_to_there(tmp_path):
    whole = "".join(f"line {k * k * 7919 % 999_983}\n" for k in range(30_000))
    cut = write(tmp_path / "a.gz", gzip.compress(whole.encode())[:-5000])
    other = write(tmp_path / "b.txt", whole)
    assert "a.gz" in refused(cut, other)
    for found in (read(cut, other, keep_damaged=True), read(other, cut, keep_damaged=True)):
        assert 100 < len(found) < 30_000
        assert all(source == target for source, target in found)


def test_compressed_and_in_another_encoding(tmp_path):
    source = write(tmp_path / "a.gz", gzip.compress("caf\u00e9\nna\u00efve\n".encode("utf-16")))
    target = write(tmp_path / "b.txt", "coffee\nnaive\n")
    assert read(source, target) == [("caf\u00e9", "coffee"), ("na\u00efve", "naive")]
    pairs_file = write(tmp_path / "c.gz", gzip.compress("caf\u00e9\tcoffee\n".encode("utf-16")))
    assert read(pairs_file) == [("caf\u00e9", "coffee")]


def test_standard_input(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\tb\n")))
    assert read("-") == [("a", "b")]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n")))
    assert read("-", write(tmp_path / "b.txt", "b\n")) == [("a", "b")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize(("texts", "expected"), [("a|b", [("a", "b")]), ("a\tb|c\td", [("a", "b"), ("c", "d")])])
def test_two_named_pipes(tmp_path, texts, expected):
    files = [tmp_path / name for name in ("a", "b")]
    for file, text in zip(files, texts.split("|"), strict=True):
        os.mkfifo(file)
        threading.Thread(target=file.write_text, args=(f"{text}\n",), daemon=True).start()
    assert read(*files) == expected


def test_what_is_not_text_is_repaired(tmp_path):
    report = ReadReport()
    file = write(tmp_path / "a.tsv", "a\0\u00e9\tb\n".encode() * 2000 + b"c\xff\td\n")
    assert read(file, report=report)[-2:] == [("a\u00e9", "b"), ("c\ufffd", "d")]
    assert any("NUL" in message for message in report.messages())


def test_one_name_for_two_files(tmp_path):
    reader = ReaderSettings("pairs")
    assert reader.names("a.de,a.en") == ["a.de", "a.en"]
    assert ReaderSettings().names("a.de,a.en") == ["a.de,a.en"]
    file = write(tmp_path / "a,b.tsv", "a\tb\n")
    assert reader.names(str(file)) == [str(file)]


def test_pairs_are_not_taken_for_text(tmp_path):
    file = write(tmp_path / "a.tsv", "a\tb\n")
    with pytest.raises(RnnlmError, match="`format=pairs` has pairs, but only text is read here"):
        list(read_texts(str(file), ReaderSettings("pairs"), ReadReport()))


def test_pairs_have_no_labels():
    with pytest.raises(RnnlmError, match="`label_column` is for records, but `format=pairs` has none"):
        ReaderSettings("pairs", label_column="x").check()


def test_swapped(tmp_path):
    file = str(write(tmp_path / "a.tsv", "a\tb\n"))
    [piece] = swapped(read_documents([file], ReaderSettings("pairs"), ReadReport()))
    assert (piece.source, piece.text) == ("b", "a")


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path, monkeypatch):
    for module in (lines, pairs):
        monkeypatch.setattr(module, "PIECE_SIZE", 40)
    file = write(tmp_path / "a.tsv", "a\tb\n" + "x" * 1000)
    assert "line 2 has more than 40 characters" in refused(file)
    assert read(write(tmp_path / "b.tsv", "x" * 20 + "\t" + "y" * 18 + "\n")) == [("x" * 20, "y" * 18)]
