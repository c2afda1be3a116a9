import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnnlm.config import TrainingConfig
from rnnlm.dataset.batches import SentenceBatches, StreamBatches
from rnnlm.dataset.building.text_split import text_split
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.processor import TextSettings
from rnnlm.text.sentences import train_punkt
from rnnlm.text.vocabulary import Vocabulary


def test_log_probs_has_a_normalised_row_for_each_id(word_model: LanguageModel):
    log_probs = word_model.log_probs([1, 5, 4])
    assert log_probs.shape == (3, len(word_model.vocabulary))
    assert np.exp(log_probs.astype(float)).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_log_probs_of_a_row_depends_on_the_ids_before_it_only(char_model: LanguageModel):
    ids = [1, 7, 5, 9, 4]
    whole = char_model.log_probs(ids)
    for length in range(1, 5):
        assert char_model.log_probs(ids[:length]) == pytest.approx(whole[:length], abs=1e-5)
    assert not np.allclose(char_model.log_probs([1, 3, 5, 9, 4])[1:], whole[1:], atol=1e-3)


def test_log_probs_is_the_published_network(word_model: LanguageModel):
    U, W, V = (
        word_model.network.parameters[name].astype(float)
        for name in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "output.weight")
    )
    state = np.zeros(len(W))
    for index, row in zip([1, 6, 3, 8], word_model.log_probs([1, 6, 3, 8]), strict=True):
        state = np.tanh(U[:, index] + W @ state)
        logits = V @ state
        assert row == pytest.approx(logits - np.log(np.exp(logits).sum()), abs=1e-5)


@pytest.mark.parametrize(("text", "tokens"), [("", []), ("The cat", ["the", "cat"]), ("zebra", ["zebra"])])
def test_log_probs_after_a_beginning_are_those_that_texts_are_written_with(
    word_model: LanguageModel, text: str, tokens: list[str]
):
    vocabulary = word_model.vocabulary
    row = word_model.log_probs(vocabulary.encode(tokens, start=True))[-1]
    for token, probability in word_model.writer.next_tokens(text, len(vocabulary), allow_unknown=True):
        assert np.exp(float(row[vocabulary.tokens.index(token)])) == pytest.approx(probability, rel=1e-4)


def test_log_probs_takes_a_batch_of_one_and_arrays(word_model: LanguageModel):
    expected = word_model.log_probs([1, 5])
    assert np.array_equal(word_model.log_probs([[1, 5]]), expected)  # type: ignore[list-item]
    assert np.array_equal(word_model.log_probs(np.array([1, 5], np.uint8)), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ids", [[], [[]], [1.5], ["the"], 3, [[1, 2], [1, 2]], [[1, 2], [1]], [None], [2**80], [True]]
)
def test_log_probs_refuses_what_is_no_sequence_of_ids(word_model: LanguageModel, ids: list[int]):
    with pytest.raises(RnnlmError, match="log_probs needs one non-empty sequence of token ids"):
        word_model.log_probs(ids)


def test_log_probs_refuses_ids_outside_the_vocabulary(word_model: LanguageModel):
    size = len(word_model.vocabulary)
    for ids in ([-1], [1, size]):
        with pytest.raises(RnnlmError, match=f"ids go from 0 to {size - 1}"):
            word_model.log_probs(ids)
    word_model.log_probs([size - 1])


def test_score_names_each_predicted_token_with_its_log_probability(word_model: LanguageModel):
    score = word_model.score("The cat sees a Zebra.")
    tokens = ["the", "cat", "sees", "a", "zebra", ".", "SENTENCE_END"]
    assert [token for token, _ in score.tokens] == tokens
    ids = [1, *word_model.vocabulary.encode(tokens[:-1]), 2]
    assert ids[4:6] == [0, 0]
    expected = word_model.log_probs(ids[:-1])[range(7), ids[1:]]
    assert [log_prob for _, log_prob in score.tokens] == pytest.approx(expected.tolist(), abs=1e-5)
    assert score.log_prob == pytest.approx(expected.sum(), abs=1e-4)
    assert score.perplexity == pytest.approx(math.exp(-expected.mean()), rel=1e-4)


