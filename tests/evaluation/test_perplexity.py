import math
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset, Split
from rnnlm.evaluation.perplexity import Evaluation, perplexity, rounded
from rnnlm.evaluation.scoring import SIDE_BY_SIDE, split_losses
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.network import Network
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import Vocabulary
from tests.networks import make_network

NO_LABELS = Vocabulary(["?", "<s>", "</s>"], [0, 0, 0], TextSettings())
EIGHT_TOKENS = Evaluation(nats=24.0, tokens=8, unknown_nats=10.0, unknown_tokens=1, characters=40)


def test_perplexities_are_rounded_not_written_at_any_length():
    assert [rounded(number) for number in (12.5, 1.7e308, None)] == ["12.50", "1.7e+308", "-"]


def test_measures_follow_from_the_sums():
    assert EIGHT_TOKENS.cross_entropy == 3
    assert EIGHT_TOKENS.perplexity == pytest.approx(math.e**3)
    assert EIGHT_TOKENS.bits_per_token == pytest.approx(3 / math.log(2))
    assert EIGHT_TOKENS.bits_per_character == pytest.approx(24 / math.log(2) / 40)
    assert EIGHT_TOKENS.perplexity_without_unknown == pytest.approx(math.e**2)


def test_the_dictionary_has_the_measures_by_name():
    assert EIGHT_TOKENS.to_dict() == {
        "cross_entropy": EIGHT_TOKENS.cross_entropy,
        "perplexity": EIGHT_TOKENS.perplexity,
        "bits_per_token": EIGHT_TOKENS.bits_per_token,
        "bits_per_character": EIGHT_TOKENS.bits_per_character,
        "tokens": 8,
        "unknown_tokens": 1,
        "perplexity_without_unknown": EIGHT_TOKENS.perplexity_without_unknown,
    }


def test_without_known_tokens_there_is_no_perplexity_of_them():
    assert Evaluation(3.0, 2, 3.0, 2, 5).perplexity_without_unknown is None


def test_perplexity_beyond_a_float_is_the_largest_float():
    assert perplexity(0.0) == 1
    assert perplexity(700.0) == math.exp(700)
    assert perplexity(1000.0) == sys.float_info.max
    assert math.isnan(perplexity(math.nan))


def measure(network: Network, split: Split, carries_state: bool) -> Evaluation:
    return Evaluation.of(split_losses(network, split, carries_state), split, NO_LABELS)


def sentence_by_sentence(network: Network, split: Split) -> tuple[float, float]:
    """Return the cross-entropy of a split, and the part of it at unknown tokens, in the plainest way."""
    nats = unknown_nats = 0.0
    for index in range(split.num_sentences):
        ids = split.sentence(index).astype(int)
        log_probs, _ = network.log_probs(ids[:-1, None], network.initial_state(1))
        losses = -log_probs[range(len(ids) - 1), 0, ids[1:]].astype(float)
        nats += losses.sum()
        unknown_nats += losses[ids[1:] == 0].sum()
    return nats, unknown_nats


@pytest.mark.parametrize("name", ["train", "valid", "test"])
def test_batches_of_sentences_measure_what_single_sentences_do(
    word_model: LanguageModel, word_data: Dataset, name: str
):
    split = word_data.split(name)
    nats, unknown_nats = sentence_by_sentence(word_model.network, split)
    result = measure(word_model.network, split, carries_state=False)
    assert result.nats == pytest.approx(nats, rel=1e-5)
    assert result.unknown_nats == pytest.approx(unknown_nats, rel=1e-5)
    assert result.tokens == split.num_tokens
    assert result.unknown_tokens == split.unknown_tokens > 0
    assert result.characters == split.characters


def test_a_stream_carries_the_state_over_the_ends_of_sentences(word_model: LanguageModel, word_data: Dataset):
    split, network = word_data.test, word_model.network
    state, nats = network.initial_state(1), 0.0
    for index in range(split.num_sentences):
        ids = split.sentence(index).astype(int)
        log_probs, state = network.log_probs(ids[:-1, None], state)
        nats -= float(log_probs[range(len(ids) - 1), 0, ids[1:]].sum())
    result = measure(network, split, carries_state=True)
    assert result.nats == pytest.approx(nats, rel=1e-5)
    assert result.tokens == split.num_tokens
    assert abs(result.nats - measure(network, split, carries_state=False).nats) > 1e-3


def test_an_untrained_network_is_as_unsure_as_the_vocabulary_is_large(word_data: Dataset):
    size = len(word_data.vocabulary)
    result = measure(make_network(size, hidden_size=10), word_data.test, carries_state=False)
    assert result.cross_entropy == pytest.approx(math.log(size), abs=0.1)


def test_watch_is_called_at_every_window_and_may_end_the_evaluation(word_model: LanguageModel, word_data: Dataset):
    split = word_data.train
    calls: list[None] = []
    word_model.evaluate(split, watch=lambda: calls.append(None))
    assert len(calls) == -(-split.num_sentences // SIDE_BY_SIDE) > 1

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        word_model.evaluate(split, watch=stop)


def test_characters_are_those_of_the_text_and_one_for_each_end(word_model: LanguageModel, tmp_path: Path):
    lines = ["The cat sees the owl.", "A zebra!"]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    division = DivisionSettings(valid_fraction=0, test_fraction=1)
    build_dataset(
        [str(tmp_path / "text.txt")], tmp_path / "data", vocabulary=word_model.vocabulary, division=division
    )
    result = word_model.evaluate(Dataset.open(tmp_path / "data").test)
    assert result.characters == sum(len(line) + 1 for line in lines)
    # the cat sees the owl . END a zebra ! END, of which "a", "zebra" and "!" are unknown
    assert result.tokens == 11
    assert result.unknown_tokens == 3
    ids = [1, *word_model.vocabulary.encode(["the", "cat", "sees", "the", "owl", "."]), 2]
    first = -word_model.log_probs(ids[:-1])[range(7), ids[1:]].astype(float)
    second = -word_model.log_probs([1, 0, 0, 0])[range(4), [0, 0, 0, 2]].astype(float)
    assert result.nats == pytest.approx(first.sum() + second.sum(), rel=1e-5)
    known = np.append(first, second[3])
    assert result.perplexity_without_unknown == pytest.approx(math.exp(known.mean()), rel=1e-5)
    assert result.bits_per_character == pytest.approx(result.nats / math.log(2) / 31, rel=1e-6)
