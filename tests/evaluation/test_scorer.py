import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.interpolation import Interpolation
from rnnlm.evaluation.scoring import dynamic_losses, readings, split_losses
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.arrays import Floats, Ids


def test_an_empty_split_is_refused_by_name(word_model: LanguageModel, word_data: Dataset):
    empty = type(word_data.test)("valid", word_data.test.ids[:0], word_data.test.offsets[:1], 0, 0)
    with pytest.raises(RnnlmError, match="The valid split of the dataset is empty"):
        word_model.evaluate(empty)


TEXTS = ["The cat sees a Zebra.", "", "A hen.", "the dog likes the cat by the river", "owl"]


@pytest.mark.parametrize("name", ["word_model", "char_model"])
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_scores_are_those_of_each_text_in_order(name: str, batch_size: int, request: pytest.FixtureRequest):
    model: LanguageModel = request.getfixturevalue(name)
    scores = list(model.scorer.scores(TEXTS, batch_size=batch_size))
    assert len(scores) == len(TEXTS)
    for text, score in zip(TEXTS, scores, strict=True):
        if not text:
            assert (score.log_prob, score.tokens, score.unknown_tokens, score.perplexity) == (0, [], 0, None)
            continue
        alone = model.score(text)
        assert [token for token, _ in score.tokens] == [token for token, _ in alone.tokens]
        assert [p for _, p in score.tokens] == pytest.approx([p for _, p in alone.tokens], abs=1e-4)
        assert score.log_prob == pytest.approx(alone.log_prob, abs=1e-3)
        assert score.unknown_tokens == len(model.writer.seed_text(text).unknown_words)


def test_texts_are_read_when_they_are_needed(word_model: LanguageModel):
    taken = []

    def texts() -> Iterator[str]:
        for text in itertools.cycle(TEXTS):
            taken.append(text)
            yield text

    scores = word_model.scorer.scores(texts(), batch_size=2)
    next(scores)
    assert taken == TEXTS[:2]


def test_a_text_may_be_taken_for_one_sentence(word_model: LanguageModel):
    empty, sentence = word_model.scorer.scores(["", "the cat"], one_sentence=True)
    assert [token for token, _ in empty.tokens] == ["SENTENCE_END"]
    assert empty.log_prob == pytest.approx(float(word_model.log_probs([1])[0, 2]), abs=1e-5)
    assert sentence.log_prob == pytest.approx(word_model.score("the cat").log_prob, abs=1e-4)


class Certain:
    """A model that gives every token the probability 1."""

    def of_text(self, ids: Ids) -> Callable[[Ids], Floats]:
        return lambda at: np.zeros(len(at))


def test_scores_and_evaluations_are_mixed_with_another_model(word_model: LanguageModel, word_data: Dataset):
    mixture = Interpolation(Certain(), 0.25)
    [mixed] = word_model.scorer.scores(["the cat sees"], interpolation=mixture)
    alone = word_model.score("the cat sees")
    expected = [math.log(0.25 * math.exp(p) + 0.75) for _, p in alone.tokens]
    assert [p for _, p in mixed.tokens] == pytest.approx(expected, abs=1e-5)
    split = word_data.test
    nats = word_model.evaluate(split, interpolation=mixture).nats
    windows = split_losses(word_model.network, split, carries_state=False)
    probabilities = np.exp(-np.concatenate([each for _, each in windows]).astype(float))
    assert nats == pytest.approx(-np.log(0.25 * probabilities + 0.75).sum(), rel=1e-5)
    assert word_model.scorer.fit_weight(Certain(), split) < 1e-4


def test_a_model_that_overflows_gets_no_weight(word_run: Path, word_data: Dataset):
    model = LanguageModel.load(word_run)
    model.network.parameters["output.weight"][...] = np.inf
    with pytest.raises(RnnlmError, match="its probabilities are not finite numbers"):
        model.scorer.fit_weight(Certain(), word_data.valid)
    with pytest.raises(RnnlmError, match="its probabilities are not finite numbers"):
        list(model.scorer.scores(TEXTS))


@pytest.mark.parametrize("rate", [0.1, 1e39])
def test_a_model_is_the_same_after_dynamic_evaluation(word_run: Path, word_data: Dataset, rate: float):
    model = LanguageModel.load(word_run)
    before = {name: value.copy() for name, value in model.network.parameters.items()}
    if rate > 1:
        with pytest.raises(RnnlmError, match="diverged"):
            model.evaluate(word_data.test, dynamic=rate)
    else:
        learned = model.evaluate(word_data.test, dynamic=rate)
        ids = word_data.test.ids
        other = LanguageModel.load(word_run).network
        windows = dynamic_losses(other, ids, readings(ids, carries_state=False), rate, 35)
        assert learned.nats == pytest.approx(sum(nats.sum() for _, nats in windows), rel=1e-6)
        assert learned.nats != pytest.approx(model.evaluate(word_data.test).nats, rel=1e-2)
    for name, value in model.network.parameters.items():
        assert np.array_equal(value, before[name])