def test_a_likely_sentence_scores_above_the_same_words_shuffled(word_model: LanguageModel):
    assert (
        word_model.score("the cat sees the dog .").log_prob > word_model.score("dog the sees . cat the").log_prob
    )


def test_score_of_characters(char_model: LanguageModel):
    score = char_model.score("The cat\n")
    assert [token for token, _ in score.tokens] == [*"The cat\n", "SENTENCE_END"]
    assert char_model.score("the").log_prob != char_model.score("The").log_prob


@pytest.mark.parametrize("batching", ["sentences", "stream"])
def test_the_state_is_carried_from_sentence_to_sentence_as_in_training(word_model: LanguageModel, batching: str):
    vocabulary = word_model.vocabulary
    settings = TextSettings(sentences=True, punkt=train_punkt([]))
    training = TrainingConfig(batching=batching)  # type: ignore[arg-type]
    model = LanguageModel(
        word_model.network,
        Vocabulary(vocabulary.tokens, vocabulary.counts, settings),
        word_model.config.model_copy(update={"training": training}),
    )
    whole = model.score("The cat sees\nThe dog")
    assert [token for token, _ in whole.tokens].count("SENTENCE_END") == 2
    alone = model.score("The cat sees").log_prob + model.score("The dog").log_prob
    if batching == "sentences":
        assert whole.log_prob == pytest.approx(alone, abs=1e-5)
    else:
        ids = [1, *vocabulary.encode(["the", "cat", "sees"]), 1, *vocabulary.encode(["the", "dog"])]
        targets = [*ids[1:4], 2, *ids[5:], 2]
        carried = word_model.log_probs(ids)[range(7), targets].sum()
        assert whole.log_prob == pytest.approx(carried, abs=1e-4)
        assert abs(whole.log_prob - alone) > 1e-2


@pytest.mark.parametrize("text", ["", " \n "])
def test_there_must_be_something_to_score(word_model: LanguageModel, text: str):
    with pytest.raises(RnnlmError, match="no tokens"):
        word_model.score(text)


def test_perplexity_is_over_the_tokens_of_all_texts(word_model: LanguageModel):
    texts = ["the cat sees the dog .", "the owl"]
    scores = [word_model.score(text) for text in texts]
    total = sum(score.log_prob for score in scores)
    assert word_model.perplexity(texts) == pytest.approx(math.exp(-total / (7 + 3)), rel=1e-6)
    assert word_model.perplexity(iter(texts)) == word_model.perplexity(texts)


def test_perplexity_refuses_nothing_and_a_single_string(word_model: LanguageModel):
    with pytest.raises(RnnlmError, match="at least one text"):
        word_model.perplexity([])
    # which would be read as a list of its letters
    with pytest.raises(RnnlmError, match="Texts must be a list"):
        word_model.perplexity("the cat")


def test_evaluation_agrees_with_scores(word_model: LanguageModel, sentences: list[str], tmp_path: Path):
    (tmp_path / "text.txt").write_text("\n".join(sentences))
    with text_split(tmp_path / "text.txt", word_model.vocabulary) as part:
        result = word_model.evaluate(part)
    assert result.perplexity == pytest.approx(word_model.perplexity(sentences), rel=1e-5)
    unknown = [word for sentence in sentences for word in word_model.writer.seed_text(sentence).unknown_words]
    assert result.unknown_tokens == len(unknown) > 0


def test_a_file_of_characters_is_one_document(char_model: LanguageModel, tmp_path: Path):
    text = "The cat sees\nthe dog."
    (tmp_path / "text.txt").write_text(text)
    with text_split(tmp_path / "text.txt", char_model.vocabulary) as part:
        result = char_model.evaluate(part)
    assert result.tokens == result.characters == len(text) + 1
    assert result.nats == pytest.approx(-char_model.score(text).log_prob, rel=1e-5)


def test_unknown_words_are_read_as_the_unknown_token(word_model: LanguageModel):
    assert word_model.writer.seed_text("the Zebra sees Alice").unknown_words == ["zebra", "alice"]
    one, other = (word_model.generate(f"the {word}", seed=1) for word in ("zebra", "alice"))
    assert one.removeprefix("the zebra") == other.removeprefix("the alice")


