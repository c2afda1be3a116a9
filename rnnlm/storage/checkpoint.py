"""Checkpoints: self-contained directories that are written whole or not at all.

A checkpoint directory holds ``model.safetensors`` (PyTorch's tensor names and shapes), ``config.yaml``, the files
that its kind of model needs (``vocabulary.json``), ``training_state.json`` and ``training_state.safetensors``
(what an exact resume needs) and ``manifest.json`` (format version, size and SHA-256 of each of the others).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnlm.config import Config
from rnnlm.errors import RnnlmError, shown
from rnnlm.files import explaining, fingerprint, published, read_text
from rnnlm.nn.arrays import Floats

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
MODEL = "model.safetensors"
CONFIG = "config.yaml"
STATE = "training_state.json"
STATE_TENSORS = "training_state.safetensors"
FILES = (MODEL, CONFIG, STATE, STATE_TENSORS)
"""What every checkpoint has beside its manifest."""

_FURTHER_FILE = re.compile(r"\w[\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint directory holds.

    Attributes
    ----------
    config
        The run's configuration.
    tensors
        The network's weights by name, as they are on the disk.
    state, state_tensors
        Progress of the training: plain values, and arrays by name.
    files
        The contents of what else the model needs, by the names of the files.
    directory
        Where it was read from, for messages.
    """

    config: Config
    tensors: dict[str, Floats]
    state: dict[str, Any]
    state_tensors: dict[str, Floats]
    files: dict[str, bytes]
    directory: Path = Path()

    def file(self, name: str) -> bytes:
        """Return the content of a file that the model needs; refuse a checkpoint without it."""
        if name not in self.files:
            raise RnnlmError(
                f"{self.directory / name}: missing, {MANIFEST} does not name it either; use another checkpoint."
            )
        return self.files[name]


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Write a new checkpoint directory, which appears when all of it is on the disk; else nothing is left."""
    contents = {
        MODEL: _to_bytes(checkpoint.tensors),
        CONFIG: checkpoint.config.to_yaml().encode(),
        **checkpoint.files,
        STATE: json.dumps(checkpoint.state, indent=1).encode(),
        STATE_TENSORS: _to_bytes(checkpoint.state_tensors),
    }
    advice = ", the one before is kept; see to room and permissions, then go on with `resume`"
    with explaining(directory, "the checkpoint cannot be written", advice), published(directory) as partial:
        for name, content in contents.items():
            (partial / name).write_bytes(content)
        files = {name: fingerprint(partial / name) for name in contents}
        manifest = {"format_version": FORMAT_VERSION, "files": files}
        (partial / MANIFEST).write_bytes(json.dumps(manifest, indent=1).encode())


def load_checkpoint(directory: Path) -> Checkpoint:
    """Read a checkpoint directory and check it against its manifest.

    Raises
    ------
    RnnlmError
        If a file is missing, damaged or not what its name says; the message names the file.
    """
    expected = _read_manifest(directory)
    further = [name for name in expected if name not in FILES]
    for name in (*FILES, *further):
        _verify(directory / name, expected.get(name))
    try:
        with explaining(None, "cannot be read", "; use another checkpoint"):
            files = {name: (directory / name).read_bytes() for name in further}
            state = json.loads(read_text(directory / STATE))
    except (ValueError, RecursionError) as error:
        raise RnnlmError(f"{directory / STATE}: cannot be read ({error}); use another checkpoint.") from error
    if not isinstance(state, dict):
        raise RnnlmError(f"{directory / STATE}: not an object of JSON; use another checkpoint.")
    config = Config.load(directory / CONFIG)
    tensors = _read_tensors(directory / MODEL)
    return Checkpoint(config, tensors, state, _read_tensors(directory / STATE_TENSORS), files, directory)


def _to_bytes(arrays: Mapping[str, Floats]) -> bytes:
    # safetensors writes an array's memory as it is, so a transposed view is copied first.
    return safetensors.numpy.save({name: np.ascontiguousarray(value) for name, value in arrays.items()})


def _read_tensors(path: Path) -> dict[str, Floats]:
    try:
        tensors = safetensors.numpy.load(path.read_bytes())
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RnnlmError(f"{path}: cannot be read ({error}); use another checkpoint.") from error
    for name, value in tensors.items():
        if not np.issubdtype(value.dtype, np.floating):
            raise RnnlmError(f"{path}: {name} holds {value.dtype}, not floats; use another checkpoint.")
    return tensors


def _read_manifest(directory: Path) -> Mapping[str, Any]:
    """Return the fingerprints of a checkpoint's files by name; a name is not a path, so nothing else is read."""
    path = directory / MANIFEST
    if not path.is_file():
        raise RnnlmError(f"{directory}: not a checkpoint, it has no {MANIFEST}.")
    try:
        manifest = json.loads(read_text(path))
        version, files = manifest["format_version"], dict(manifest["files"])
        if not all(map(_FURTHER_FILE.fullmatch, files)):
            raise ValueError(files)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RnnlmError(f"{path}: damaged; use another checkpoint.") from error
    if version != FORMAT_VERSION:
        raise RnnlmError(f"{path}: format version {shown(version)}, but this program reads {FORMAT_VERSION}.")
    return files


def _verify(path: Path, expected: object) -> None:
    """Check a file of a checkpoint against its fingerprint; one of another size is not even read."""
    with explaining(path, "cannot be read", f", though {MANIFEST} names it"):
        fits = isinstance(expected, dict) and expected.get("bytes") == path.stat().st_size
        if not (fits and fingerprint(path) == expected):
            raise RnnlmError(f"{path}: damaged, not what {MANIFEST} says was saved; use another checkpoint.")
