import contextlib
import csv
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text import csv_rows, json_stream, lines
from rnnlm.text import documents as documents_module
from rnnlm.text.formats import format_of
from rnnlm.text.lines import STDIN
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport


def read(*inputs: Path | str, report: ReadReport | None = None, **settings: str) -> list[str]:
    """Return whole documents."""
    documents: list[str] = []
    for text, begins, *_ in read_documents(
        [str(name) for name in inputs], ReaderSettings(**settings), report or ReadReport()
    ):
        if begins:
            documents.append("")
        documents[-1] += text
    return documents


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def limit_records(monkeypatch: pytest.MonkeyPatch, characters: int) -> None:
    for module in (lines, csv_rows, json_stream):
        monkeypatch.setattr(module, "MAX_RECORD", characters)


def test_csv_with_quoted_newlines_and_doubled_quotes(tmp_path):
    file = write(tmp_path / "a.csv", 'id,body\n1,"two\r\nlines"\n2,"a ""quoted"" word"\n\n3,plain\n')
    assert read(file) == ["two\nlines", 'a "quoted" word', "plain"]


def test_tsv_uses_tabs(tmp_path):
    assert read(write(tmp_path / "a.tsv", "id\ttext\n1\ta, b\n")) == ["a, b"]


@pytest.mark.parametrize(
    ("header", "index"), [("body,text", 0), ("x,body", 1), ("text,x", 0), ("anything", 0), ("\ufeffbody,x", 0)]
)
def test_text_column_is_found(tmp_path, header, index):
    row = ["wrong"] * (header.count(",") + 1)
    row[index] = "right"
    assert read(write(tmp_path / "a.csv", f"{header}\n{','.join(row)}\n")) == ["right"]


def test_a_first_row_that_may_be_no_header_is_reported(tmp_path):
    report = ReadReport()
    assert read(write(tmp_path / "a.csv", "It is late\nIt is\n"), report=report) == ["It is"]
    [message] = report.messages()
    assert message.endswith(
        "a.csv: 1 row taken for the name of the only column, 'It is late' (see `header=False`, `delimiter`),"
        " the first in line 1."
    )
    for header in ("text", "body"):
        report = ReadReport()
        read(write(tmp_path / "a.csv", f"{header}\nx\n"), report=report)
        assert report.messages() == []


def test_text_column_can_be_named(tmp_path):
    assert read(write(tmp_path / "a.csv", "body,title\nno,yes\n"), text_column="title") == ["yes"]


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "one,two\n1,2\n"), ("a.jsonl", '{"one": "1", "two": "2"}\n')]
)
def test_missing_column_lists_those_there_are(tmp_path, name, content):
    file = write(tmp_path / name, content)
    with pytest.raises(
        RnnlmError,
        match=r"'body', 'text' or 'content', only 'one', 'two'; choose .*`text_column=NAME`\.",
    ):
        read(file)
    with pytest.raises(RnnlmError, match=r"no (column|field) 'three', only 'one', 'two';"):
        read(file, text_column="three")


def test_a_long_list_of_columns_is_cut(tmp_path):
    file = write(tmp_path / "a.csv", ",".join(f"c{i}" for i in range(100)) + "\n")
    with pytest.raises(RnnlmError, match=r"'c7', \.\.\.; choose"):
        read(file)


def test_a_long_name_of_a_column_is_cut(tmp_path):
    with pytest.raises(RnnlmError, match=r"^.{0,400}$"):
        read(write(tmp_path / "a.csv", f"id,{'x' * 5000}\n"))


def test_ragged_rows_are_skipped_and_reported(tmp_path):
    report = ReadReport()
    file = write(tmp_path / "a.csv", "id,body\n1,good\n2\n3\n4,good,extra\n")
    assert read(file, report=report) == ["good", "good"]
    assert sorted(report.messages(), reverse=True) == [
        f"{file}: 2 rows without the text column skipped, the first in line 3.",
        f"{file}: 1 row with more fields than the first one, which may cut a text (see `delimiter`, `quoting`),"
        " the first in line 5.",
    ]


def test_fields_beyond_the_csv_modules_limit_are_read(tmp_path):
    text = "word " * 40_000
    assert read(write(tmp_path / "a.csv", f'body\n"{text}"\n')) == [text]


