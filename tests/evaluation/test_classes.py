"""Measures of classes: by hand, and as scikit-learn has them."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.evaluation.classes import ClassCounts


def test_by_hand():
    counts = ClassCounts(4)
    counts.add([0, 0, 1], [0, 1, 1])
    counts.add([[1, 2, -1]], [[1, 0, 0]])
    assert (counts.total, counts.unseen) == (6, 1)
    assert counts.accuracy == 3 / 6
    np.testing.assert_array_equal(
        counts.confusion, [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    )
    np.testing.assert_allclose(counts.precision, [1 / 3, 2 / 3, 0, 0])
    np.testing.assert_allclose(counts.recall, [1 / 2, 1, 0, 0])
    np.testing.assert_allclose(counts.f1, [0.4, 0.8, 0, 0])
    # Class 3 does not occur; the class that is not known does.
    assert counts.macro_f1 == pytest.approx((0.4 + 0.8 + 0 + 0) / 4)


def test_nothing_is_divided_by_zero():
    counts = ClassCounts(3)
    assert (counts.total, counts.accuracy, counts.macro_f1) == (0, 0, 0)
    assert not counts.f1.any()
    counts.add([], [])
    assert counts.total == 0


def test_classes_that_there_are_not():
    for true, predicted in (([3], [0]), ([-2], [0]), ([0], [-1]), ([0], [3])):
        with pytest.raises(ValueError, match="below 3"):
            ClassCounts(3).add(true, predicted)


def test_ten_thousand_classes():
    counts = ClassCounts(10_000)
    counts.add([9999, 5], [9999, 6])
    assert counts.accuracy == 0.5
    assert counts.macro_f1 == pytest.approx(1 / 3)
    with pytest.raises(RnnlmError, match="10,000 classes, too many"):
        counts.confusion  # noqa: B018


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_as_scikit_learn(pairs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metrics = pytest.importorskip("sklearn.metrics")
    true, predicted = np.array(pairs).T
    counts = ClassCounts(5)
    counts.add(true, predicted)
    assert counts.accuracy == pytest.approx(metrics.accuracy_score(true, predicted))
    assert counts.macro_f1 == pytest.approx(metrics.f1_score(true, predicted, average="macro", zero_division=0))
    matrix = metrics.confusion_matrix(true, predicted, labels=[0, 1, 2, 3, 4, -1])
    np.testing.assert_array_equal(counts.confusion, matrix[:, :5])
    each = metrics.precision_recall_fscore_support(true, predicted, labels=range(5), zero_division=0)
    for ours, theirs in zip((counts.precision, counts.recall, counts.f1), each[:3], strict=True):
        np.testing.assert_allclose(ours, theirs)
