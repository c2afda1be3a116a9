import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.config import Config
from rnnlm.dataset.batches import LONGEST_WINDOW
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models.classifier import Classifier
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def data(label_dataset: Path) -> Dataset:
    return Dataset.open(label_dataset)


@pytest.fixture(scope="session")
def model(label_run: Path) -> Classifier:
    return Classifier.load(label_run)


TEXTS = ["there is a very old cat", "old elm", "a flint there"]


def test_it_learns_what_can_be_learned(model: Classifier, data: Dataset):
    evaluation = model.evaluate(data.test)
    assert evaluation.measures()["accuracy"] == 1
    assert evaluation.counts.total == data.test.num_sentences
    assert [answer.label for answer in model.predict(TEXTS)] == ["animal", "plant", "stone"]


def test_answers_do_not_depend_on_the_texts_beside(model: Classifier):
    together = list(model.predict([*TEXTS, "a " * 50]))
    for text, answer in zip(TEXTS, together, strict=False):
        [alone] = model.predict([text])
        assert alone.label == answer.label
        assert list(alone.probabilities.values()) == pytest.approx(list(answer.probabilities.values()), abs=1e-6)
        assert alone.probability == max(alone.probabilities.values()) == next(iter(alone.probabilities.values()))
        assert sum(alone.probabilities.values()) == pytest.approx(1)
        assert alone.probabilities.keys() == set(model.vocabulary.labels)


def test_evaluating_is_predicting(model: Classifier, data: Dataset):
    texts = [" ".join(model.vocabulary.decode(ids[1:-1])) for ids in map(data.test.sentence, range(5))]
    labels = [data.test.sentence(i)[0] - model.vocabulary.first_label_id for i in range(5)]
    offsets = data.test.offsets[:6]
    few = replace(data.test, ids=data.test.ids[: int(offsets[-1])], offsets=offsets)
    evaluation = model.evaluate(few)
    answers = list(model.predict(texts))
    nats = -np.log([a.probabilities[model.vocabulary.labels[k]] for a, k in zip(answers, labels, strict=True)])
    assert evaluation.cross_entropy == pytest.approx(nats.mean(), rel=1e-4)


def test_a_text_without_tokens_has_no_label(model: Classifier):
    answers = list(model.predict(["", "old cat", "  "]))
    assert [answer.label for answer in answers] == [None, "animal", None]
    assert (str(answers[0]), answers[0].probabilities) == ("", {})
    assert list(model.predict([])) == []


def test_a_long_text_is_read_at_its_beginning(model: Classifier):
    long = " ".join(["a"] * (LONGEST_WINDOW - 1))
    [first], [cut] = model.predict([f"cat {long}"]), model.predict([f"cat {long} elm elm"])
    assert first == cut


def test_texts_are_read_as_they_are_needed(model: Classifier):
    def texts() -> Iterator[str]:
        yield from ["old cat"] * 64
        raise AssertionError("read too far")

    answers = model.predict(texts())
    assert next(answers).label == "animal"
    with pytest.raises(RnnlmError, match="A text must be a string, not 3"):
        list(model.predict([3]))  # type: ignore[list-item]


def test_a_label_that_the_model_does_not_know_is_an_error(model: Classifier, data: Dataset):
    ids = np.array(data.test.ids)
    ids[data.test.offsets[:10].astype(int)] = Vocabulary.start_id
    evaluation = model.evaluate(replace(data.test, ids=ids))
    total = data.test.num_sentences
    assert evaluation.counts.accuracy == pytest.approx((total - 10) / total)
    assert evaluation.to_dict()["unknown_labels"] == 10
    assert evaluation.cross_entropy < 0.1  # of the labels that it knows


def test_a_preview_shows_a_text_and_its_label(model: Classifier, data: Dataset):
    shown = {model.preview(data.valid, np.random.default_rng(seed), 2) for seed in range(20)}
    assert len(shown) > 5
    assert any(" … -> animal (" in text for text in shown)


def test_a_dataset_without_labels_or_with_one_is_refused(word_data: Dataset, data: Dataset):
    config = Config.model_validate({"task": {"name": "classify"}})
    with pytest.raises(RnnlmError, match="its texts have no labels; preprocess them with `label_column`"):
        Classifier.create(config, word_data)
    old = data.vocabulary
    one = Vocabulary(old.tokens[: old.first_label_id], old.counts[: old.first_label_id], old.settings)
    with pytest.raises(RnnlmError, match="all its texts have the label 'animal', so there is nothing to learn"):
        Classifier.create(config, replace(data, vocabulary=one.with_labels({"animal": 3})))


def test_a_model_is_loaded_as_what_it_is(label_run: Path, word_run: Path):
    assert isinstance(rnnlm.load(label_run), Classifier)
    assert isinstance(rnnlm.load(word_run), LanguageModel)
    with pytest.raises(RnnlmError, match="its task is classify, so it is not a language model"):
        LanguageModel.load(label_run)
    with pytest.raises(RnnlmError, match="its task is language_model, so it is not a classifier"):
        Classifier.load(word_run)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_ten_thousand_labels(data: Dataset, pooling: str):
    old = data.vocabulary
    plain = Vocabulary(old.tokens[: old.first_label_id], old.counts[: old.first_label_id], old.settings)
    many = plain.with_labels({f"label {k}": 1 for k in range(10_000)})
    config = Config.model_validate({"task": {"name": "classify", "pooling": pooling}, "model": {"hidden_size": 3}})
    classifier = Classifier.create(config, replace(data, vocabulary=many))
    [answer] = classifier.predict(["old cat"])
    assert len(answer.probabilities) == 10_000
    assert json.loads(json.dumps(answer.to_dict()))["label"] == answer.label


def test_guessing_is_as_good_as_the_most_frequent_label(label_run: Path, label_dataset: Path):
    model, train = Classifier.load(label_run), Dataset.open(label_dataset).train
    firsts, counts = np.unique(train.ids[train.offsets[:-1]], return_counts=True)
    assert firsts.min() >= model.vocabulary.first_label_id
    assert model.guessing_loss == pytest.approx(math.log(3))
    assert model.guessing_accuracy == counts.max() / counts.sum() > 1 / 3
