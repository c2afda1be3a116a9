import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.report.info import describe
from rnnlm.storage.finding import resolve_checkpoint
from rnnlm.storage.run_directory import RunDirectory


def test_a_dataset(word_dataset: Path, word_data: Dataset):
    description = describe(word_dataset)
    assert description["kind"] == "dataset"
    assert description["path"] == str(word_dataset)
    assert description["level"] == "word"
    assert description["tokenizer"] == "nltk"
    assert (description["join"], description["keep_lines"]) == ("space", False)
    assert description["documents"] == 60
    assert description["vocabulary_size"] == len(word_data.vocabulary)
    assert description["unique_tokens"] > description["vocabulary_size"]
    assert description["most_frequent"][0] == "the"
    assert len(description["most_frequent"]) == 10
    parts = description["splits"]
    assert [parts[name]["sentences"] for name in ("train", "valid", "test")] == [36, 12, 12]
    assert parts["test"]["tokens"] == word_data.test.num_tokens
    assert parts["valid"]["unknown_tokens"] == word_data.valid.unknown_tokens


def test_a_run_and_its_checkpoints(word_run: Path, word_data: Dataset):
    run = RunDirectory(word_run)
    description = describe(word_run)
    assert description["kind"] == "run"
    assert description["path"] == str(word_run)
    assert description["last_checkpoint"] == str(run.checkpoints.find("last"))
    assert description["best_checkpoint"] == str(run.checkpoints.find("best"))
    assert description["task"] == "language_model"
    assert not {"num_labels", "num_tags"} & set(description)
    assert description["step"] == 45  # 5 epochs of 36 sentences, 4 a step
    assert description["epoch"] == 5
    assert description["best_step"] == 36
    assert description["training_seconds"] > 0
    assert description["last_valid_loss"] > description["best_valid_loss"] > 0
    size = len(word_data.vocabulary)
    assert description["vocabulary_size"] == size
    assert description["tensors"] == {
        "rnn.weight_ih_l0": [12, size],
        "rnn.weight_hh_l0": [12, 12],
        "output.weight": [size, 12],
    }
    assert description["weights"] == 2 * 12 * size + 144
    assert description["config"]["model"]["hidden_size"] == 12

    checkpoint = describe(run.checkpoints.find("best"))
    assert checkpoint["kind"] == "checkpoint"
    assert checkpoint["path"] == str(run.checkpoints.find("best"))
    assert checkpoint["tensors"] == description["tensors"]
    assert checkpoint["step"] == 36


def test_a_classifier(label_run: Path, label_dataset: Path):
    description = describe(label_run)
    lines = [json.loads(text) for text in (label_run / "metrics.jsonl").read_text().splitlines()]
    evaluations = {line["step"]: line for line in lines if line["split"] == "valid"}
    assert (description["task"], description["num_labels"]) == ("classify", 3)
    for which, step in (("best", description["best_step"]), ("last", description["step"])):
        for name in ("loss", "perplexity", "accuracy", "macro_f1"):
            assert description[f"{which}_valid_{name}"] == evaluations[step][name]
    checkpoint = describe(RunDirectory(label_run).checkpoints.find("best"))
    assert checkpoint["best_valid_accuracy"] == checkpoint["last_valid_accuracy"]
    assert checkpoint["num_labels"] == 3
    vocabulary = Dataset.open(label_dataset).vocabulary
    assert checkpoint["tensors"]["output.weight"] == [3, 16]
    assert checkpoint["tensors"]["embedding.weight"] == [vocabulary.first_label_id, 8]


def test_names_and_shapes_are_pytorchs(char_run: Path, char_dataset: Path):
    size = len(Dataset.open(char_dataset).vocabulary)
    assert describe(char_run)["tensors"] == {
        "embedding.weight": [size, 8],
        "rnn.weight_ih_l0": [16, 8],
        "rnn.weight_hh_l0": [16, 16],
        "rnn.bias_ih_l0": [16],
        "rnn.bias_hh_l0": [16],
        "rnn.weight_ih_l1": [16, 16],
        "rnn.weight_hh_l1": [16, 16],
        "rnn.bias_ih_l1": [16],
        "rnn.bias_hh_l1": [16],
        "output.weight": [size, 16],
        "output.bias": [size],
    }


def test_anything_else_is_refused(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("Dear Sir")
    for path in (tmp_path, tmp_path / "letter.txt"):
        message = f"{path}: neither a dataset nor a run nor a checkpoint"
        with pytest.raises(RnnlmError, match=re.escape(message)):
            describe(path)
    with pytest.raises(RnnlmError, match=r"nowhere: no such (file or )?directory"):
        describe(tmp_path / "nowhere")


def test_the_folder_of_a_runs_checkpoints_names_them(word_run: Path):
    folder = word_run / "checkpoints"
    message = f"{folder}: the checkpoints of a run; name the run, or one of them: step-00000036, step-"
    for read in (describe, resolve_checkpoint):
        with pytest.raises(RnnlmError, match=re.escape(message)):
            read(folder)


def test_damage_is_noticed(word_run: Path, word_dataset: Path, tmp_path: Path):
    run = shutil.copytree(word_run, tmp_path / "run")
    (run / "checkpoints/index.json").write_text("[]")
    with pytest.raises(RnnlmError, match=r"index\.json: damaged"):
        describe(run)
    dataset = shutil.copytree(word_dataset, tmp_path / "dataset")
    (dataset / "train.bin").write_bytes(b"\0" * (dataset / "train.bin").stat().st_size)
    with pytest.raises(RnnlmError, match=r"train\.bin: "):
        describe(dataset)


@pytest.mark.parametrize("key", ["documents", "unique_tokens"])
def test_a_number_missing_in_a_dataset_is_named(word_dataset: Path, tmp_path: Path, key: str):
    dataset = shutil.copytree(word_dataset, tmp_path / "dataset")
    metadata = yaml.safe_load((dataset / "dataset.yaml").read_text())
    del metadata[key]
    (dataset / "dataset.yaml").write_text(yaml.safe_dump(metadata))
    with pytest.raises(RnnlmError, match=rf"dataset\.yaml: .*{key}"):
        describe(dataset)


def test_a_translator_and_its_pairs(translator_run: Path, pair_dataset: Path):
    data = Dataset.open(pair_dataset)
    assert data.source_vocabulary is not None
    description = describe(translator_run)
    assert (description["task"], description["vocabulary_size"]) == ("translate", len(data.vocabulary))
    assert description["source_vocabulary_size"] == len(data.source_vocabulary)
    assert {"encoder.embedding.weight", "decoder.output.weight"} <= set(description["tensors"])
    of_sources = describe(pair_dataset)["source"]
    assert of_sources["vocabulary_size"] == len(data.source_vocabulary)
    assert of_sources["splits"]["test"]["sentences"] == data.test.num_sentences
