import itertools

import numpy as np
import pytest

from rnnlm.evaluation.well_formed import WellFormed
from rnnlm.text.tags import Tags

WORDS = Tags(["S", "B", "E", "M"], [1] * 4, segmented=True)
SPANS = Tags(["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "E-Y"], [1] * 7)


def is_well_formed(names: list[str]) -> bool:
    """Read tags one after the other: whether an open span goes on, and whether it is closed at the end."""
    open_kind = None
    for name in names:
        role, _, kind = name.partition("-")
        if (role in "IME") != (open_kind is not None) or (open_kind is not None and kind != open_kind):
            return False
        open_kind = kind if role in "BIM" else None
    return open_kind is None


@pytest.mark.parametrize("tags", [WORDS, SPANS], ids=["words", "spans"])
def test_the_most_likely_sequence_is_that_of_all_which_fit(tags: Tags):
    rng = np.random.default_rng(0)
    lengths = np.array([4, 1, 3, 2])
    log_probs = np.log(rng.dirichlet(np.full(len(tags), 0.5), (4, len(lengths))))
    found = WellFormed(tags).most_likely(log_probs, lengths)
    differs = 0
    for column, length in enumerate(lengths):
        scores = log_probs[:length, column]
        sequences = [
            each
            for each in itertools.product(range(len(tags)), repeat=length)
            if is_well_formed([tags.names[k] for k in each])
        ]
        best = max(sequences, key=lambda each: sum(scores[t, k] for t, k in enumerate(each)))
        assert tuple(found[:length, column]) == best
        differs += best != tuple(scores.argmax(axis=1))
    assert differs


@pytest.mark.parametrize("names", [["NOUN", "VERB"], ["O", "B-X", "I-X"], ["O", "I-X"]])
def test_other_tags_follow_one_another_as_they_like(names: list[str]):
    log_probs = np.log(np.random.default_rng(0).dirichlet(np.ones(len(names)), (5, 2)))
    found = WellFormed(Tags(names, [1] * len(names))).most_likely(log_probs, np.array([5, 3]))
    np.testing.assert_array_equal(found, log_probs.argmax(axis=2))


def test_where_nothing_fits_there_is_an_answer_still():
    found = WellFormed(Tags(["B", "E"], [1, 1], segmented=True)).most_likely(np.zeros((1, 1, 2)), np.array([1]))
    assert found.shape == (1, 1)
