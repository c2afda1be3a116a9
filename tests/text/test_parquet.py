import sys
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.report import ReadReport
from tests.text.reading import guess, read, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table(
        {
            "id": list(range(1000)),
            "Text": [f"text {number}" if number % 10 else None for number in range(1000)],
            "data": [
                {"body": f"body {number}", "kind": "even" if number % 2 == 0 else "odd"} for number in range(1000)
            ],
        }
    )
    parquet.write_table(table, tmp_path / "part-0", row_group_size=100)
    return tmp_path / "part-0"


def test_rows_are_read_under_any_name(file):
    report = ReadReport()
    texts = read(file, report=report)
    assert texts == [f"text {number}" for number in range(1000) if number % 10]
    assert report.messages() == [f"{file}: 100 rows without the text column skipped, the first in line 1."]
    assert guess(file) == 'Reading Parquet, text from \'Text\': "text 1" "text 2"'


def test_a_nested_column_and_a_choice_of_rows(file):
    assert read(file, text_column="data.body", where=("data.kind=odd", "id=3")) == ["body 3"]
    with pytest.raises(RnnlmError, match=r"no column 'x', only 'id', 'Text', 'data'"):
        read(file, text_column="x")
    with pytest.raises(RnnlmError, match="no record has the field 'x' of `where`"):
        read(file, where=("x=3",))


def test_a_folder(file):
    write(file.parent / "_SUCCESS", "")
    file.rename(file.parent / "part-0.snappy.parquet")
    assert len(read(file.parent)) == 900


def test_what_cannot_be_read(file, tmp_path, monkeypatch):
    whole = file.read_bytes()
    with pytest.raises(
        RnnlmError, match=r"cut\.parquet: this Parquet file cannot be read \(.*\); is it complete\?"
    ):
        read(write(tmp_path / "cut.parquet", whole[: len(whole) // 2]))
    with pytest.raises(RnnlmError, match=r"no\.parquet: this is not a Parquet file; name its format"):
        read(write(tmp_path / "no.parquet", "text"))
    import gzip

    with pytest.raises(RnnlmError, match="Parquet cannot be read from a pipe or a compressed file"):
        read(write(tmp_path / "a.parquet.gz", gzip.compress(whole)))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(RnnlmError, match=r"Parquet needs the package pyarrow; run: pip install pyarrow\."):
        read(file)
