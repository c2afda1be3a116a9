from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.storage.checkpoint import load_checkpoint
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.pretrained import load_vectors
from tests.training.conftest import MakeTrainer


@pytest.fixture
def vocabulary(dataset: Dataset) -> Vocabulary:
    return dataset.vocabulary


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_words_get_their_vectors_and_the_rest_is_drawn(vocabulary: Vocabulary, tmp_path: Path) -> None:
    file = write(tmp_path / "glove.txt", "a 1 2 3", "other 9 9 9", "b -1 0.5 2e-1")
    table = np.zeros((len(vocabulary), 3), np.float32)
    loaded = load_vectors(file, vocabulary, table)
    a, b = vocabulary.encode(["a", "b"])
    np.testing.assert_allclose(table[[a, b]], [[1, 2, 3], [-1, 0.5, 0.2]])
    assert loaded.found == 2
    assert len(loaded.missing) == len(vocabulary) - 2
    assert "a" not in loaded.missing
    assert np.all(np.any(table != 0, axis=1))
    again = np.zeros_like(table)
    load_vectors(file, vocabulary, again)
    np.testing.assert_array_equal(again, table)


def test_the_first_line_of_word2vec_is_passed_over(vocabulary: Vocabulary, tmp_path: Path) -> None:
    table = np.zeros((len(vocabulary), 2))
    assert load_vectors(write(tmp_path / "v.txt", "2 2", "a 1 2", "b 3 4"), vocabulary, table).bad_lines == 0


def test_bad_lines_are_counted_and_skipped(vocabulary: Vocabulary, tmp_path: Path) -> None:
    lines = ["a 1 2 3", "", "b 1 2", "c 1 two 3", "d nan 1 2", ". . 4 5 6", "e 4 5 6", "a 7 8 9", "\ufffd 1 2 3"]
    table = np.zeros((len(vocabulary), 3))
    loaded = load_vectors(write(tmp_path / "v.txt", *lines), vocabulary, table)
    a, e = vocabulary.encode(["a", "e"])
    np.testing.assert_array_equal(table[[a, e]], [[1, 2, 3], [4, 5, 6]])
    assert (loaded.found, loaded.bad_lines) == (2, 3)
    assert "3 lines without a vector skipped" in str(loaded)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a 1 2 3 4", "b 1 2 3 4"], "model.embedding_size=4"),
        (["x 1 2 3"], "none of the vocabulary's words"),
        (["a", "b"], "it has no vectors; give a file whose lines hold a word and its numbers"),
        (["a 120", "b 80"], "it has no vectors"),
        (["a,1,2,3"], "it has no vectors"),
        (["a\t1\t2\t3"], "it has no vectors"),
        (["a tale of two", "of good old times"], "it has no vectors"),
        ([""], "it has no vectors"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    vocabulary: Vocabulary, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(RnnlmError, match=message):
        load_vectors(write(tmp_path / "v.txt", *lines), vocabulary, np.zeros((len(vocabulary), 3)))


def test_a_missing_file_is_named(vocabulary: Vocabulary, tmp_path: Path) -> None:
    with pytest.raises(RnnlmError, match=r"nowhere\.txt: the file cannot be read"):
        load_vectors(tmp_path / "nowhere.txt", vocabulary, np.zeros((len(vocabulary), 3)))


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_vectors_stay_and_others_are_trained(
    make_trainer: MakeTrainer, vocabulary: Vocabulary, tmp_path: Path, frozen: bool
) -> None:
    file = write(tmp_path / "v.txt", *(f"{word} {k} 1 -1" for k, word in enumerate("abcdefgh")))
    trainer = make_trainer(model={"embedding_size": 3, "embedding_file": str(file), "freeze_embedding": frozen})
    before = trainer.model.network.source.table.value.copy()
    trainer.run()
    saved = load_checkpoint(trainer.run_directory.checkpoints.find("last")).tensors["embedding.weight"]
    assert np.array_equal(saved, before) == frozen
    [a] = vocabulary.encode(["b"])
    assert before[a].tolist() == [1, 1, -1]
