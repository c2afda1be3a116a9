import numpy as np
import pytest

from rnnlm.inspect.properties import Property
from rnnlm.inspect.reading import Activations
from rnnlm.inspect.scores import best, centred_ranks, measure

N = 200


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def layer(*units: np.ndarray, name: str = "h", read: np.ndarray | None = None) -> Activations:
    values = np.stack(units, axis=1).astype(np.float32)
    return Activations("layer 1", {name: values}, np.ones(len(values), bool) if read is None else read)


def yes_or_no(values: np.ndarray, name: str = "there") -> Property:
    return Property(name, values.astype(float), True)


def slow_score(unit: np.ndarray, values: np.ndarray) -> float:
    """Return 2 A - 1, A counted pair by pair."""
    wins = [np.sign(high - low) for high in unit[values > 0] for low in unit[values == 0]]
    return float(np.mean(wins))


def slow_ranks(values: np.ndarray) -> list[float]:
    return [float(np.mean([(other < value) + (other == value) / 2 for other in values])) for value in values]


def test_what_is_there_or_not_is_scored_pair_by_pair(rng: np.random.Generator) -> None:
    has = rng.random(N) < 0.3
    noisy = has + rng.normal(size=N)
    ties = np.round(noisy)
    units = [has, -1.0 * has, noisy, ties, np.zeros(N), rng.normal(size=N)]
    scores = measure([layer(*units)], [yes_or_no(has)]).of_parts[0, "h"][:, 0]
    expected = [slow_score(np.float32(unit), has) for unit in units]
    np.testing.assert_allclose(scores, expected, atol=1e-12)
    assert scores[:2].tolist() == pytest.approx([1, -1])
    assert scores[4] == 0


def test_an_amount_is_scored_by_the_correlation_of_ranks(rng: np.random.Generator) -> None:
    amount = np.arange(N) % 7
    noisy = amount + rng.normal(size=N)
    units = [np.exp(amount), -(amount**3), noisy, np.ones(N)]
    scores = measure([layer(*units)], [Property("amount", amount.astype(float), False)]).of_parts[0, "h"][:, 0]
    by_pearson = np.corrcoef(slow_ranks(np.float32(noisy)), slow_ranks(amount))[0, 1]
    np.testing.assert_allclose(scores, [1, -1, by_pearson, 0], atol=1e-12)


def test_tokens_that_were_not_read_do_not_count(rng: np.random.Generator) -> None:
    has, read = rng.random(N) < 0.5, np.arange(N) % 3 > 0
    unit = np.where(read, has, ~has)
    assert measure([layer(unit, read=read)], [yes_or_no(has)]).of_parts[0, "h"][0, 0] == pytest.approx(1)


def test_chance_is_what_units_reach_where_they_say_nothing(rng: np.random.Generator) -> None:
    """Of many units that know nothing, the best seems to know something; the text turned shows how much."""
    long = rng.random(N) < 0.1
    scores = measure([layer(*rng.normal(size=(300, N)))], [yes_or_no(long)])
    found = best(scores, 0)
    assert abs(found[0].score) > 0.3
    assert abs(found[0].score) < scores.chance[0] < 0.7
    knowing = measure([layer(long, *rng.normal(size=(300, N)))], [yes_or_no(long)])
    assert best(knowing, 0)[0].score == pytest.approx(1)
    assert knowing.chance[0] < 0.8


def test_the_best_units_are_named_once_each(rng: np.random.Generator) -> None:
    has = rng.random(N) < 0.4
    noise = rng.normal(size=N)
    first = layer(has + 2 * noise, noise, has - 0.0)
    first.parts["c"] = np.stack([-1.0 * has, noise, has + noise], axis=1)
    second = layer(*(noise for _ in range(4)))
    found = best(measure([first, second], [yes_or_no(has)]), 0)
    assert [(each.layer, each.part, each.unit) for each in found[:2]] == [(0, "c", 0), (0, "h", 2)]
    assert [each.score for each in found[:2]] == pytest.approx([-1, 1])
    assert len(found) == 5
    assert len({(each.layer, each.unit) for each in found}) == 5


def test_ranks_are_shared() -> None:
    values = np.array([[3.0, 1.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]])
    expected = [[1, -1.5, 1, -0.5], [0, 0, 0, 0], [-1.5, -0.5, 0.5, 1.5]]
    np.testing.assert_array_equal(centred_ranks(values), expected)
