import numpy as np
import pytest

from rnnlm.evaluation.answers import ClassEvaluation, TagEvaluation
from rnnlm.nn.arrays import Floats
from rnnlm.text.tags import Tags


def certain(answers: list[int], size: int, probability: float = 0.8) -> Floats:
    """Return log-probabilities of which each row has most for one answer."""
    rows = np.full((len(answers), size), (1 - probability) / (size - 1))
    rows[np.arange(len(answers)), answers] = probability
    return np.log(rows)


def test_a_classifier_by_hand():
    evaluation = ClassEvaluation(["a", "b", "c"])
    evaluation.add(certain([0, 0, 1], 3), np.array([0, 1, 1]))
    evaluation.add(certain([2], 3), np.array([-1]))  # of this label nothing is known
    assert evaluation.cross_entropy == pytest.approx(-(2 * np.log(0.8) + np.log(0.1)) / 3)
    result = evaluation.to_dict()
    assert (result["accuracy"], result["examples"], result["unknown_labels"]) == (2 / 4, 4, 1)
    assert result["labels"]["b"] == pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "examples": 2})
    assert result["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert next(iter(evaluation.measures())) == "accuracy"


def test_a_tagger_by_hand():
    evaluation = TagEvaluation(Tags(["O", "B-X", "I-X"], [3, 2, 1]))
    truth = np.array([[1, 0], [2, 1], [0, 0], [0, 0]])  # the second sentence has two tokens
    answers = np.array([[1, 0], [0, 1], [0, 2], [2, 2]])
    log_probs = certain(answers.ravel().tolist(), 3).reshape(4, 2, 3)
    evaluation.add(log_probs, answers, truth, np.array([4, 2]))
    assert evaluation.spans is not None
    assert (evaluation.spans.true, evaluation.spans.predicted, evaluation.spans.correct) == (2, 3, 1)
    result = evaluation.to_dict()
    assert (result["tokens"], result["accuracy"]) == (6, pytest.approx(4 / 6))
    assert (result["precision"], result["recall"], result["f1"]) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert evaluation.cross_entropy == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6)
    assert next(iter(evaluation.measures())) == "f1"


def test_tags_that_mark_no_spans_are_counted_alone():
    evaluation = TagEvaluation(Tags(["NOUN", "VERB"], [1, 1]))
    evaluation.add(certain([0, 1], 2)[:, None], np.array([[0], [1]]), np.array([[0], [-1]]), np.array([2]))
    assert evaluation.measures() == {"accuracy": 1 / 2}
    assert evaluation.to_dict()["unknown_tags"] == 1
