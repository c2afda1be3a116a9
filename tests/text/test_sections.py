"""A corpus is cut where each part can be read by itself, and all parts together are what the whole is."""

import gzip
import json
import pickle
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import sections
from rnnlm.text.documents import Piece
from rnnlm.text.fields import Conditions
from rnnlm.text.inputs import Inputs, ReaderSettings
from rnnlm.text.lines import WHOLE
from rnnlm.text.readers import read_section
from rnnlm.text.report import ReadReport
from rnnlm.text.sections import Section

LINES = [f"Line {number} of a text" for number in range(300)]
COMMENTS = [json.dumps({"body": line, "kind": len(line) % 3}) for line in LINES]


@pytest.fixture(autouse=True)
def small_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION_BYTES", 1000)


def write(path: Path, lines: list[str], end: str = "\n", encoding: str = "utf-8") -> str:
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return str(path)


def cut(*names: str, **settings: object) -> list[Section]:
    reader = ReaderSettings(**settings)  # type: ignore[arg-type]
    return sections.sections(Inputs(names, reader, ReadReport()), reader)


def read(found: list[Section], **settings: object) -> tuple[list[Piece], list[str]]:
    """Read sections, each as another process would; return all pieces and messages."""
    reader, report = ReaderSettings(**settings), ReadReport()  # type: ignore[arg-type]
    conditions, pieces = Conditions(reader.where), []
    for section in pickle.loads(pickle.dumps(found)):
        of_section = ReadReport()
        pieces += read_section(section, reader, of_section, conditions, join_lines=False)
        report.join(of_section)
    return pieces, sorted([*report.messages(), *report.guesses()])


def read_whole(name: str, **settings: object) -> tuple[list[Piece], list[str]]:
    [section] = cut(name, **settings)[:1]
    return read([Section(section.files, 1)], **settings)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_cut_and_numbered(tmp_path, end):
    file = write(tmp_path / "a.txt", LINES, end)
    found = cut(file)
    content = Path(file).read_bytes()
    assert len(found) == (1 if end == "\r" else 1 + len(content) // 1000)
    assert b"".join(content[section.span.start : section.span.stop] for section in found) == content
    for section in found:
        start, _, line = section.span
        assert content[start:].startswith(LINES[line - 1].encode())
    assert read(found) == read_whole(file)


def test_a_return_at_the_end_of_a_block_is_counted_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sections, "BLOCK", 9)
    file = write(tmp_path / "a.txt", LINES, "\r\n")
    assert [section.span.line for section in cut(file)] == [
        1 + Path(file).read_bytes()[: section.span.start].count(b"\n") for section in cut(file)
    ]


def test_json_lines_are_cut(tmp_path):
    comments = list(COMMENTS)
    comments[100:103] = ["no JSON", '{"kind": 1}', '{"body": ""}']
    file = write(tmp_path / "a.jsonl", comments)
    settings = {"label_column": "kind", "where": ("kind=1",)}
    found = cut(file, **settings)
    assert len(found) > 5
    assert read(found, **settings) == read_whole(file, **settings)
    assert (
        f"{file}: 1 line that is not a JSON object skipped, the first in line 101." in read(found, **settings)[1]
    )


def test_a_part_names_its_lines_as_the_whole_does(tmp_path):
    comments = list(COMMENTS)
    comments[200] = '{"body": "text", "kind": []}'
    file = write(tmp_path / "a.jsonl", comments)
    with pytest.raises(RnnlmError, match="line 201: the label"):
        read(cut(file, label_column="kind"), label_column="kind")


def test_small_files_are_read_together(tmp_path):
    for number in range(10):
        write(tmp_path / f"{number}.txt", LINES[:10])
    write(tmp_path / "5.txt", LINES)
    found = cut(str(tmp_path))
    assert [[Path(file.name).stem for file in section.files] for section in found if section.span == WHOLE] == [
        ["0", "1", "2", "3", "4"],
        ["6", "7", "8", "9"],
    ]
    assert sum(section.size for section in found) == sum(file.stat().st_size for file in tmp_path.iterdir())


def test_parts_of_a_large_corpus_are_larger(tmp_path, monkeypatch):
    monkeypatch.setattr(sections, "MOST_SECTIONS", 2)
    assert len(cut(write(tmp_path / "a.txt", LINES))) == 2


def not_cut(name: str, **settings: object) -> bool:
    return [section.span for section in cut(name, **settings)] == [WHOLE]


def test_what_is_not_cut(tmp_path, monkeypatch):
    text = write(tmp_path / "a.txt", LINES)
    assert not_cut(text, documents="paragraph")
    assert not_cut(text, documents="file")
    assert not_cut(text, format="segmented")
    assert not_cut(text, encoding="latin-1")
    assert not not_cut(text, encoding="utf8")
    assert not_cut(write(tmp_path / "a.csv", ["body", *(f'"{line}\nmore"' for line in LINES)]))
    assert not_cut(write(tmp_path / "latin.txt", [*LINES, "é"], encoding="latin-1"))
    assert not_cut(write(tmp_path / "wide.txt", LINES, encoding="utf-16"))
    assert not_cut(write(tmp_path / "book.txt", ["*** START OF THE PROJECT GUTENBERG EBOOK A ***", *LINES]))
    assert not_cut(write(tmp_path / "line.txt", [" ".join(LINES)]))
    monkeypatch.setattr("rnnlm.text.records.FIRST_CHARACTERS", 500)
    assert not_cut(write(tmp_path / "late.jsonl", [*["{}", '{"a": 1}'] * 200, *COMMENTS]), text_column="body")
    compressed = tmp_path / "b.txt.gz"
    compressed.write_bytes(gzip.compress(Path(text).read_bytes(), 0))
    assert not_cut(str(compressed))


@pytest.mark.parametrize(
    "odd", ["PK\x03\x04", "\ufeffLine", "%PDF-1.4", "<html>", "*** START OF THE PROJECT GUTENBERG"]
)
def test_a_line_that_looks_like_the_beginning_of_another_file_is_a_line(tmp_path, odd):
    lines = [line if number % 10 else odd for number, line in enumerate(LINES)]
    lines[0] = LINES[0]
    file = write(tmp_path / "a.txt", lines)
    found = cut(file)
    assert len(found) > 2
    assert read(found) == read_whole(file)
    # Wherever a part would begin with one.
    file = write(tmp_path / "b.txt", [LINES[0], *[odd] * 300])
    assert read(cut(file)) == read_whole(file)


def test_a_pipe_is_read_by_one_process(tmp_path, monkeypatch):
    found = cut("-", write(tmp_path / "a.txt", LINES), format="txt")
    assert len(found) == 1
    assert not found[0].can_be_read_again
    assert [file.name for file in found[0].files] == ["-", str(tmp_path / "a.txt")]
