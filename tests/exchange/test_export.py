import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.exchange.export import export
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.vocabulary import Vocabulary


def test_the_vocabulary_is_written_beside_the_model(char_model: LanguageModel, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    beside = export(char_model, "onnx", tmp_path / "book.onnx")
    assert beside == {"vocabulary": tmp_path / "book.vocabulary.json"}
    assert sorted(tmp_path.iterdir()) == [tmp_path / "book.onnx", tmp_path / "book.vocabulary.json"]
    assert Vocabulary.load(beside["vocabulary"]) == char_model.vocabulary


def test_onnxruntime_continues_a_text_as_the_model_does(char_model: LanguageModel, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    export(char_model, "onnx", tmp_path / "book.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "book.onnx"))
    layers, _, size = session.get_inputs()[1].shape
    state = np.zeros((layers, 1, size), np.float32)
    ids, rows = [1], []
    for _ in range(30):
        log_probs, state = session.run(None, {"ids": [[ids[-1]]], "state": state})
        rows.append(log_probs[0, 0])
        ids.append(int(rows[-1][3:].argmax()) + 3)
    np.testing.assert_allclose(rows, char_model.log_probs(ids[:-1]), atol=1e-5)


def test_pytorch_loads_what_it_is_given(word_model: LanguageModel, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    export(word_model, "torch", tmp_path / "model.pt")
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert list(state) == list(word_model.network.parameters)
    for name, value in word_model.network.parameters.items():
        np.testing.assert_array_equal(state[name].numpy(), value)


@pytest.mark.parametrize(
    ("package", "file_format", "message"),
    [
        ("onnx", "onnx", "pip install onnx"),
        ("torch", "torch", "A .pt file needs PyTorch"),
    ],
)
def test_a_missing_package_is_named(
    char_model: LanguageModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    file_format: str,
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "rnnlm.exchange.onnx_models", raising=False)
    with pytest.raises(RnnlmError, match=message.replace("[", r"\[")):
        export(char_model, file_format, tmp_path / "model")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_too_large_for_onnx_is_refused(
    char_model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    monkeypatch.setattr("rnnlm.exchange.export.LARGEST_ONNX", 1000)
    with pytest.raises(RnnlmError, match="An ONNX file holds at most 2 GB"):
        export(char_model, "onnx", tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["nowhere/model.onnx", "", ".", ".."])
def test_what_cannot_be_written_leaves_nothing(
    char_model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pytest.importorskip("onnx")
    directory = tmp_path / "inner"
    directory.mkdir()
    monkeypatch.chdir(directory)
    with pytest.raises(RnnlmError, match=rf"{Path(name)}: cannot be written \(.+\); choose another `out`"):
        export(char_model, "onnx", Path(name))
    assert list(tmp_path.rglob("*")) == [directory]


def test_model_and_vocabulary_are_written_together(char_model: LanguageModel, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    (tmp_path / "book.onnx").write_text("old")
    (tmp_path / "book.vocabulary.json").mkdir()
    with pytest.raises(RnnlmError, match=r"book\.vocabulary\.json: cannot be written"):
        export(char_model, "onnx", tmp_path / "book.onnx")
    assert (tmp_path / "book.onnx").read_text() == "old"
