"""What is measured in shares adds up to what is measured at once."""

import operator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

import rnnlm
from rnnlm.evaluation.perplexity import Evaluation, LabelSums
from rnnlm.evaluation.shares import Share


@pytest.mark.parametrize("run", ["word_run", "char_run", "label_run", "tag_run", "translator_run", "series_run"])
@pytest.mark.parametrize("number", [2, 3, 40])
def test_shares_add_up(run: str, number: int, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(run)
    model: Any = rnnlm.load(path)
    split = model.open(model.config.data.path).split("valid")
    whole = model.evaluate(split)
    added = reduce(operator.add, [model.evaluate(split, share=Share(k, number)) for k in range(number)])
    assert added.cross_entropy == pytest.approx(whole.cross_entropy, rel=1e-6)
    assert added.measures() == pytest.approx(whole.measures())
    found, expected = added.to_dict(), whole.to_dict()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), name


def test_labels_of_texts_add_up() -> None:
    one = Evaluation(3.0, 2, 1.0, 1, 9, {"a": LabelSums(1.0, 1), None: LabelSums(2.0, 1)})
    other = Evaluation(5.0, 4, 0.5, 1, 9, {"b": LabelSums(4.0, 3), None: LabelSums(1.0, 1)})
    labels = {"a": LabelSums(1.0, 1), None: LabelSums(3.0, 2), "b": LabelSums(4.0, 3)}
    assert one + other == Evaluation(8.0, 6, 1.5, 2, 9, labels)
