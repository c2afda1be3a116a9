"""Files of weights: recognized by their content, read as arrays by name."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnlm.errors import RnnlmError
from rnnlm.files import explaining
from rnnlm.nn.arrays import Floats

TRAINED_WITH_KERAS = (
    "it is not read here; load it where it was trained, and save its arrays with safetensors.numpy.save_file "
    "under the names of docs/pytorch.md."
)
TRAINED_WITH_TENSORFLOW = (
    "it is not read here; read its variables with tf.train.load_checkpoint, and save them with "
    "safetensors.numpy.save_file under the names of docs/pytorch.md."
)
SIGNATURES = {
    b"\x89HDF\r\n\x1a\n": f"an HDF5 file, as Keras writes; {TRAINED_WITH_KERAS}",
    b"\x93NUMPY": "a single NumPy array; save all of them, by their names, with numpy.savez.",
    b"GGUF": "a GGUF file, which holds a transformer; only recurrent networks can be imported.",
    b"%PDF-": "a PDF document; name the file of weights.",
    b"\x1f\x8b": "compressed with gzip; decompress it first.",
}
"""How files begin that hold no weights that can be read, and what is said of them."""


def read_weights(path: Path) -> dict[str, Floats]:
    """Read arrays by name: from a ``.safetensors`` file, a NumPy archive, or a state dict that PyTorch saved.

    Nothing in a file is ever run.

    Raises
    ------
    RnnlmError
        If it cannot be read or is none of these; the message says what it is.
    """
    if path.is_dir():
        raise RnnlmError(f"{path}: {_of_directory(path)}")
    with explaining(path, "cannot be read"), path.open("rb") as file:
        beginning = file.read(16)
    for signature, kind in SIGNATURES.items():
        if beginning.startswith(signature):
            raise RnnlmError(f"{path}: this is {kind}")
    if path.suffix == ".onnx":
        raise RnnlmError(
            f"{path}: this is an ONNX graph, which is not read back; import the weights it was made of."
        )
    if path.suffix in (".index", ".meta", ".pb") or ".data-0" in path.name:
        raise RnnlmError(f"{path}: this is a part of a TensorFlow model; {TRAINED_WITH_TENSORFLOW}")
    names = _members(path)
    if any(name.endswith(".npy") for name in names):
        return _read_archive(path)
    if "model.weights.h5" in names:
        raise RnnlmError(f"{path}: this is a Keras model; {TRAINED_WITH_KERAS}")
    # Its header's length, and the header.
    if path.suffix == ".safetensors" or beginning[8:9] == b"{":
        return _read_safetensors(path)
    if names and not any(name.endswith("data.pkl") for name in names):
        raise RnnlmError(f"{path}: this is a zip archive without weights; name the file of weights.")
    return _read_state_dict(path)


def _of_directory(path: Path) -> str:
    """Say what a directory is, and what to name in its place."""
    files = {each.name for each in path.iterdir()}
    if "checkpoints" in files or "manifest.json" in files:
        return (
            "this is a run or checkpoint of rnnlm itself, which needs no import; name it with `model`, or begin a "
            "training with `init_from`."
        )
    if "dataset.yaml" in files:
        return "this is a dataset; name the file of weights, and the dataset with `data`."
    if "saved_model.pb" in files or "checkpoint" in files or any(name.endswith(".index") for name in files):
        return f"this is a TensorFlow model; {TRAINED_WITH_TENSORFLOW}"
    if "config.json" in files:
        return (
            "this is a folder as Hugging Face's libraries save; only recurrent networks can be imported: if it is "
            "one, name its .safetensors or .bin file."
        )
    if "data.pkl" in files:
        return "this is an unpacked file of PyTorch; name the file it was unpacked from."
    return "this is a directory; name the file of weights in it."


def _members(path: Path) -> list[str]:
    """List the names in a zip archive; an empty list if it is not an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return []


def _read_archive(path: Path) -> dict[str, Floats]:
    weights = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            try:
                weights[name] = archive[name]
            except ValueError as error:  # of objects, which only a pickle holds
                raise RnnlmError(
                    f"{path}: {name!r} in it is not a plain array of numbers; save it with numpy.savez as one."
                ) from error
            except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
                raise RnnlmError(f"{path}: {name!r} in it is damaged ({error}); copy the file again.") from error
            if not isinstance(weights[name], np.ndarray) or weights[name].dtype.kind not in "fiu":
                raise RnnlmError(f"{path}: {name!r} in it holds no real numbers; save the weights as float32.")
    return weights


def _read_safetensors(path: Path) -> dict[str, Floats]:
    with explaining(path, "cannot be read"):
        content = path.read_bytes()
    try:
        return safetensors.numpy.load(content)
    except SafetensorError as error:
        raise RnnlmError(f"{path}: not a safetensors file ({error}); save the weights again.") from error
    except (KeyError, TypeError) as error:
        raise RnnlmError(f"{path}: NumPy has no numbers of the kind {error}; save them as float32.") from error


def _read_state_dict(path: Path) -> dict[str, Floats]:
    try:
        import torch
    except ImportError as error:
        raise RnnlmError(
            f"{path}: only PyTorch reads such a file; install it, or save the weights with "
            "safetensors.torch.save_file and name the file .safetensors."
        ) from error

    advice = "save model.state_dict() with torch.save"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RnnlmError(f"{path}: cannot be read ({error.strerror}).") from error
    except Exception as error:  # an unpickler may raise anything at bytes that are not a pickle
        if "Unsupported global" in str(error) or "Unsupported class" in str(error):
            raise RnnlmError(
                f"{path}: not a file of weights alone, but a whole pickled object, which would run code; "
                "where it was trained, save its weights with "
                "torch.save(torch.load(FILE, weights_only=False).state_dict(), OTHER)."
            ) from error
        raise RnnlmError(f"{path}: not a file of weights alone; {advice}.") from error
    if not isinstance(state, Mapping):
        raise RnnlmError(f"{path}: holds no state dict; {advice}.")
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise RnnlmError(f"{path}: {name!r} in it is not a tensor; {advice}.")
        if value.is_complex() or value.is_meta or value.layout is not torch.strided:
            raise RnnlmError(f"{path}: {name!r} in it is not a dense tensor of real numbers; {advice}.")
    # Double precision holds every value of the others, those that NumPy does not know included.
    return {str(name): value.detach().double().numpy() for name, value in state.items()}