def test_an_unclosed_quote_loses_nothing(tmp_path, monkeypatch):
    limit_records(monkeypatch, 100)
    report = ReadReport()
    rows = [f"line {i}" for i in range(100)]
    file = write(tmp_path / "a.csv", "\n".join(["id,body", '0,"quoted, once"', '1,"unclosed', *rows, "2,last"]))
    assert read(file, report=report) == ["quoted, once", '"unclosed', "last"]
    assert report.messages() == [
        f"{file}: 1 field in which a quotation mark comes first and none closes it, the first in line 3.",
        f"{file}: 100 rows without the text column skipped, the first in line 4.",
    ]
    one_column = write(tmp_path / "b.csv", "\n".join(["body", '"unclosed', *rows]))
    assert read(one_column) == ['"unclosed', *rows]


@pytest.mark.parametrize("line", ["text\n", '","\n'])
@pytest.mark.parametrize("end", ['"', 'end"', 'end","more"', 'say ""so"""'])
def test_a_row_that_is_too_long_costs_no_later_one(tmp_path, monkeypatch, line, end):
    limit_records(monkeypatch, 100)
    report = ReadReport()
    file = write(tmp_path / "a.csv", f'id,body\n1,"{line * 50}{end}\n2,"good, too"\n3,"two\nlines"\n')
    assert read(file, report=report)[-2:] == ["good, too", "two\nlines"]
    assert report.messages()


def test_a_row_of_many_quoted_lines_is_bounded(tmp_path, monkeypatch):
    limit_records(monkeypatch, 100)
    report = ReadReport()
    file = write(tmp_path / "a.csv", 'id,body\n1,"' + '","\n' * 50 + '"\n2,"good, too"\n')
    assert read(file, report=report)[-1] == "good, too"
    assert any("of more than 100 characters skipped" in message for message in report.messages())


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_open_at_the_end_is_reported_and_its_text_kept(tmp_path, end):
    report = ReadReport()
    file = write(tmp_path / "a.csv", f'id,body\n1,"two\nlines"\n2,"open\n3,more\n4,last{end}')
    assert read(file, report=report) == ["two\nlines", '"open', "more", "last"]
    message = f"{file}: 1 field in which a quotation mark comes first and none closes it, the first in line 4."
    assert report.messages() == [message]


@pytest.mark.parametrize("last", ['"closed"', '"closed"\n', '"a ""b"" c"', 'say "so', "plain", "\n"])
def test_quotes_closed_at_the_end_are_not_reported(tmp_path, last):
    report = ReadReport()
    read(write(tmp_path / "a.csv", f"body\nfirst\n{last}"), report=report)
    assert report.messages() == []


def test_jsonl(tmp_path):
    report = ReadReport()
    lines = [
        '{"body": "one\\ntwo"}',
        "",
        "not json",
        "[1]",
        '{"id": 1}',
        '{"body": null}',
        "[" * 100_000,
        '{"body": "x"}',
    ]
    file = write(tmp_path / "a.jsonl", "\n".join(lines))
    assert read(file, report=report) == ["one\ntwo", "x"]
    assert report.messages() == [
        f"{file}: 3 lines that are not JSON objects skipped, the first in line 3.",
        f"{file}: 2 records without the text field skipped, the first in line 5.",
    ]


@pytest.mark.parametrize(
    "header", ["{}", '{"_meta": "export of 2024"}', '{"text": 3, "x": 1}', '{"a": "3", "x": 1}']
)
def test_a_first_record_without_text_does_not_choose_the_field(tmp_path, header):
    file = write(tmp_path / "a.jsonl", header + '\n{"body": "one"}\n{"body": "two"}\n')
    report = ReadReport()
    assert [piece.text for piece in read_documents([file], ReaderSettings(), report)] == ["one", "two"]
    assert report.messages() == [f"{file}: 1 record without the text field skipped, the first in line 1."]


def test_a_file_of_empty_records_has_no_text_field(tmp_path):
    file = write(tmp_path / "a.jsonl", "{}\n{}\n")
    with pytest.raises(RnnlmError, match="there is no field 'body', 'text' or 'content'; choose"):
        list(read_documents([file], ReaderSettings(), ReadReport()))


def test_what_json_escapes_is_repaired_and_reported(tmp_path):
    report = ReadReport()
    file = write(tmp_path / "a.ndjson", '{"body": "fine \\ud83d\\ude00"}\n{"body": "a\\ud800b\\u0000c"}')
    assert read(file, report=report) == ["fine 😀", "a\ufffdbc"]
    assert report.messages() == [
        f"{file}: 1 NUL character removed, the first in line 2.",
        f"{file}: 1 lone surrogate replaced by U+FFFD, the first in line 2.",
    ]


@pytest.mark.parametrize("digits", [5_000, 1_000_000])
def test_a_huge_number_does_not_cost_its_record(tmp_path, digits):
    file = write(tmp_path / "a.jsonl", f'{{"id": {"9" * digits}, "body": "text"}}\n')
    assert read(file) == ["text"]


