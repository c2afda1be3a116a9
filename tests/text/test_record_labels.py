"""The labels of texts, as records have them."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.readers import ReaderSettings, read_documents, read_texts
from rnnlm.text.report import ReadReport
from tests.text.reading import write


def labels(file: Path, column: str = "label", report: ReadReport | None = None, **settings: Any) -> list[Any]:
    """Return the labels of a file's texts."""
    reader = ReaderSettings(label_column=column, **settings)
    return [label for _, _, label, _ in read_documents([str(file)], reader, report or ReadReport())]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'label,text\na,one two\n" b  c ",three\n'),
        ("a.tsv", "label\ttext\na\tone two\n b  c \tthree\n"),
        ("a.jsonl", '{"label": "a", "text": "one two"}\n{"text": "three", "label": " b  c "}\n'),
        ("a.json", '[{"label": "a", "text": "one two"}, {"text": "three", "label": "b\\nc"}]'),
    ],
)
def test_every_kind_of_file_has_labels(tmp_path, name, content):
    assert labels(write(tmp_path / name, content)) == ["a", "b c"]


def test_a_field_of_an_object(tmp_path):
    file = write(tmp_path / "a.jsonl", '{"data": {"body": "one", "subreddit": "askscience"}}\n')
    assert labels(file, "data.subreddit", text_column="data.body") == ["askscience"]
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"data": [{"body": "one", "kind": 3}]}), tmp_path / "a.parquet")
    assert labels(tmp_path / "a.parquet", "data.kind", text_column="data.body") == ["3"]


def test_numbers_and_truth_values_are_written_as_in_json(tmp_path):
    values = [1, 0, 2.5, True, False, "1", "é😀", "nul\0"]
    lines = [json.dumps({"text": "x", "label": value}) for value in values]
    expected = ["1", "0", "2.5", "true", "false", "1", "é😀", "nul"]
    assert labels(write(tmp_path / "a.jsonl", "\n".join(lines))) == expected


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_a_list_or_an_object_is_no_label(tmp_path, value):
    lines = [json.dumps({"text": "x", "label": each}) for each in ("a", value)]
    file = write(tmp_path / "a.jsonl", "\n".join(lines))
    with pytest.raises(RnnlmError, match=r"a\.jsonl, line 2: the label .* is not a text; .*`label_column`"):
        labels(file)


def test_a_long_text_is_no_label(tmp_path):
    assert labels(write(tmp_path / "a.csv", f"label,text\n{200 * 'a'},x\n")) == [200 * "a"]
    with pytest.raises(RnnlmError, match=r"a\.csv, line 2: the label .* has more than 200 characters") as caught:
        labels(write(tmp_path / "a.csv", f"label,text\n{10_000 * 'a'},x\n"))
    assert len(str(caught.value)) < 400


def test_records_without_a_label_are_left_out_and_reported(tmp_path):
    report = ReadReport()
    empty = [{"text": "x", "label": label} for label in ("", None, " \n", "\0")]
    lines = [*empty, {"text": "x"}, {"text": "x", "label": "a"}]
    file = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert labels(file, report=report) == ["a"]
    assert any("5 records without a label left out, the first in line 1" in each for each in report.messages())


def test_lone_surrogates_are_repaired(tmp_path):
    file = write(tmp_path / "a.jsonl", '{"text": "x", "label": "a\\ud800"}\n')
    assert labels(file) == ["a\ufffd"]


@pytest.mark.parametrize(("name", "content"), [("a.csv", "kind,text\na,x\n"), ("a.jsonl", '{"text": "x"}\n')])
def test_a_column_that_is_not_there(tmp_path, name, content):
    with pytest.raises(RnnlmError, match=r"there is no column 'label' with labels, only .*`label_column`"):
        labels(write(tmp_path / name, content))


@pytest.mark.parametrize("kind", ["txt", "tagged", "segmented"])
def test_text_without_columns_has_no_labels(tmp_path, kind):
    file = write(tmp_path / "a.txt", "one\tA\n")
    with pytest.raises(
        RnnlmError, match=rf"a\.txt: this is {kind}, which has no column with labels; .*`label_column`"
    ):
        labels(file, format=kind)


def test_where_only_text_is_read_labels_are_refused(tmp_path):
    file = write(tmp_path / "a.csv", "label,text\na,x\n")
    with pytest.raises(RnnlmError, match="`label_column` has labels, but only text is read here; leave it out"):
        list(read_texts(str(file), ReaderSettings(label_column="label"), ReadReport()))
