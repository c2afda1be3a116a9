"""Checkpoints: self-contained directories that are written whole or not at all.

A checkpoint directory holds ``model.safetensors`` (PyTorch's tensor names and shapes), ``config.yaml``,
``vocabulary.json``, ``training_state.json`` and ``training_state.safetensors`` (what an exact resume needs) and
``manifest.json`` (format version, size and SHA-256 of each of the others).
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnlm.config import Config
from rnnlm.errors import RnnlmError, shown
from rnnlm.files import read_text, sha256, sync
from rnnlm.nn.arrays import Floats
from rnnlm.text.vocabulary import Vocabulary

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
MODEL = "model.safetensors"
CONFIG = "config.yaml"
VOCABULARY = "vocabulary.json"
STATE = "training_state.json"
STATE_TENSORS = "training_state.safetensors"
FILES = (MODEL, CONFIG, VOCABULARY, STATE, STATE_TENSORS)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint directory holds.

    Attributes
    ----------
    config, vocabulary
        The run's configuration and vocabulary.
    parameters
        The network's weights by name.
    state, state_tensors
        Progress of the training: plain values, and arrays by name.
    directory
        Where it was read from, for messages.
    """

    config: Config
    vocabulary: Vocabulary
    parameters: dict[str, Floats]
    state: dict[str, Any]
    state_tensors: dict[str, Floats]
    directory: Path = Path()


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Write a new checkpoint directory under a temporary name, see that it is on the disk, and rename it.

    Raises
    ------
    RnnlmError
        If it cannot be written; nothing of the attempt is left.
    """
    temporary = directory.with_name(f".{directory.name}.partial")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        parameters = checkpoint.parameters
        if checkpoint.config.model.tie_weights:
            # Under both names, as PyTorch's modules expect them.
            parameters = {**parameters, "output.weight": parameters["embedding.weight"]}
        (temporary / MODEL).write_bytes(_tensors(parameters))
        (temporary / CONFIG).write_text(checkpoint.config.to_yaml(), encoding="utf-8")
        checkpoint.vocabulary.save(temporary / VOCABULARY)
        (temporary / STATE).write_text(json.dumps(checkpoint.state, indent=1), encoding="utf-8")
        (temporary / STATE_TENSORS).write_bytes(_tensors(checkpoint.state_tensors))
        files = {name: _fingerprint(temporary / name) for name in FILES}
        manifest = {"format_version": FORMAT_VERSION, "files": files}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        for name in (*FILES, MANIFEST):
            sync(temporary / name)
        sync(temporary)
        temporary.rename(directory)
        sync(directory.parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RnnlmError(
            f"{directory}: the checkpoint cannot be written ({error.strerror or error}), the one before is kept; "
            "see to room and permissions, then go on with --resume."
        ) from error


def load_checkpoint(directory: Path) -> Checkpoint:
    """Read a checkpoint directory and check it against its manifest.

    Raises
    ------
    RnnlmError
        If a file is missing, damaged or not what its name says; the message names the file.
    """
    expected = _read_manifest(directory)
    for name in FILES:
        _verify(directory / name, expected.get(name))
    try:
        state = json.loads(read_text(directory / STATE))
    except (OSError, ValueError, RecursionError) as error:
        raise RnnlmError(f"{directory / STATE}: cannot be read ({error}); use another checkpoint.") from error
    if not isinstance(state, dict):
        raise RnnlmError(f"{directory / STATE}: not an object of JSON; use another checkpoint.")
    config = Config.load(directory / CONFIG)
    vocabulary = Vocabulary.load(directory / VOCABULARY)
    parameters = _read_tensors(directory / MODEL)
    if config.model.tie_weights:
        parameters.pop("output.weight", None)
    state_tensors = _read_tensors(directory / STATE_TENSORS)
    return Checkpoint(config, vocabulary, parameters, state, state_tensors, directory)


def _tensors(arrays: dict[str, Floats]) -> bytes:
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


def _fingerprint(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _read_manifest(directory: Path) -> Mapping[str, Any]:
    """Return the fingerprints of a checkpoint's files by name."""
    path = directory / MANIFEST
    if not path.is_file():
        raise RnnlmError(f"{directory}: not a checkpoint, it has no {MANIFEST}.")
    try:
        manifest = json.loads(read_text(path))
        version, files = manifest["format_version"], dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RnnlmError(f"{path}: damaged; use another checkpoint.") from error
    if version != FORMAT_VERSION:
        raise RnnlmError(f"{path}: format version {shown(version)}, but this program reads {FORMAT_VERSION}.")
    return files


def _verify(path: Path, expected: object) -> None:
    """Check a file of a checkpoint against its fingerprint; one of another size is not even read."""
    try:
        fits = isinstance(expected, dict) and expected.get("bytes") == path.stat().st_size
        if not (fits and _fingerprint(path) == expected):
            raise RnnlmError(f"{path}: damaged, not what {MANIFEST} says was saved; use another checkpoint.")
    except OSError as error:
        raise RnnlmError(f"{path}: cannot be read ({error.strerror}).") from error
