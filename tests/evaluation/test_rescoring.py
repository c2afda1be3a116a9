import math

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.evaluation.rescoring import Hypothesis, best, read_nbest, rescore
from rnnlm.models.language_model import LanguageModel


def test_both_formats_are_read_and_blank_lines_passed_over():
    lines = [
        "u1 the  cat",
        "u1\tthe dog ",
        "",
        "u2",
        " \t",
        "3 ||| a b ||| d: -1 lm: -2 ||| -4.5",
        "3 ||| a ",
        "3 |||  ||| -1",
    ]
    assert list(read_nbest(lines, "file")) == [
        Hypothesis("u1", "the cat", 0),
        Hypothesis("u1", "the dog", 0),
        Hypothesis("u2", "", 0),
        Hypothesis("3", "a b", -4.5),
        Hypothesis("3", "a", 0),
        Hypothesis("3", "", -1),
    ]


@pytest.mark.parametrize("line", ["||| a ||| 1", "1 ||| a ||| b", "1 ||| a ||| nan", "1 ||| a ||| "])
def test_other_lines_are_refused(line: str):
    with pytest.raises(RnnlmError, match="file, line 2: it is not a hypothesis; write"):
        list(read_nbest(["1 a", line], "file"))


@pytest.mark.parametrize("weight", [1.0, 0.3, 0.0])
def test_the_best_is_that_of_trying_all(word_model: LanguageModel, sentences: list[str], weight: float):
    hypotheses = [
        Hypothesis(str(number // 5), sentence, -(number * 7 % 11) / 4) for number, sentence in enumerate(sentences)
    ]
    expected = []
    for first in range(0, len(hypotheses), 5):
        totals = [
            each.score + weight * word_model.score(each.text).log_prob / math.log(10)
            for each in hypotheses[first : first + 5]
        ]
        expected.append(hypotheses[first + totals.index(max(totals))])
    chosen = list(best(rescore(word_model.scorer, hypotheses, weight=weight)))
    assert [each.hypothesis for each in chosen] == expected
    if weight == 0:
        assert [each.total for each in chosen] == [each.score for each in expected]


def test_a_hypothesis_is_one_sentence_even_if_empty(word_model: LanguageModel):
    [empty] = rescore(word_model.scorer, [Hypothesis("1", "", 0)])
    assert empty.log10_prob == pytest.approx(word_model.log_probs([1])[0, 2] / math.log(10), abs=1e-5)
