"""Tokens on the disk between the passes, in bounded memory."""

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.text.readers import ReaderSettings
from tests.dataset.building.datasets import ALL_TRAIN, LETTERS, WORDS, sentences, write


def test_documents_in_many_pieces_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.text.lines.PIECE_SIZE", 7)
    monkeypatch.setattr("rnnlm.text.documents.PIECE_SIZE", 7)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 10)
    monkeypatch.setattr(spool, "BLOCK_TOKENS", 5)
    monkeypatch.setattr(spool, "BLOCK_SEGMENTS", 2)
    text = "the cat sat on the mat and the hat sat on the cad and the mat "
    result = build_dataset(
        [write(tmp_path / "a.txt", text)],
        tmp_path / "out",
        text=LETTERS,
        reader=ReaderSettings(documents="file"),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0.2),
    )
    dataset = Dataset.open(result.path)
    parts = [sentences(dataset, name) for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [1, 1, 1]
    assert "".join("".join(part[0]) for part in parts) == text
    assert result.total.characters == len(text) + 3


def test_rare_types_are_forgotten_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_TYPES", 40)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 100)
    monkeypatch.setattr(spool, "BLOCK_TOKENS", 16)
    file = write(tmp_path / "a.txt", "".join(f"the cat rare{index} sat\n" for index in range(500)))
    result = build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    assert result.forgot_types
    assert result.vocabulary.tokens[3:6] == ["cat", "sat", "the"]
    assert result.vocabulary.counts[3:6] == [500, 500, 500]
    assert result.unique_tokens <= 60
    dataset = Dataset.open(result.path)
    assert sentences(dataset, "train")[250] == ["the", "cat", "UNKNOWN_TOKEN", "sat"]
    assert len(dataset.vocabulary) + result.splits["train"].unknown_tokens == 3 + 3 + 500


def test_long_types_are_forgotten_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_TYPE_CHARACTERS", 10_000)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 3000)
    held = []

    def record(self: spool.Types) -> NDArray[np.uint32] | None:
        renumbered = forget(self)
        if renumbered is not None:
            held.append(sum(map(len, self.numbers)))
        return renumbered

    forget = spool.Types.forget_rarest
    monkeypatch.setattr(spool.Types, "forget_rarest", record)
    file = write(tmp_path / "a.txt", "".join(f"the cat {index:01000} sat\n" for index in range(200)))
    result = build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    assert len(held) > 10
    assert max(held) <= 5_000
    assert result.vocabulary.counts[3:6] == [200, 200, 200]
    assert result.splits["train"].unknown_tokens + len(result.vocabulary) - 6 == 200
