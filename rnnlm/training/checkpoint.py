"""Checkpoints: self-contained directories that are written whole or not at all.

A checkpoint directory holds ``model.safetensors`` (PyTorch's tensor names and shapes), ``config.yaml``,
``vocabulary.json``, ``training_state.json`` and ``training_state.safetensors`` (what an exact resume needs) and
``manifest.json`` (format version, size and SHA-256 of each of the others).
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.files import sha256, sync
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.progress import Progress
from rnnlm.training.step import make_network

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
    """

    config: Config
    vocabulary: Vocabulary
    parameters: dict[str, Floats]
    state: dict[str, Any]
    state_tensors: dict[str, Floats]

    def build_network(self) -> Network:
        """Make the configuration's network and give it the weights.

        Raises
        ------
        RnnlmError
            If names or shapes of the weights are not those of the configuration's network.
        """
        network = make_network(self.config, len(self.vocabulary))
        self.copy_into(network)
        return network

    def progress(self) -> Progress:
        """Return where the run was.

        Raises
        ------
        RnnlmError
            If the state does not say.
        """
        try:
            return Progress.from_dict(self.state["progress"])
        except (KeyError, TypeError) as error:
            raise RnnlmError(f"{STATE}: the progress is not whole ({error}); use another checkpoint.") from error

    def copy_into(self, network: Network) -> None:
        """Give a network the weights.

        Raises
        ------
        RnnlmError
            If names or shapes of the weights are not the network's.
        """
        expected = {name: value.shape for name, value in network.parameters.items()}
        found = {name: value.shape for name, value in self.parameters.items()}
        if expected != found:
            name = min(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))
            raise RnnlmError(
                f"{MODEL}: the tensor {name} has shape {found.get(name)}, but its configuration and vocabulary "
                f"make it {expected.get(name)}; use another checkpoint."
            )
        for name, value in self.parameters.items():
            network.parameters[name][...] = value


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
        temporary.mkdir(parents=True)
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
        raise RnnlmError(f"{directory}: cannot write the checkpoint ({error.strerror or error}).") from error


def load_checkpoint(directory: Path) -> Checkpoint:
    """Read a checkpoint directory and check it against its manifest.

    Raises
    ------
    RnnlmError
        If a file is missing, damaged or not what its name says; the message names the file.
    """
    for name in FILES:
        _verify(directory, name)
    try:
        parameters = safetensors.numpy.load((directory / MODEL).read_bytes())
        state = json.loads((directory / STATE).read_text(encoding="utf-8"))
        state_tensors = safetensors.numpy.load((directory / STATE_TENSORS).read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise RnnlmError(f"{directory}: damaged checkpoint ({error}); use another one.") from error
    config = Config.load(directory / CONFIG)
    if config.model.tie_weights:
        parameters.pop("output.weight", None)
    return Checkpoint(
        config=config,
        vocabulary=Vocabulary.load(directory / VOCABULARY),
        parameters=parameters,
        state=state,
        state_tensors=state_tensors,
    )


def _tensors(arrays: dict[str, Floats]) -> bytes:
    # safetensors writes an array's memory as it is, so a transposed view is copied first.
    return safetensors.numpy.save({name: np.ascontiguousarray(value) for name, value in arrays.items()})


def _fingerprint(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _verify(directory: Path, name: str) -> None:
    """Check a file of a checkpoint against the manifest."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, expected = manifest["format_version"], manifest["files"][name]
    except FileNotFoundError as error:
        raise RnnlmError(f"{directory}: not a checkpoint, it has no {MANIFEST}.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RnnlmError(f"{path}: damaged; use another checkpoint.") from error
    if version != FORMAT_VERSION:
        raise RnnlmError(f"{path}: format version {version}, but this program reads {FORMAT_VERSION}.")
    try:
        found = _fingerprint(directory / name)
    except OSError as error:
        raise RnnlmError(f"{directory / name}: cannot be read ({error.strerror}).") from error
    if found != expected:
        raise RnnlmError(f"{directory / name}: damaged, not what was saved; use another checkpoint.")
