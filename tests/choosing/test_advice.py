import math

import pytest

from rnnlm.choosing.advice import advice
from rnnlm.choosing.expectation import expected_loss
from rnnlm.choosing.facts import Budget
from rnnlm.choosing.plan import plan
from rnnlm.choosing.speed import Speed
from rnnlm.resources import MODEL

from .texts import facts

SPEED = Speed(36)


def said(tokens: int, seconds: float, vocabulary_size: int = 8_000, **others: object) -> str:
    return "\n".join(advice(plan(facts(tokens, vocabulary_size, **others), SPEED, Budget(seconds))))


def test_it_begins_with_what_was_found() -> None:
    first = said(100_000, 60.0).splitlines()[0]
    assert first == (
        "Chosen for data/text: 100,000 tokens to train on in 5,000 sentences, 8,000 in the vocabulary, 2.0% "
        "unknown; a machine of speed class 36 (68.7 billion operations a second)."
    )


def test_a_budget_that_is_too_small_is_told_with_what_it_would_take() -> None:
    text = said(10_000_000, 60.0)
    assert "The budget is small for this text: it would support 1200 units in 2 layers, not 128, given " in text
    assert "days on this machine." in text
    assert "The budget is small" not in said(10_000, 600.0)


def test_time_that_is_over_is_told() -> None:
    assert "More time would not help" in said(10_000, 600.0)
    assert "More time would not help" not in said(10_000_000, 600.0)


def test_a_text_that_is_read_in_part_is_told() -> None:
    large = plan(facts(100_000_000), SPEED, Budget(600.0), units=64)
    assert "reading all of it once takes" in "\n".join(advice(large))


def test_a_vocabulary_with_hardly_an_unknown_word_is_told() -> None:
    assert "preprocess again with --min-count 2" in said(20_000, 60.0, unknown_tokens=0)
    assert "--min-count" not in said(20_000, 60.0, unknown_tokens=400)
    assert "--min-count" not in said(20_000, 60.0, 60, unknown_tokens=0)


def test_little_text_is_told() -> None:
    assert "More text of the same kind helps more" in said(20_000, 60.0)
    assert "More text of the same kind helps more" not in said(200_000, 60.0)


def test_a_short_text_of_words_may_begin_with_the_installed_model() -> None:
    assert f"train with --init-from {MODEL}." in said(20_000, 60.0)
    assert "--init-from" not in said(20_000, 60.0, 60)
    assert "--init-from" not in said(200_000, 60.0)
    begun = plan(facts(20_000), SPEED, Budget(60.0), units=80)
    assert "--init-from" not in "\n".join(advice(begun))


def test_a_large_validation_split_is_told() -> None:
    assert "smaller --valid-fraction" in said(1_000_000, 60.0, valid_tokens=20_000_000)
    assert "--valid-fraction" not in said(1_000_000, 60.0)


@pytest.mark.parametrize("vocabulary_size", [60, 8_000])
def test_longer_texts_are_expected_to_reach_less(vocabulary_size: int) -> None:
    losses = [
        expected_loss(plan(facts(tokens, vocabulary_size), SPEED, Budget(60.0)))
        for tokens in (1_000, 10_000, 100_000, 1_000_000, 100_000_000)
    ]
    bounds = [each for each in losses if each is not None]
    assert len(bounds) == 5
    assert bounds == sorted(bounds, reverse=True)
    assert all(0 < low < high for low, high in bounds)
    assert all(high <= (6.0 if vocabulary_size > 500 else 3.3) for _, high in bounds)


@pytest.mark.parametrize(
    ("tokens", "vocabulary_size", "unigram_loss", "reached"),
    [
        (2_126, 746, 4.156, 3.736),
        (9_734, 2_086, 5.066, 4.598),
        (337_073, 8_000, 6.087, 4.640),
        (929_589, 10_001, 6.587, 4.578),
        (15_001, 61, 3.383, 2.380),
        (1_003_855, 68, 3.347, 1.453),
    ],
)
def test_what_was_measured_is_within_what_is_expected(
    tokens: int, vocabulary_size: int, unigram_loss: float, reached: float
) -> None:
    found = expected_loss(plan(facts(tokens, vocabulary_size, unigram_loss=unigram_loss), SPEED, Budget(60.0)))
    assert found is not None
    assert found[0] <= reached <= found[1]


def test_without_a_validation_split_nothing_is_expected() -> None:
    text = said(20_000, 60.0, unigram_loss=None, valid_tokens=0)
    assert "perplexity" not in text


def test_the_perplexity_of_frequencies_is_told() -> None:
    assert f"of its tokens alone it has {math.exp(6):.0f}." in said(20_000, 60.0)
