"""What is read, and what is said where there is no text."""

import io
import re
import sys

import pytest

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.crew import Crew
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from tests.dataset.building.datasets import ALL_TRAIN, WORDS, write


def test_standard_input_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"One. Two.\nThree.\nFour.\n")))
    result = build_dataset(["-"], tmp_path / "out", text=TextSettings(sentences=True), division=ALL_TRAIN)
    assert result.total.sentences == 4


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_corpus_is_refused(tmp_path, text):
    file = write(tmp_path / "a.txt", text)
    with pytest.raises(RnnlmError, match=r"a\.txt: there is no text in it"):
        build_dataset([file], tmp_path / "out", text=WORDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "content", "reasons"),
    [
        ("a.jsonl", '[]\n{"body": ""}\n{"body": "[deleted]"}\n{"body": " "}\nx\n',
         "2 documents without a token; {0}: 2 lines that are not JSON objects skipped, the first in line 1;"
         " {0}: 1 record whose text is empty skipped, the first in line 2"),
        ("a.csv", 'id,body\n1\n2\n3,""\n4,[removed]\n',
         "1 document without a token; {0}: 2 rows without the text column skipped, the first in line 2;"
         " {0}: 1 row whose text is empty skipped, the first in line 4"),
        ("a.txt", "\0\n\n\n", "{0}: 1 NUL character removed, the first in line 1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("workers", [1, 2])
def test_where_nothing_is_left_what_was_skipped_is_said(tmp_path, name, content, reasons, workers):
    file = write(tmp_path / name, content)
    with pytest.raises(RnnlmError) as refused:
        build_dataset([file], tmp_path / "out", crew=Crew(workers))
    assert str(refused.value) == (
        f"{file}: there is no text in it ({reasons.format(file)}); give an input that has some."
    )


def test_only_what_was_skipped_in_the_empty_file_is_said(tmp_path):
    file, test = write(tmp_path / "a.txt", "text\0\n" * 3), write(tmp_path / "b.jsonl", "x\n")
    message = f"{test}: there is no text in it ({test}: 1 line that is not a JSON"
    with pytest.raises(RnnlmError, match=re.escape(message)):
        build_dataset([file], tmp_path / "out", text=WORDS, division=DivisionSettings(None, test))


def test_many_reasons_are_cut(tmp_path):
    for number in range(9):
        write(tmp_path / f"{number}.jsonl", "x\n")
    with pytest.raises(RnnlmError, match=r"0\.jsonl.*4\.jsonl: 1 line [^;]*; \.\.\.\); give an input"):
        build_dataset([str(tmp_path)], tmp_path / "out")


def test_an_empty_test_file_is_refused(tmp_path):
    file, test = write(tmp_path / "a.txt", "text\n" * 3), write(tmp_path / "b.txt", "")
    with pytest.raises(RnnlmError, match=r"b\.txt: there is no text in it"):
        build_dataset([file], tmp_path / "out", text=WORDS, division=DivisionSettings(None, test))


def test_progress_counts_characters(tmp_path):
    counted: list[int] = []
    build_dataset(
        [write(tmp_path / "a.txt", "ab cd\nef\ngh\n")], tmp_path / "out", text=WORDS, progress=counted.append
    )
    assert sum(counted) == 9
