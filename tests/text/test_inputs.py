"""Which files inputs name, and what each is."""

import gzip
import io
import os
import sys
import threading

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.formats import format_of, is_dump
from rnnlm.text.inputs import Inputs
from rnnlm.text.lines import STDIN
from rnnlm.text.readers import ReaderSettings, read_documents, read_texts
from rnnlm.text.report import ReadReport
from tests.text.reading import guess, read, write

RECORD = '{"body": "a comment"}\n'


def formats(*names: object, **settings: str) -> list[str]:
    return Inputs([str(name) for name in names], ReaderSettings(**settings), ReadReport()).formats


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.json", "json"),
        ("a.JSON.zst", "json"),
        ("a.parquet", "parquet"),
        ("a.csv.zip", "csv"),
        ("RC_2026-01", None),
    ],
)
def test_formats_by_name(name, expected):
    assert format_of(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RC_2026-01.zst", True),
        ("d/RS_2015-01.bz2", True),
        ("RC_v2_2005-06.xz", True),
        ("RC_2018-10-01.xz", True),
        ("RC_2026-01.zst.sha256", False),
        ("RC_2026", False),
    ],
)
def test_dumps_by_name(name, expected):
    assert is_dump(name) == expected


def test_formats_by_content(tmp_path):
    contents = {
        "x": RECORD * 2,
        "y": f"[{RECORD}]",
        "z.csv": "a,body\n1,x\n",
        "w": "a\tbody\n1\tx\n2\ty\n",
        "v": "text",
    }
    files = [write(tmp_path / name, content) for name, content in contents.items()]
    assert formats(*files) == ["jsonl", "json", "csv", "csv", "txt"]
    assert formats(*files, format="txt") == ["txt"] * 5
    assert formats(*files, format="tsv") == ["csv"] * 5


def test_how_text_of_another_name_is_read_is_said(tmp_path):
    file = write(tmp_path / "notes", "One line.\n\nAnother\x07 line.\n")
    assert guess(file, documents="line") == 'Reading plain text by the line: "One line." "Another line."'
    long = write(tmp_path / "long.md", "word " * 100)
    assert guess(long) == f'Reading plain text by the line: "{("word " * 12).strip()}..."'
    separated = guess(write(tmp_path / "poems", "One.\n***\nTwo.\n"), documents="***")
    assert separated == 'Reading plain text between lines \'***\': "One." "Two."'


def test_documents_of_plain_text_are_shown(tmp_path):
    file = write(tmp_path / "a.txt", "One.\nTwo.\nThree.\n\nFour.\n")
    assert guess(file) == 'Reading plain text by the line: "One." "Two."'
    assert guess(file, documents="paragraph") == 'Reading plain text by the paragraph: "One. Two. Three." "Four."'
    report = ReadReport()
    read(file, report=report, format="txt")
    assert report.guesses() == []


def test_lines_are_shown_under_their_own_name_if_they_look_like_records(tmp_path):
    report = ReadReport()
    for content in ("One line.\n", "\tOne\tline.\n\tAnother.\n\tThird.\n", "a\tb\nc\td\n"):
        file = write(tmp_path / "a.txt", content)
        assert list(read_texts(str(file), ReaderSettings(), report)) == content.splitlines()
    assert report.guesses() == []
    pairs = write(tmp_path / "deu.txt", "Go.\tGeh.\tCC-BY\nHi.\tHallo!\tCC-BY\nRun!\tLauf!\tCC-BY\n")
    reading = 'Reading plain text by the line, tabs included (`format=tsv` takes one column): "Go. Geh. CC-BY"'
    assert guess(pairs).startswith(reading)
    report = ReadReport()
    assert len(list(read_texts(str(pairs), ReaderSettings(), report))) == 3
    assert report.guesses()[0].startswith(reading)
    assert read(pairs, format="tsv", header=False, text_column="1") == ["Go.", "Hi.", "Run!"]
    song = write(tmp_path / "song.txt", "[Verse 1]\nLa la la\n")
    assert guess(song) == 'Reading plain text by the line: "[Verse 1]" "La la la"'


def test_files_read_alike_are_named_together(tmp_path):
    files = [write(tmp_path / f"{number}.jsonl", f'{{"body": "text {number}"}}\n' * 2) for number in range(3)]
    report = ReadReport()
    read(*files, report=report)
    assert report.guesses() == [
        f'Reading JSON lines, text from \'body\': "text 0" "text 0" ({files[0]} and 2 more)'
    ]


