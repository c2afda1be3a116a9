import gzip
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import lines
from rnnlm.text.lines import open_text, read_lines
from rnnlm.text.report import ReadReport


def test_lines_are_read_one_for_one_and_repaired(tmp_path: Path) -> None:
    report = ReadReport()
    file = tmp_path / "a.txt.gz"
    file.write_bytes(gzip.compress(b"\xef\xbb\xbfone\r\n\ntw\0o\n\nlast \xff"))
    assert list(read_lines(str(file), report)) == ["one", "", "two", "", "last \ufffd"]
    assert len(report.messages()) == 2


def test_a_line_without_end_is_refused_after_those_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_RECORD", 100)
    file = tmp_path / "a.txt"
    file.write_text("one\n" + 101 * "x")
    read = read_lines(str(file), ReadReport())
    assert next(read) == "one"
    with pytest.raises(RnnlmError, match=r"a\.txt: line 2 has more than 100 characters; shorten it"):
        next(read)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(tmp_path: Path, encoding: str, end: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(end.join(["één", "", "two"]).encode(encoding))
    assert list(read_lines(str(file), ReadReport())) == ["één", "", "two"]
    assert list(read_lines(str(file), ReadReport(), encoding=encoding)) == ["één", "", "two"]


def test_what_begins_a_text_can_be_seen_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for content, text in (
        (b"\xef\xbb\xbf[1]", "[1]"),
        (gzip.compress("[é]".encode("utf-16")), "[é]"),
        ("[é] and".encode("cp1252"), "[é] and"),
        (b"", ""),
    ):
        file.write_bytes(content)
        with open_text(str(file), ReadReport()) as opened:
            assert opened.beginning == text
            assert "".join(opened.parts()) == text


def test_a_sentence_is_reported_once_and_first(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("é\0\n".encode("cp1252") * 3)
    report = ReadReport()
    for _ in range(2):
        list(read_lines(str(tmp_path / "a"), report))
    assert [message.partition(": ")[2] for message in report.messages()] == [
        "read as Windows-1252 (recognized; `encoding=NAME` decides).",
        "6 NUL characters removed, the first in line 1.",
    ]


def test_an_encoding_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    with pytest.raises(RnnlmError, match=r"^`encoding='nonsense'`: there is no such encoding"):
        list(read_lines(str(tmp_path / "a"), ReadReport(), encoding="nonsense"))


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RnnlmError, match=r"the file cannot be opened \(Is a directory\)"):
        list(read_lines(str(tmp_path), ReadReport()))
