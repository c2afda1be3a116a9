import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models.networks import make_network, restored_network
from rnnlm.storage.checkpoint import (
    CONFIG,
    FILES,
    MANIFEST,
    MODEL,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from rnnlm.text.vocabulary import Vocabulary


@pytest.fixture
def checkpoint(dataset: Dataset) -> Checkpoint:
    config = Config.model_validate({"model": {"hidden_size": 5, "num_layers": 2, "bias": True}})
    network = make_network(config, len(dataset.vocabulary))
    state = {"progress": {"step": 3}, "schedule": {}}
    return Checkpoint(config, dataset.vocabulary, network.parameters, state, {"carried": np.ones((2, 1, 5))})


def test_what_is_saved_is_loaded(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    loaded = load_checkpoint(tmp_path / "c")
    assert loaded.config == checkpoint.config
    assert loaded.vocabulary == checkpoint.vocabulary
    assert loaded.state == checkpoint.state
    np.testing.assert_array_equal(loaded.state_tensors["carried"], np.ones((2, 1, 5)))
    for name, value in restored_network(loaded).parameters.items():
        np.testing.assert_array_equal(value, checkpoint.parameters[name])


def test_tensors_have_pytorchs_names_and_shapes(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    vocabulary_size = len(checkpoint.vocabulary)
    tensors = safetensors.numpy.load_file(tmp_path / "c" / MODEL)
    assert {name: value.shape for name, value in tensors.items()} == {
        "rnn.weight_ih_l0": (5, vocabulary_size),
        "rnn.weight_hh_l0": (5, 5),
        "rnn.bias_ih_l0": (5,),
        "rnn.bias_hh_l0": (5,),
        "rnn.weight_ih_l1": (5, 5),
        "rnn.weight_hh_l1": (5, 5),
        "rnn.bias_ih_l1": (5,),
        "rnn.bias_hh_l1": (5,),
        "output.weight": (vocabulary_size, 5),
        "output.bias": (vocabulary_size,),
    }
    np.testing.assert_array_equal(tensors["rnn.weight_ih_l0"], checkpoint.parameters["rnn.weight_ih_l0"])


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "empty"])
def test_a_damaged_file_is_refused_by_name(checkpoint: Checkpoint, tmp_path: Path, name: str, damage: str) -> None:
    directory = tmp_path / "c"
    save_checkpoint(directory, checkpoint)
    content = bytearray((directory / name).read_bytes())
    if damage == "missing":
        (directory / name).unlink()
    else:
        content[len(content) // 2] ^= 0x80
        (directory / name).write_bytes(
            {"truncated": content[: len(content) // 2], "flipped": content, "empty": b""}[damage]
        )
    with pytest.raises(RnnlmError, match=name):
        load_checkpoint(directory)


def test_another_format_version_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    manifest = json.loads((tmp_path / "c" / MANIFEST).read_text())
    (tmp_path / "c" / MANIFEST).write_text(json.dumps({**manifest, "format_version": 99}))
    with pytest.raises(RnnlmError, match="format version 99"):
        load_checkpoint(tmp_path / "c")


def test_weights_of_another_network_are_refused(checkpoint: Checkpoint, dataset: Dataset) -> None:
    other = Config.model_validate({"model": {"hidden_size": 6, "num_layers": 2, "bias": True}})
    mismatched = Checkpoint(other, dataset.vocabulary, checkpoint.parameters, {}, {})
    with pytest.raises(RnnlmError, match=r"output.weight has shape \(11, 5\)"):
        restored_network(mismatched)


def test_a_failed_write_leaves_nothing(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(self: Vocabulary, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Vocabulary, "save", full_disk)
    with pytest.raises(RnnlmError, match="No space left on device"):
        save_checkpoint(tmp_path / "c", checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_of_a_checkpoint_is_readable_yaml(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    assert Config.load(tmp_path / "c" / CONFIG) == checkpoint.config


def test_tied_weights_are_saved_under_both_names(dataset: Dataset, tmp_path: Path) -> None:
    config = Config.model_validate({"model": {"hidden_size": 5, "embedding_size": 5, "tie_weights": True}})
    network = make_network(config, len(dataset.vocabulary))
    save_checkpoint(tmp_path / "c", Checkpoint(config, dataset.vocabulary, network.parameters, {}, {}))
    tensors = safetensors.numpy.load_file(tmp_path / "c" / MODEL)
    np.testing.assert_array_equal(tensors["output.weight"], tensors["embedding.weight"])
    loaded = restored_network(load_checkpoint(tmp_path / "c"))
    np.testing.assert_array_equal(loaded.tensors()["output.weight"], network.tensors()["output.weight"])
