import numpy as np
import pytest

from rnnlm.nn.batch import Batch, Pairs
from rnnlm.nn.draws import ColumnDraws, Columns
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.spelling import SpelledWords
from tests.networks import make_network, make_task_network, make_translation_network

T, V = 4, 9


@pytest.mark.parametrize("size", [1, 2, 5, 8])
@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_every_sequence_is_in_one_share(size: int, number: int) -> None:
    shares = [Columns.share(rank, number, size) for rank in range(number)]
    assert [column for each in shares for column in range(each.first, each.last)] == list(range(size))
    lengths = [each.last - each.first for each in shares]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("features", [1, 3, 4])
@pytest.mark.parametrize("variational", [False, True])
def test_shares_of_dropout_are_those_of_the_whole(dtype: str, features: int, variational: bool) -> None:
    dtype, size, number = np.dtype(dtype), 7, 3
    x = np.ones((T, size, features), dtype)
    rng = np.random.default_rng(5)
    whole = [Dropout(0.4, dtype, variational).forward(x, rng).copy() for _ in range(3)]
    weights = Dropout(0.4, dtype, of_weights=True).forward(x[0], rng).copy()
    after = rng.random(dtype=dtype)
    for rank in range(number):
        columns = Columns.share(rank, number, size)
        draws = ColumnDraws(np.random.default_rng(5), columns, np.empty(0, int))
        for each in whole:
            part = Dropout(0.4, dtype, variational).forward(x[:, columns.slice], draws)
            np.testing.assert_array_equal(part, each[:, columns.slice])
        np.testing.assert_array_equal(Dropout(0.4, dtype, of_weights=True).forward(x[0], draws), weights)
        assert draws.random(dtype=dtype) == after


def batch_of(kind: str, size: int, rng: np.random.Generator) -> Batch:
    ids, lengths = rng.integers(0, V, (T, size)), rng.integers(1, T + 1, size)
    mask = np.arange(T)[:, None] < lengths
    if kind == "classify":
        return Batch(ids, rng.integers(0, 3, (1, size)), np.ones((1, size), bool), lengths=lengths)
    if kind == "tag":
        words = SpelledWords(ids, ids, rng.integers(1, 5, (3, V)), rng.integers(1, 4, V))
        return Batch(words, rng.integers(0, 3, (T, size)), mask, lengths=lengths)
    if kind == "translate":
        source = rng.integers(0, V, (T + 1, size))
        return Batch(Pairs(ids, source, rng.integers(1, T + 2, size)), ids, mask)
    return Batch(ids, np.roll(ids, 1), mask)


@pytest.mark.parametrize("kind", ["language model", "classify", "tag", "translate"])
@pytest.mark.parametrize("number", [2, 3, 5])
def test_the_gradients_of_parts_add_up_to_that_of_the_whole(kind: str, number: int) -> None:
    options = {"cell": "gru", "embedding_size": 4, "hidden_size": 3, "bias": True}
    network = {
        "language model": lambda: make_network(
            V, dtype="float64", dropout=0.3, activation_regularization=2.0, softmax_samples=4, **options
        ),
        "classify": lambda: make_task_network(V, task=kind, num_classes=3, bidirectional=True, **options),
        "tag": lambda: make_task_network(
            V, task=kind, num_classes=3, num_characters=5, character_size=2, dropout=0.3, **options
        ),
        "translate": lambda: make_translation_network(V, V, attention="additive", dropout=0.3, **options),
    }[kind]()
    size = 4
    batch = batch_of(kind, size, np.random.default_rng(0))
    nats, _ = network.backpropagate(batch, network.initial_state(size), rng=np.random.default_rng(1))
    whole = {name: value.copy() for name, value in network.gradients.items()}
    added, of_parts = {name: np.zeros_like(value) for name, value in whole.items()}, 0.0
    for rank in range(number):
        columns = Columns.share(rank, number, size)
        draws = ColumnDraws(np.random.default_rng(1), columns, batch.targets[batch.mask])
        part = batch.part(columns)
        assert part.mask.shape[1] == max(1, columns.last - columns.first)
        loss, _ = network.backpropagate(part, network.initial_state(part.mask.shape[1]), rng=draws)
        of_parts += loss
        for name, value in network.gradients.items():
            added[name] += value
    assert of_parts == pytest.approx(nats, rel=1e-12)
    for name, value in whole.items():
        np.testing.assert_allclose(added[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