def test_special_tokens_in_a_seed_text_are_unknown_words(word_model: LanguageModel, char_model: LanguageModel):
    vocabulary = Vocabulary(
        word_model.vocabulary.tokens, word_model.vocabulary.counts, TextSettings(lowercase=False)
    )
    writer = LanguageModel(word_model.network, vocabulary, word_model.config).writer
    special = ["SENTENCE_END", "SENTENCE_START"]
    assert writer.seed_text("the SENTENCE_END SENTENCE_START").unknown_words == special
    assert writer.seed_text("the UNKNOWN_TOKEN").unknown_words == []
    assert char_model.writer.seed_text("cat€").unknown_words == ["€"]


def test_a_run_is_loaded_with_its_best_checkpoint(word_run: Path, tmp_path: Path):
    run = shutil.copytree(word_run, tmp_path / "run")
    best, last = (LanguageModel.load(RunDirectory(run).checkpoints.find(which)) for which in ("best", "last"))
    assert not np.array_equal(best.log_probs([1, 4]), last.log_probs([1, 4]))
    assert np.array_equal(LanguageModel.load(run).log_probs([1, 4]), best.log_probs([1, 4]))
    shutil.copytree(RunDirectory(run).checkpoints.find("best"), tmp_path / "alone")
    shutil.rmtree(run)
    assert np.array_equal(LanguageModel.load(tmp_path / "alone").log_probs([1, 4]), best.log_probs([1, 4]))


def test_a_preview_is_a_text_that_the_model_draws(word_model: LanguageModel, word_data: Dataset):
    text = word_model.preview(word_data.valid, np.random.default_rng(3), 6)
    assert text == word_model.preview(word_data.valid, np.random.default_rng(3), 6)
    assert "UNKNOWN_TOKEN" not in text
    others = {word_model.preview(word_data.valid, np.random.default_rng(seed), 6) for seed in range(20)}
    assert len(others) > 10
    assert max(len(word_model.writer.seed_text(text).ids()) for text in others) <= 1 + 6


def test_a_model_is_trained_in_the_batches_that_its_configuration_names(
    word_model: LanguageModel, char_model: LanguageModel, word_data: Dataset
):
    sentences, stream = (model.batches(word_data.train) for model in (word_model, char_model))
    assert isinstance(sentences, SentenceBatches)
    assert isinstance(stream, StreamBatches)
    assert (sentences.batch_size, sentences.seed) == (4, 3)
    assert (stream.batch_size, stream.bptt_steps) == (4, 20)


def test_a_model_says_what_its_network_is(word_model: LanguageModel, char_model: LanguageModel):
    weights = [
        sum(value.size for value in model.network.parameters.values()) for model in (word_model, char_model)
    ]
    assert word_model.description() == f"rnn, 1 x 12, one-hot input, {weights[0]:,} weights"
    assert char_model.description() == f"rnn, 2 x 16, embeddings of 8, {weights[1]:,} weights"


def test_a_model_says_how_large_its_vocabulary_is_and_what_guessing_costs(word_model: LanguageModel):
    size = len(word_model.vocabulary)
    assert word_model.data_description() == f"{size:,} tokens in the vocabulary"
    assert math.exp(word_model.guessing_loss) == pytest.approx(size)


def test_a_new_model_needs_the_vocabulary_that_its_configuration_names(
    word_model: LanguageModel, word_data: Dataset
):
    config, size = word_model.config, len(word_data.vocabulary)
    sizes = [config.model.model_copy(update={"vocabulary_size": number}) for number in (size, size + 1)]
    right, wrong = (config.model_copy(update={"model": model}) for model in sizes)
    assert LanguageModel.create(right, word_data).vocabulary == word_data.vocabulary
    with pytest.raises(RnnlmError, match=f"model.vocabulary_size: {size + 1}, but .* has {size} tokens"):
        LanguageModel.create(wrong, word_data)


def test_a_file_of_a_checkpoint_is_the_vocabulary(word_model: LanguageModel, tmp_path: Path):
    [(name, content)] = word_model.files().items()
    (tmp_path / name).write_bytes(content)
    assert Vocabulary.load(tmp_path) == word_model.vocabulary
