import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.exchange.weight_files import read_weights


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return content.getvalue()


def saved(**arrays: object) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def test_a_numpy_archive_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(saved(a=np.eye(2), b=np.arange(3)))
    weights = read_weights(path)
    assert weights["a"].tolist() == [[1, 0], [0, 1]]
    assert weights["b"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "m.h5",
            b"\x89HDF\r\n\x1a\n" + bytes(50),
            "this is an HDF5 file, as Keras writes; it is not read here; load it",
        ),
        ("m.pt", b"\x89HDF\r\n\x1a\n" + bytes(50), "this is an HDF5 file"),
        (
            "m.keras",
            archive("metadata.json", "config.json", "model.weights.h5"),
            "this is a Keras model; it is not",
        ),
        ("m.npz", archive("other.txt"), "this is a zip archive without weights"),
        (
            "m.npz",
            saved(a=np.array([{}], object)),
            "'a' in it is not a plain array of numbers; save it with numpy.savez",
        ),
        ("m.npz", saved(a=np.array(["x"])), "'a' in it holds no real numbers"),
        ("m.npz", archive("a.npy"), "'a' in it "),
        ("m.npy", b"\x93NUMPY\x01\x00" + bytes(50), "this is a single NumPy array; save all of them"),
        ("m.gguf", b"GGUF" + bytes(50), "this is a GGUF file, which holds a transformer"),
        ("m.onnx", b"\x08\x08\x12\x05rnnlm", "this is an ONNX graph, which is not read back"),
        (
            "model.ckpt.index",
            bytes(50),
            "this is a part of a TensorFlow model; it is not read here; read its variables",
        ),
        ("model.ckpt.data-00000-of-00001", bytes(50), "this is a part of a TensorFlow model"),
        ("m.pt.gz", b"\x1f\x8b" + bytes(50), "this is compressed with gzip; decompress it first"),
    ],
)
def test_what_cannot_be_read_is_refused_by_what_it_is(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RnnlmError, match=re.escape(f"{name}: {message}")):
        read_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["saved_model.pb", "variables/"], "this is a TensorFlow model; it is not read here"),
        (["checkpoint", "model.ckpt.index"], "this is a TensorFlow model"),
        (["config.json", "model.safetensors"], "this is a folder as Hugging Face's libraries save"),
        (["data.pkl", "data/"], "this is an unpacked file of PyTorch"),
        (["a", "b"], "this is a directory; name the file of weights in it."),
        ([], "this is a directory"),
    ],
)
def test_a_directory_is_refused_by_what_it_is(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).touch()
    with pytest.raises(RnnlmError, match=re.escape(f"{tmp_path}: {message}")):
        read_weights(tmp_path)


def test_what_is_of_this_program_needs_no_import(char_run: Path, char_dataset: Path) -> None:
    [checkpoint, *_] = (char_run / "checkpoints").glob("step-*")
    for path in (char_run, checkpoint):
        with pytest.raises(RnnlmError, match="this is a run or checkpoint of rnnlm itself, which needs no import"):
            read_weights(path)
    with pytest.raises(
        RnnlmError, match="this is a dataset; name the file of weights, and the dataset with `data`"
    ):
        read_weights(char_dataset)


def test_a_whole_pickled_module_is_refused_and_its_weights_are_asked_for(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.LSTM(2, 3), tmp_path / "model.pt")
    with pytest.raises(
        RnnlmError, match=r"but a whole pickled object, .*weights_only=False\)\.state_dict\(\), OTHER"
    ):
        read_weights(tmp_path / "model.pt")
