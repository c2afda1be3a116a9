"""The code in docs/onnx.md, run."""

import re
from pathlib import Path
from typing import Any

import pytest

from rnnlm.cli.main import main

DOCUMENT = Path(__file__).parent.parent / "docs" / "onnx.md"


def test_onnxruntime_writes_a_text(char_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    main(["export", "--model", str(char_run), "-o", "book.onnx", "--quiet"])
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    variables: dict[str, Any] = {}
    exec(program, variables)
    assert 50 < len(variables["text"]) <= 400
    assert set(variables["text"]) <= set(variables["tokens"][3:])
