import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.storage.checkpoint import (
    CONFIG,
    FILES,
    MANIFEST,
    MODEL,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from rnnlm.text.vocabulary import VOCABULARY_FILE


@pytest.fixture
def checkpoint(dataset: Dataset) -> Checkpoint:
    config = Config.model_validate({"model": {"hidden_size": 5, "num_layers": 2, "bias": True}})
    state = {"progress": {"step": 3}, "schedule": {}}
    return LanguageModel.create(config, dataset).checkpoint(state, {"carried": np.ones((2, 1, 5))})


def test_what_is_saved_is_loaded(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    loaded = load_checkpoint(tmp_path / "c")
    assert loaded.config == checkpoint.config
    assert loaded.files == checkpoint.files
    assert loaded.state == checkpoint.state
    np.testing.assert_array_equal(loaded.state_tensors["carried"], np.ones((2, 1, 5)))
    for name, value in LanguageModel.restore(loaded).network.parameters.items():
        np.testing.assert_array_equal(value, checkpoint.tensors[name])


def test_tensors_have_pytorchs_names_and_shapes(checkpoint: Checkpoint, dataset: Dataset, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    vocabulary_size = len(dataset.vocabulary)
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
    np.testing.assert_array_equal(tensors["rnn.weight_ih_l0"], checkpoint.tensors["rnn.weight_ih_l0"])


@pytest.mark.parametrize("name", [*FILES, VOCABULARY_FILE, MANIFEST])
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


def test_weights_of_another_network_are_refused(checkpoint: Checkpoint) -> None:
    other = Config.model_validate({"model": {"hidden_size": 6, "num_layers": 2, "bias": True}})
    with pytest.raises(RnnlmError, match=r"output.weight has shape \(11, 5\)"):
        LanguageModel.restore(replace(checkpoint, config=other))


def test_a_failed_write_leaves_nothing(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes = Path.write_bytes

    def full_disk(path: Path, content: bytes) -> int:
        if path.name == VOCABULARY_FILE:
            raise OSError(28, "No space left on device", str(path))
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(RnnlmError, match="No space left on device"):
        save_checkpoint(tmp_path / "c", checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_of_a_checkpoint_is_readable_yaml(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    assert Config.load(tmp_path / "c" / CONFIG) == checkpoint.config


def test_tied_weights_are_saved_under_both_names(dataset: Dataset, tmp_path: Path) -> None:
    config = Config.model_validate({"model": {"hidden_size": 5, "embedding_size": 5, "tie_weights": True}})
    model = LanguageModel.create(config, dataset)
    save_checkpoint(tmp_path / "c", model.checkpoint({}, {}))
    tensors = safetensors.numpy.load_file(tmp_path / "c" / MODEL)
    np.testing.assert_array_equal(tensors["output.weight"], tensors["embedding.weight"])
    loaded = LanguageModel.restore(load_checkpoint(tmp_path / "c"))
    found, expected = (each.network.tensors()["output.weight"] for each in (loaded, model))
    np.testing.assert_array_equal(found, expected)


def test_a_file_that_the_model_needs_is_named_where_it_is_missing(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", replace(checkpoint, files={}))
    loaded = load_checkpoint(tmp_path / "c")
    with pytest.raises(RnnlmError, match=rf"c/{VOCABULARY_FILE}: missing"):
        LanguageModel.restore(loaded)


@pytest.mark.parametrize("name", ["../vocabulary.json", "/etc/hostname", ".hidden", "a\nb", ""])
def test_a_manifest_names_no_path(checkpoint: Checkpoint, tmp_path: Path, name: str) -> None:
    save_checkpoint(tmp_path / "c", checkpoint)
    manifest = json.loads((tmp_path / "c" / MANIFEST).read_text())
    manifest["files"][name] = manifest["files"].pop(VOCABULARY_FILE)
    (tmp_path / "c" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RnnlmError, match=f"{MANIFEST}: damaged"):
        load_checkpoint(tmp_path / "c")
