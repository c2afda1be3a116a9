import math

import pytest

from rnnlm.evaluation.translations import TranslationEvaluation


def test_the_measures_are_those_of_a_token() -> None:
    evaluation = TranslationEvaluation(nats=6.0, tokens=3, examples=2)
    assert evaluation.cross_entropy == 2
    assert evaluation.perplexity == pytest.approx(math.exp(2))
    assert evaluation.measures() == {}  # the loss decides
    assert evaluation.to_dict() == {
        "perplexity": pytest.approx(math.exp(2)),
        "bleu": None,
        "examples": 2,
        "cross_entropy": 2,
        "tokens": 3,
    }
