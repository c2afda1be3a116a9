"""How well classes are told: accuracy, macro F1, precision and recall of each, the confusion matrix."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.errors import RnnlmError

MOST_IN_MATRIX = 1000
"""Classes beyond which there is no confusion matrix: it would take too much memory, and nobody would read it."""


class ClassCounts:
    """Counts true and predicted classes; batches of them add up.

    Parameters
    ----------
    num_classes
        K; classes are numbered from 0. The true class -1 is one that no training text had, which is never right.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._true = np.zeros(num_classes + 1, np.int64)  # the last is for those that are not known
        self._predicted = np.zeros(num_classes, np.int64)
        self._correct = np.zeros(num_classes, np.int64)
        has_matrix = num_classes <= MOST_IN_MATRIX
        self._matrix = np.zeros((num_classes + 1, num_classes), np.int64) if has_matrix else None

    def add(self, true: ArrayLike, predicted: ArrayLike) -> None:
        """Count predictions, of any shape: the true classes, from -1, and those predicted, from 0."""
        true, predicted = np.ravel(true).astype(np.int64), np.ravel(predicted).astype(np.int64)
        K = self.num_classes
        if np.any((true < -1) | (true >= K) | (predicted < 0) | (predicted >= K)):
            raise ValueError(f"true classes must be from -1 and predicted ones from 0, below {K}")
        self._true += np.bincount(true % (K + 1), minlength=K + 1)
        self._predicted += np.bincount(predicted, minlength=K)
        self._correct += np.bincount(true[true == predicted], minlength=K)
        if self._matrix is not None:
            places = np.bincount(true % (K + 1) * K + predicted, minlength=self._matrix.size)
            self._matrix += places.reshape(self._matrix.shape)

    def __add__(self, other: "ClassCounts") -> "ClassCounts":
        total = ClassCounts(self.num_classes)
        for counts in (self, other):
            total._true += counts._true
            total._predicted += counts._predicted
            total._correct += counts._correct
            if total._matrix is not None and counts._matrix is not None:
                total._matrix += counts._matrix
        return total

    @property
    def total(self) -> int:
        """How many were predicted."""
        return int(self._predicted.sum())

    @property
    def true(self) -> NDArray[np.int64]:
        """How often each class is true, (K,)."""
        return self._true[:-1]

    @property
    def has_confusion(self) -> bool:
        """Whether there is a `confusion` matrix."""
        return self._matrix is not None

    @property
    def unseen(self) -> int:
        """How many have a true class that is not known."""
        return int(self._true[-1])

    @property
    def accuracy(self) -> float:
        """The share of predictions that are right; 0 where there are none."""
        return int(self._correct.sum()) / self.total if self.total else 0.0

    @property
    def precision(self) -> NDArray[np.float64]:
        """For each class the share of its predictions that are right, (K,); 0 where there are none."""
        return _ratio(self._correct, self._predicted)

    @property
    def recall(self) -> NDArray[np.float64]:
        """For each class the share of its true cases that were told, (K,); 0 where there are none."""
        return _ratio(self._correct, self._true[:-1])

    @property
    def f1(self) -> NDArray[np.float64]:
        """For each class the harmonic mean of precision and recall, (K,)."""
        return _ratio(2 * self._correct, self._true[:-1] + self._predicted)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that are true or predicted somewhere; those not known count as one."""
        occurring = int(np.count_nonzero(self._true[:-1] + self._predicted)) + (self.unseen > 0)
        return float(self.f1.sum()) / occurring if occurring else 0.0

    @property
    def confusion(self) -> NDArray[np.int64]:
        """How often a true class (row) was taken for another (column), (K + 1, K).

        The last row is of true classes that are not known. `RnnlmError` is raised if there are more than 1,000.
        """
        if self._matrix is None:
            raise RnnlmError(
                f"There are {self.num_classes:,} classes, too many for a table of which is taken for which."
            )
        return self._matrix


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
