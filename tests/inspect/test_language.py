from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.inspect import reading as reading_module
from rnnlm.inspect.kinds import read
from rnnlm.inspect.reading import Document, Reading
from rnnlm.models.language_model import LanguageModel

TEXT = "The dog sees the old owl at night.\nThe cat likes Name6."


def check_against_log_probs(reading: Reading, first: int, log_probs: np.ndarray, ids: list[int]) -> None:
    """Compare what was predicted from token `first` on with the rows of all log-probabilities (T, V)."""
    predictions = reading.predictions
    places = slice(first, first + len(ids))
    came = log_probs[np.arange(len(ids)), ids]
    np.testing.assert_allclose(predictions.log_probs[places], came, atol=1e-5)
    np.testing.assert_allclose(predictions.surprises[places], -np.log2(np.exp(came)), atol=1e-4)
    for k, row in enumerate(log_probs, start=first):
        order = np.argsort(-row)[: predictions.likeliest.shape[1]]
        np.testing.assert_allclose(predictions.probabilities[k], np.exp(row[order]), atol=1e-6)
        np.testing.assert_allclose(row[predictions.likeliest[k]], row[order], atol=1e-5)
        assert predictions.ranks[k] == np.count_nonzero(row > came[k - first] + 1e-6) + 1


def test_a_stream_of_characters_is_read_as_one(char_model: LanguageModel) -> None:
    vocabulary = char_model.vocabulary
    reading = read(char_model, [Document(TEXT), Document("An owl.")])
    assert "".join(token.text for token in reading.tokens) == f"{TEXT}SENTENCE_ENDAn owl.SENTENCE_END"
    assert [token.begins for token in reading.tokens if token.begins] == ["text", "text"]
    texts = [vocabulary.encode(list(text)) for text in (TEXT, "An owl.")]
    read_ids = [vocabulary.start_id, *texts[0], vocabulary.start_id, *texts[1]]
    came = [*texts[0], vocabulary.end_id, *texts[1], vocabulary.end_id]
    check_against_log_probs(reading, 0, char_model.log_probs(read_ids), came)


def test_sentences_of_words_are_read_from_the_zero_state(word_model: LanguageModel) -> None:
    vocabulary = word_model.vocabulary
    reading = read(word_model, [Document("The dog sees the cat."), Document("the CAT likes zebras")])
    roles = [(token.text, token.role, token.space, token.begins) for token in reading.tokens]
    assert roles == [
        ("the", "word", False, "text"),
        *((word, "word", True, "") for word in ["dog", "sees", "the", "cat", "."]),
        ("SENTENCE_END", "end", False, ""),
        ("the", "word", False, "text"),
        ("cat", "word", True, ""),
        ("likes", "word", True, ""),
        ("zebras", "unknown", True, ""),
        ("SENTENCE_END", "end", False, ""),
    ]
    first = 0
    for words in (["the", "dog", "sees", "the", "cat", "."], ["the", "cat", "likes", "zebras"]):
        ids = vocabulary.encode(words, end=True)
        log_probs = word_model.log_probs(vocabulary.encode(words, start=True))
        check_against_log_probs(reading, first, log_probs, ids)
        first += len(ids)
    of_text = word_model.score("The dog sees the cat.")
    np.testing.assert_allclose(reading.predictions.log_probs[:7].sum(), of_text.log_prob, rtol=1e-5)


def test_the_values_of_units_are_those_of_the_layers(char_model: LanguageModel) -> None:
    vocabulary, network = char_model.vocabulary, char_model.network
    long = (TEXT + "\n") * 5  # of several windows
    reading = read(char_model, [Document(long)])
    ids = [vocabulary.start_id, *vocabulary.encode(list(long))]
    network.forward(np.array(ids)[:, None], network.initial_state(1))
    assert [layer.name for layer in reading.layers] == ["layer 1", "layer 2"]
    for of_reading, layer in zip(reading.layers, network.stack.layers, strict=True):
        assert of_reading.read.tolist() == [True] * len(long) + [False]  # the end is not read
        activations = layer.activations()
        assert of_reading.parts.keys() == activations.keys()
        for name, values in activations.items():
            np.testing.assert_allclose(of_reading.parts[name][:-1], values[1:, 0], atol=1e-6)


def test_a_long_text_is_cut(word_model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [Document("The dog sees the cat.")] * 3
    whole = read(word_model, documents)
    assert (len(whole.tokens), whole.is_whole) == (21, True)
    monkeypatch.setattr(reading_module, "MOST_TOKENS", 10)
    cut = read(word_model, documents)
    assert cut.tokens == whole.tokens[:10]
    assert not cut.is_whole
    np.testing.assert_allclose(cut.predictions.log_probs, whole.predictions.log_probs[:10], atol=1e-6)
    assert cut.layers[0].read.tolist() == [*whole.layers[0].read[:9].tolist(), False]  # nothing follows the last
    # So is that of a network with many units.
    monkeypatch.setattr(reading_module, "MOST_VALUES", 12 * 9)
    assert len(read(word_model, documents).tokens) == 9


@pytest.mark.parametrize("documents", [[], [Document("")], [Document(" \n"), Document("")]])
def test_a_text_without_tokens_is_refused(word_model: LanguageModel, documents: list[Document]) -> None:
    with pytest.raises(RnnlmError, match="no tokens"):
        read(word_model, documents)


def test_the_installed_model_reads(tmp_path: Path) -> None:
    from rnnlm.resources import MODEL

    reading = read(LanguageModel.load(MODEL), [Document("I think that you are right. Why not?")])
    assert reading.bits is not None
    assert 0 < reading.bits < 20
    assert [token.begins for token in reading.tokens].count("sentence") == 1
