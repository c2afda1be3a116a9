from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnlm.choosing.facts import Facts
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError


def predicted(dataset: Dataset, split: str) -> list[int]:
    part = dataset.split(split)
    return [int(each) for k in range(part.num_sentences) for each in part.sentence(k)[1:]]


def test_a_dataset_is_counted(word_data: Dataset) -> None:
    facts = Facts.of(word_data)
    train, valid = (predicted(word_data, split) for split in ("train", "valid"))
    assert (facts.tokens, facts.valid_tokens) == (len(train), len(valid))
    assert facts.sentences == word_data.train.num_sentences
    assert facts.unknown_tokens == train.count(0)
    assert facts.is_of_words
    assert not facts.has_words  # for there are few
    counts = np.bincount(train, minlength=facts.vocabulary_size)
    for share, cutoff in zip((0.8, 0.95), facts.cutoffs, strict=True):
        assert counts[: cutoff + 1].sum() >= share * len(train) > counts[:cutoff].sum()
    probabilities = (counts + 0.5) / (counts + 0.5).sum()
    assert facts.unigram_loss == pytest.approx(-np.log(probabilities[valid]).mean())


def test_without_a_validation_split_it_has_no_loss(tmp_path: Path, word_data: Dataset) -> None:
    (tmp_path / "text.txt").write_text("a b\na c\n")
    division = DivisionSettings(valid_fraction=0, test_fraction=0)
    build_dataset([str(tmp_path / "text.txt")], tmp_path / "dataset", division=division)
    assert Facts.of(Dataset.open(tmp_path / "dataset")).unigram_loss is None


def test_a_dataset_without_training_text_is_refused(word_data: Dataset) -> None:
    empty = replace(word_data.train, ids=word_data.train.ids[:0], offsets=word_data.train.offsets[:1])
    with pytest.raises(RnnlmError, match="the training split is empty; preprocess more text"):
        Facts.of(replace(word_data, train=empty))
