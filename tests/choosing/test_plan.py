import itertools
from dataclasses import replace

import pytest

from rnnlm.choosing.advice import advice
from rnnlm.choosing.facts import Budget
from rnnlm.choosing.plan import Plan, plan, useful_epochs
from rnnlm.choosing.sizes import LARGEST_MEMORY
from rnnlm.choosing.speed import Speed
from rnnlm.choosing.values import choice
from rnnlm.config import Config
from rnnlm.errors import RnnlmError

from .texts import facts

TOKENS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
VOCABULARIES = [30, 600, 8_000, 40_000, 1_000_000]
SECONDS = [1.0, 60.0, 600.0, 3_600.0, 86_400.0]
SPEEDS = [Speed(32), Speed(38)]


def weight(decided: Plan) -> int:
    return decided.size.recurrent_weights


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("vocabulary_size", VOCABULARIES)
def test_at_every_corner_it_is_a_configuration_that_memory_has_room_for(tokens: int, vocabulary_size: int) -> None:
    text = facts(tokens, vocabulary_size)
    budgets = [*(Budget(seconds) for seconds in SECONDS), Budget(epochs=1), Budget(epochs=50)]
    for budget, speed in itertools.product(budgets, SPEEDS):
        decided = plan(text, speed, budget)
        config = Config.model_validate(choice(decided, advice(decided)).sections)
        assert config.model.hidden_size == decided.size.units
        assert config.training.max_seconds == budget.seconds
        assert decided.size.memory <= LARGEST_MEMORY
        assert 0 <= config.model.dropout <= 0.65
        if config.model.softmax_cutoffs is not None:
            assert config.model.softmax_cutoffs[-1] < vocabulary_size
        if config.training.batching == "stream":
            assert config.training.batch_size * config.training.bptt_steps <= tokens


@pytest.mark.parametrize("vocabulary_size", VOCABULARIES)
def test_more_time_a_faster_machine_and_more_text_never_give_a_smaller_network(vocabulary_size: int) -> None:
    def weights(tokens: int, seconds: float, speed: Speed) -> int:
        return weight(plan(facts(tokens, vocabulary_size), speed, Budget(seconds)))

    for tokens, speed in itertools.product(TOKENS, SPEEDS):
        sizes = [weights(tokens, seconds, speed) for seconds in SECONDS]
        assert sizes == sorted(sizes)
    for tokens, seconds in itertools.product(TOKENS, SECONDS):
        sizes = [weights(tokens, seconds, speed) for speed in SPEEDS]
        assert sizes == sorted(sizes)
    for seconds, speed in itertools.product(SECONDS, SPEEDS):
        sizes = [weights(tokens, seconds, speed) for tokens in TOKENS]
        assert sizes == sorted(sizes)


def test_the_same_is_chosen_for_the_same_facts() -> None:
    first, second = (plan(facts(), Speed(36), Budget(60.0)) for _ in range(2))
    assert first == second
    assert choice(first, advice(first)).to_yaml() == choice(second, advice(second)).to_yaml()


def test_more_epochs_and_less_text_ask_for_more_dropout() -> None:
    def dropout(tokens: int, epochs: int) -> float:
        return plan(facts(tokens), Speed(36), Budget(epochs=epochs), units=128).dropout

    assert [dropout(1_000_000, epochs) for epochs in (1, 5, 30)] == sorted(
        dropout(1_000_000, n) for n in (1, 5, 30)
    )
    assert dropout(20_000, 10) > dropout(1_000_000, 10)
    assert dropout(100_000_000, 1) == 0


def test_a_longer_text_is_worth_more_epochs() -> None:
    found = [useful_epochs(facts(tokens)) for tokens in TOKENS]
    assert found == sorted(found)
    assert found[0] >= 1


def test_what_limits_the_network_is_told() -> None:
    def limit(tokens: int, seconds: float, vocabulary_size: int = 8_000, units: int | None = None) -> str:
        return plan(facts(tokens, vocabulary_size), Speed(36), Budget(seconds), units).limit

    assert limit(10_000, 600.0) == "text"
    assert limit(10_000_000, 60.0) == "time"
    assert limit(100_000_000, 10_000_000.0, 1_000_000) == "memory"
    assert limit(10_000, 60.0, units=40) == "asked"


def test_the_units_that_are_asked_for_are_taken_or_refused() -> None:
    decided = plan(facts(), Speed(36), Budget(60.0), units=77)
    assert (decided.size.units, decided.size.layers, decided.size.embedding_size) == (77, 1, 77)
    with pytest.raises(RnnlmError, match=r"`hidden_size=90000`: with 8,000 tokens .* takes more than 2 GB"):
        plan(facts(), Speed(36), Budget(60.0), units=90_000)


def test_epochs_that_are_asked_for_have_no_limit_of_time() -> None:
    decided = plan(facts(), Speed(36), Budget(epochs=3))
    assert (decided.epochs, decided.seconds, decided.passes) == (3, None, 3)
    assert "training.max_seconds" not in choice(decided, ()).values


def test_evaluations_take_no_more_than_their_share() -> None:
    usual, large = (
        plan(facts(1_000_000, valid_tokens=valid), Speed(36), Budget(600.0)) for valid in (50_000, 30_000_000)
    )
    assert usual.evaluate_every is None
    assert large.evaluate_every is not None
    assert large.evaluate_every >= 0.9 * large.steps


@pytest.mark.parametrize(
    ("tokens", "vocabulary_size", "sentence", "batching"),
    [(20_000, 2_000, 15, "sentences"), (1_000_000, 8_000, 15, "stream"), (20_000, 60, 15, "stream")],
)
def test_only_short_texts_of_words_are_read_by_sentences(
    tokens: int, vocabulary_size: int, sentence: int, batching: str
) -> None:
    text = facts(tokens, vocabulary_size, sentences=tokens // sentence)
    assert plan(text, Speed(36), Budget(60.0)).reading.batching == batching
    assert plan(replace(text, sentences=1), Speed(36), Budget(60.0)).reading.batching == "stream"
