"""How classifiers, taggers and translators read."""

from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.batches import LONGEST_WINDOW
from rnnlm.inspect import reading as reading_module
from rnnlm.inspect.kinds import read, readable
from rnnlm.inspect.reading import Document
from rnnlm.models.classifier import Classifier
from rnnlm.models.forecaster import Forecaster
from rnnlm.models.tagger import Tagger
from rnnlm.models.translator import Translator


def test_a_classifier_answers_after_every_token(label_run: Path) -> None:
    model = Classifier.load(label_run)
    reading = read(model, [Document("there is an old oak"), Document(""), Document("a flint")])
    words = [*["there", "is", "an", "old", "oak"], "SENTENCE_END", "a", "flint", "SENTENCE_END"]
    assert [token.text for token in reading.tokens] == words
    assert [k for k, token in enumerate(reading.tokens) if token.begins == "text"] == [0, 6]
    for first, last in ((0, 6), (6, 9)):
        ids = model.vocabulary.encode(words[first : last - 1], end=True)
        [whole] = model.predict([" ".join(words[first : last - 1])])
        assert {token.label for token in reading.tokens[first:last]} == {f"label {whole.label}"}
        for k in range(first, last):
            [log_probs] = model.log_probs([ids[: k - first + 1]])
            expected = log_probs[model.vocabulary.labels.index(str(whole.label))]
            np.testing.assert_allclose(reading.predictions.log_probs[k], expected, atol=1e-5)
        # After the last token it says what it says of the text.
        likeliest = [model.answers[i] for i in reading.predictions.likeliest[last - 1]]
        assert likeliest == list(whole.probabilities)
        np.testing.assert_allclose(
            reading.predictions.probabilities[last - 1], list(whole.probabilities.values()), atol=1e-5
        )
        model.log_probs([ids])
        for name, values in model.network.stack.layers[0].activations().items():
            np.testing.assert_allclose(reading.layers[0].parts[name][first:last], values[:, 0], atol=1e-6)
    assert reading.layers[0].read.all()


def test_a_classifier_is_measured_by_the_label_that_is_known(label_run: Path) -> None:
    model = Classifier.load(label_run)
    reading = read(model, [Document("there is an old oak", "stone")])
    [log_probs] = model.log_probs([model.vocabulary.encode(["there", "is", "an", "old", "oak"], end=True)])
    expected = log_probs[model.vocabulary.labels.index("stone")]
    assert reading.predictions.log_probs[-1] == pytest.approx(expected, abs=1e-5)
    assert {token.label for token in reading.tokens} == {"label stone"}


def test_a_tagger_answers_at_every_token(tag_run: Path) -> None:
    model = Tagger.load(tag_run)
    texts = ["The old cat sees Name7", "", " ".join(["the", "owl", "hears"] * 400)]
    reading = read(model, [Document(text) for text in texts])
    [first, _, long] = model.predict(texts)
    assert [token.text for token in reading.tokens] == [*first.tokens, *long.tokens]
    assert [token.label for token in reading.tokens] == [f"tag {tag}" for tag in (*first.tags, *long.tags)]
    parts = [first.tokens, long.tokens[:LONGEST_WINDOW], long.tokens[LONGEST_WINDOW:]]
    place = 0
    for tokens in parts:
        log_probs = model.log_probs(tokens)
        places = slice(place, place + len(tokens))
        tags = [model.tags.names.index(str(token.label).split()[1]) for token in reading.tokens[places]]
        np.testing.assert_allclose(
            reading.predictions.log_probs[places], log_probs[np.arange(len(tags)), tags], atol=1e-5
        )
        for name, values in model.network.stack.layers[0].activations().items():
            np.testing.assert_allclose(reading.layers[0].parts[name][places], values[:, 0], atol=1e-6)
        place += len(tokens)


def test_a_translator_predicts_what_it_writes(translator_run: Path) -> None:
    model = Translator.load(translator_run)
    reading = read(model, [Document("eins zwei"), Document("unbekannt")])
    [first, second] = model.predict(["eins zwei", "unbekannt"])
    end = "SENTENCE_END"
    assert [token.text for token in reading.tokens] == [
        *("eins", "zwei", end, *first.tokens, end, "unbekannt", end, *second.tokens, end)
    ]
    assert reading.tokens[3].begins == "sentence"
    is_source = [True] * 3 + [False] * (len(first.tokens) + 1) + [True] * 2 + [False] * (len(second.tokens) + 1)
    assert (reading.predictions.ranks == 0).tolist() == is_source
    of_first = reading.predictions.log_probs[3 : 4 + len(first.tokens)]
    assert of_first.sum() == pytest.approx(first.log_prob, abs=1e-4)
    encoder, decoder = reading.layers
    assert (encoder.name, decoder.name) == ("encoder, layer 1", "decoder, layer 1")
    assert encoder.read.tolist() == is_source
    ends = [k for k, token in enumerate(reading.tokens) if token.role == "end" and not is_source[k]]
    assert decoder.read.tolist() == [not source and k not in ends for k, source in enumerate(is_source)]
    assert [alignment.source for alignment in reading.alignments] == [
        ["eins", "zwei", end],
        ["UNKNOWN_TOKEN", end],
    ]
    np.testing.assert_array_equal(reading.alignments[0].weights, model.align("eins zwei").weights)


def test_long_texts_are_cut(
    label_run: Path, tag_run: Path, translator_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "MOST_TOKENS", 7)
    cut = read(Classifier.load(label_run), [Document("a very old oak")] * 3)
    assert [token.text for token in cut.tokens] == ["a", "very", "old", "oak", "SENTENCE_END", "a", "very"]
    assert not cut.is_whole
    cut = read(Tagger.load(tag_run), [Document("the owl sees the old cat")] * 3)
    assert len(cut.tokens) == 7
    assert not cut.is_whole
    cut = read(Translator.load(translator_run), [Document("eins")] * 9)
    assert 0 < len(cut.tokens) <= 7
    assert not cut.is_whole


def test_a_forecaster_reads_no_text(series_run: Path) -> None:
    from rnnlm.errors import RnnlmError

    with pytest.raises(RnnlmError, match="forecaster reads no text"):
        readable(Forecaster.load(series_run))