def test_a_million_columns(tmp_path):
    commas = "," * 1_000_000
    file = write(tmp_path / "a.csv", f"id{commas}body\n1{commas}text\n2{commas[:-1]}short\n3{commas}text\n")
    report = ReadReport()
    assert read(file, report=report) == ["text", "text"]
    assert report.messages() == [f"{file}: 1 row without the text column skipped, the first in line 3."]


def test_lines_too_long_for_a_record_are_skipped(tmp_path, monkeypatch):
    limit_records(monkeypatch, 100)
    report = ReadReport()
    file = write(tmp_path / "a.jsonl", json.dumps({"body": "x" * 200}) + '\n{"body": "y"}\n')
    assert read(file, report=report) == ["y"]
    assert report.messages() == [f"{file}: 1 line of more than 100 characters skipped, the first in line 1."]


@pytest.mark.parametrize(
    ("documents", "expected"),
    [("line", ["a", "b", "", "c"]), ("paragraph", ["a\nb\n", "c\n"]), ("file", ["a\nb\n\nc\n"])],
)
def test_text_documents(tmp_path, documents, expected):
    assert read(write(tmp_path / "a.txt", "a\r\nb\n\nc\n"), documents=documents) == [d for d in expected if d]


@pytest.mark.parametrize("documents", ["line", "paragraph", "file"])
@pytest.mark.parametrize("text", ["word " * 100 + "end", "x" * 300, "one\ntwo\n" * 30])
def test_pieces_are_bounded_and_complete(tmp_path, monkeypatch, documents, text):
    for module in (lines, documents_module):
        monkeypatch.setattr(module, "PIECE_SIZE", 50)
    file = write(tmp_path / "a.txt", text)
    pieces = list(read_documents([str(file)], ReaderSettings(documents=documents), ReadReport()))
    assert max(len(piece.text) for piece in pieces) <= 50
    expected = text.replace("\n", "") if documents == "line" else text
    assert "".join(piece.text for piece in pieces) == expected
    if "word" in text:
        assert all(piece.text.endswith((" ", "end")) for piece in pieces)


def test_repairs_are_counted(tmp_path):
    report = ReadReport()
    file = write(tmp_path / "a.txt", b"\xef\xbb\xbffine\nbad \xff\xfe byte\nn\0u\0l\r\ncaf\xc3\xa9\xe2\x80\xa8x\n")
    assert read(file, report=report) == ["fine", "bad \ufffd\ufffd byte", "nul", "café\u2028x"]
    assert report.messages() == [
        f"{file}: 2 bytes that are not UTF-8 replaced by U+FFFD, the first in line 2.",
        f"{file}: 2 NUL characters removed, the first in line 3.",
    ]


def test_directories_are_walked_in_order(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path / "b.txt", "b")
    write(tmp_path / "a.csv", "body\na\n")
    write(tmp_path / "sub" / "c.jsonl", '{"text": "c"}')
    write(tmp_path / "ignored.py", "ignored")
    assert read(tmp_path) == ["a", "b", "c"]


def test_inputs_that_are_not_there(tmp_path):
    with pytest.raises(RnnlmError, match="nowhere: there is no such file"):
        read("nowhere")
    with pytest.raises(RnnlmError, match=r"no \.csv"):
        read(tmp_path)


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch):
    file = write(tmp_path / "a.txt", "x")

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(RnnlmError, match=r"a\.txt: the file cannot be opened \(Permission denied\)"):
        read(file)


def test_standard_input_stays_open(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(b"one\ntwo\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read(STDIN) == ["one", "two"]
    assert not stdin.buffer.closed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("A.TSV.GZ", "csv"),
        ("x.ndjson.zst", "jsonl"),
        ("a.b.txt.xz", "txt"),
        ("README", None),
        ("a.gz", None),
    ],
)
def test_format_of(name, expected):
    assert format_of(name) == expected


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1)


@given(bodies=st.lists(texts))
def test_csv_round_trip(tmp_path_factory, bodies):
    file = tmp_path_factory.mktemp("csv") / "a.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["body"], *([body] for body in bodies)])
    assert read(file) == bodies


@given(
    content=st.binary(max_size=300), kind=st.sampled_from(["a.csv", "a.jsonl", "a.txt", "a.tsv", "a.json", "a"])
)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, kind):
    file = write(tmp_path_factory.mktemp("any") / kind, content)
    with contextlib.suppress(RnnlmError):
        for document in read(file):
            document.encode()
