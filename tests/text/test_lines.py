import gzip
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import lines
from rnnlm.text.lines import read_lines
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
