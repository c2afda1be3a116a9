import numpy as np
import pytest

from rnnlm.dataset.store import Split
from rnnlm.dataset.windows import place_of, window

IDS = np.array([1, 5, 4, 2, 1, 3, 2, 1, 6, 7, 8, 2], np.uint16)
"""Three sentences with nine predictions."""


def test_every_prediction_has_a_place():
    split = Split("train", IDS, np.array([0, 4, 7, 12], np.uint64), 0, 0)
    assert [place_of(split, prediction) for prediction in range(split.num_tokens)] == [1, 2, 3, 5, 6, 8, 9, 10, 11]


@pytest.mark.parametrize("first", [0, 1], ids=["at a start", "behind it"])
def test_columns_go_on_over_the_ends_of_sentences_and_are_padded_with_zeros(first: int):
    at, batch = window(IDS, np.array([first, 8]), np.array([5, 2]))
    assert at[:, 0].tolist() == [1, 2, 3, 5, 6]
    assert at[:2, 1].tolist() == [8, 9]
    assert batch.inputs.T.tolist() == [[1, 5, 4, 1, 3], [1, 6, 0, 0, 0]]
    assert batch.targets.T.tolist() == [[5, 4, 2, 3, 2], [6, 7, 0, 0, 0]]
    assert batch.mask.sum(axis=0).tolist() == [5, 2]
    assert not batch.continues


def test_a_window_may_end_with_the_text():
    at, batch = window(IDS, np.array([10, 12]), np.array([2, 0]), continues=True)
    assert at[:, 0].tolist() == [10, 11]
    assert batch.targets.T.tolist() == [[8, 2], [0, 0]]
    assert batch.continues
