from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.inputs import ReaderSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.series import Table, read_table


def read(directory: Path, content: str | bytes, **settings: object) -> Table:
    file = directory / "s.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(str(file), ReaderSettings(format="series", **settings), ReadReport())  # type: ignore[arg-type]


def test_columns_of_numbers_and_of_dates(tmp_path: Path):
    table = read(tmp_path, 'a;day;"b c"\n1,5;2020-01-01;2\n'.replace(",", ".") + "-3e2;2020-01-02;4\n\n")
    assert (table.columns, table.date_column, table.dates) == (["a", "b c"], "day", ["2020-01-01", "2020-01-02"])
    assert table.values.tolist() == [[1.5, 2], [-300, 4]]
    assert table.lines == [2, 3]


def test_a_series_without_dates(tmp_path: Path):
    (tmp_path / "s.csv").write_text("value\n1\n2\n")
    report = ReadReport()
    table = read_table(str(tmp_path / "s.csv"), ReaderSettings(format="series"), report)
    assert report.messages() == []
    assert (table.columns, table.dates, table.steps()) == (["value"], None, None)
    numbered = read(tmp_path, "1\n2\n", header=False)
    assert (numbered.columns, numbered.values[:, 0].tolist()) == (["1"], [1, 2])


def test_years_are_dates_where_the_column_is_called_so(tmp_path: Path):
    assert read(tmp_path, "Year,x\n1949,1\n1950,2\n").date_column == "Year"
    assert read(tmp_path, "y,x\n1949,1\n1950,2\n").columns == ["y", "x"]


def test_other_encodings(tmp_path: Path):
    table = read(tmp_path, "Größe\n1\n2\n".encode("utf-16"))
    assert (table.columns, table.values.dtype) == (["Größe"], np.float64)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\n1\nx\n", "s.csv, line 3: the cell of column 'a' is 'x', not a number; "),
        ("a,b\n1,2\n3,\n", "s.csv, line 3: the cell of column 'b' is empty; "),
        ("a\n1\nnan\n", "s.csv, line 3: the cell of column 'a' is 'nan', not a number; "),
        ("a\n1\n1e999\n", "s.csv, line 3: the cell of column 'a' is '1e999', not a number; "),
        ("a,b\n1,2\n3\n", "s.csv, line 3: the row has not 2 cells as the first one has; "),
        ("a,b\n1,2\n3,4,5\n", "s.csv, line 3: the row has not 2 cells as the first one has; "),
        ("a\n", "s.csv: there is no row of numbers in it; "),
        ("", "s.csv: there is no row of numbers in it; "),
        ("1\n2\n3\n", "s.csv, line 1: '1' is a number where a column is named; "),
        ("date\n2020-01\n2020-02\n", "s.csv: it has dates but no column of numbers; add one."),
    ],
)
def test_what_is_no_series(tmp_path: Path, content: str, message: str):
    with pytest.raises(RnnlmError) as caught:
        read(tmp_path, content)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (("2020-01", "2020-02", "2020-04", "2020-05"), "s.csv, line 4: 2020-04 does not follow 2020-02 by"),
        (("2020-01", "2020-02", "soon"), "s.csv, line 4: 'soon' in column 'date' is not a date like"),
    ],
)
def test_dates_that_do_not_go_on(tmp_path: Path, dates: tuple[str, ...], message: str):
    table = read(tmp_path, "date,a\n" + "".join(f"{date},1\n" for date in dates))
    with pytest.raises(RnnlmError) as caught:
        table.steps()
    assert message in str(caught.value)


def test_the_target_is_named_where_there_are_several(tmp_path: Path):
    table = read(tmp_path, "a,b\n1,2\n3,4\n")
    assert table.target_column("B") == 1
    with pytest.raises(RnnlmError, match=r"there are 2 columns of numbers, 'a', 'b'; choose .* `target_column`"):
        table.target_column(None)
    with pytest.raises(RnnlmError, match="there is no column 'c' of numbers, only 'a', 'b'"):
        table.target_column("c")
