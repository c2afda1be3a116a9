"""The code in docs/onnx.md, run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnlm
from rnnlm.cli.main import main

DOCUMENT = Path(__file__).parent.parent / "docs" / "onnx.md"
WRITER, CLASSIFIER, TAGGER = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def test_onnxruntime_writes_a_text(char_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    main(["export", "--model", str(char_run), "-o", "book.onnx", "--quiet"])
    variables: dict[str, Any] = {}
    exec(WRITER, variables)
    assert 50 < len(variables["text"]) <= 400
    assert set(variables["text"]) <= set(variables["tokens"][3:])


def test_onnxruntime_answers_as_here(
    label_run: Path, tag_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    for run, name in ((label_run, "topics"), (tag_run, "pos")):
        main(["export", "--model", str(run), "-o", f"{name}.onnx", "--quiet"])
    variables: dict[str, Any] = {}
    exec(CLASSIFIER, variables)
    expected: Any = list(rnnlm.load(label_run).predict(variables["texts"]))  # type: ignore[union-attr]
    assert variables["answers"] == [answer.label for answer in expected]
    for answer, log_probs in zip(expected, variables["log_probs"], strict=True):
        probabilities = [answer.probabilities[label] for label in variables["labels"]]
        np.testing.assert_allclose(np.exp(log_probs), probabilities, atol=1e-5)
    exec(TAGGER, variables)
    texts = [" ".join(words) for words in variables["sentences"]]
    expected = list(rnnlm.load(tag_run).predict(texts))  # type: ignore[union-attr]
    assert variables["answers"] == [answer.tags for answer in expected]