def test_what_a_directory_holds(tmp_path):
    names = ["RC_2026-01", "askreddit_comments", "table", "export.json", "sub/b.jsonl.gz"]
    contents = [RECORD, RECORD * 2, "id\tbody\n1\tx\n2\ty\n", f"[{RECORD}]", gzip.compress(RECORD.encode())]
    (tmp_path / "sub").mkdir()
    for name, content in zip(names, contents, strict=True):
        write(tmp_path / name, content)
    for name, content in {
        ".hidden.txt": "hidden",
        "RC_2026-01.zst.sha256": "0123  RC_2026-01.zst",
        "SHA256SUMS": "0123  x",
        "sums.txt": f"{'0123456789abcdef' * 4}  RC_2026-01\n" * 3,
        "README.md": "About this.",
        "_SUCCESS": "",
        "package.json": '{"name": "x", "version": 1}',
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    }.items():
        write(tmp_path / name, content)
    report = ReadReport()
    assert read(tmp_path, report=report) == [
        "a comment",
        "a comment",
        "a comment",
        "a comment",
        "a comment",
        "x",
        "y",
    ]
    assert report.messages() == [
        f"{tmp_path}: 8 files left out that may not be text: .hidden.txt, RC_2026-01.zst.sha256, README.md,"
        " SHA256SUMS, _SUCCESS and 3 more."
    ]


def test_a_directory_without_text(tmp_path):
    write(tmp_path / "notes.md", "text")
    with pytest.raises(RnnlmError, match=r"no \.csv, .*\.txt file .* in this directory, and none of records"):
        read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_recognized_and_then_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=lambda: pipe.write_text(RECORD * 1000))
    feeder.start()
    settings, report = ReaderSettings(), ReadReport()
    inputs = Inputs([str(pipe)], settings, report)
    assert inputs.formats == ["jsonl"]
    assert list(inputs) == [str(pipe)]
    assert len(list(read_documents(inputs, settings, report))) == 1000
    feeder.join()


def test_standard_input_is_recognized_and_then_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"id;body\n1;a, b\n2;c\n")))
    settings, report = ReaderSettings(), ReadReport()
    inputs = Inputs([STDIN], settings, report)
    assert inputs.formats == ["csv"]
    assert [piece.text for piece in read_documents(inputs, settings, report)] == ["a, b", "c"]


def test_encodings_and_damage_are_passed_on(tmp_path):
    file = write(tmp_path / "a.csv", "id;body\n1;café\n".encode("cp850"))
    assert read(file, encoding="cp850") == ["café"]
    whole = gzip.compress(b"".join(b'{"body": "number %d"}\n' % number for number in range(50_000)))
    cut = write(tmp_path / "a.jsonl.gz", whole[: len(whole) // 2])
    with pytest.raises(RnnlmError, match="`keep_damaged`"):
        read(cut)
    assert 10_000 < len(read(cut, keep_damaged=True)) < 40_000


def test_texts_are_lines_or_those_of_records(tmp_path):
    lines = write(tmp_path / "a.txt", "one\n\ntwo, and more\n")
    rows = write(tmp_path / "a.csv", 'id;body\n1;"one\ntwo"\n2;three\n')
    notes = write(tmp_path / "notes", "\none\n")
    report = ReadReport()
    assert list(read_texts(str(notes), ReaderSettings(), report)) == ["", "one"]
    assert report.guesses() == [f'Reading plain text by the line: "one" ({notes})']
    report = ReadReport()
    assert list(read_texts(str(lines), ReaderSettings(), report)) == ["one", "", "two, and more"]
    assert list(read_texts(str(rows), ReaderSettings(), report)) == ["one\ntwo", "three"]
    assert list(read_texts(str(rows), ReaderSettings(where=("id=2",)), ReadReport())) == ["three"]
    with pytest.raises(RnnlmError, match="no record has the field 'x' of `where`"):
        list(read_texts(str(rows), ReaderSettings(where=("x=2",)), ReadReport()))
    assert report.guesses() == [
        f"Reading rows separated by ';', text from 'body': \"one two\" \"three\" ({rows})",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_line_is_given_as_soon_as_it_comes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    taken = threading.Event()

    def feed() -> None:
        with pipe.open("w", buffering=1) as stream:
            stream.write("Hello, first one\n")
            assert taken.wait(10)
            stream.write("second\n")

    feeder = threading.Thread(target=feed)
    feeder.start()
    texts = read_texts(str(pipe), ReaderSettings(), ReadReport())
    assert next(texts) == "Hello, first one"
    taken.set()
    assert list(texts) == ["second"]
    feeder.join()


def test_settings_that_are_the_default_are_not_written():
    assert ReaderSettings().to_dict() == {"format": "auto", "documents": None, "text_column": None}
    changed = ReaderSettings(where=("a=b",), header=False).to_dict()
    assert changed == {**ReaderSettings().to_dict(), "where": ("a=b",), "header": False}
