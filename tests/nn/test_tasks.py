"""Networks that classify and tag: their gradients, their padding, and that they learn what only they can."""

import itertools

import numpy as np
import pytest

from rnnlm.nn.batch import Batch
from rnnlm.nn.cells import CELLS
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.nn.network import Network
from rnnlm.nn.spelling import SpelledWords
from rnnlm.optim import OPTIMIZERS
from tests.networks import make_task_network

V, T, B, K = 11, 6, 4, 3
LENGTHS = np.array([6, 1, 4, 6])
CHARACTERS, SPELLINGS = 9, 7
BASIS: dict[str, object] = {"hidden_size": 4, "embedding_size": 5, "bias": True}
REGULARIZED: dict[str, object] = {
    "dropout": 0.3,
    "recurrent_dropout": 0.2,
    "embedding_dropout": 0.2,
    "activation_regularization": 2.0,
    "temporal_activation_regularization": 1.0,
}
NETWORKS: dict[str, dict[str, object]] = {
    "one-hot": {"task": "classify", "pooling": "last", "embedding_size": None},
    **{name: {"task": "classify", "pooling": name, "bidirectional": True} for name in ("last", "mean", "max")},
    "residual": {"task": "classify", "pooling": "max", "num_layers": 2, "bidirectional": True, "residual": True},
    "tag": {"task": "tag", "num_layers": 2, "bidirectional": True},
    "spelled": {"task": "tag", "character_size": 3, "bidirectional": True},
    "spelled, one way": {"task": "tag", "character_size": 3},
}


def make(name: str, vocabulary_size: int = V, num_characters: int = CHARACTERS, **options: object) -> Network:
    given = {**BASIS, **NETWORKS[name], **options}
    spelled = {"num_characters": num_characters} if "character_size" in given else {}
    return make_task_network(vocabulary_size, num_classes=K, **spelled, **given)  # type: ignore[arg-type]


def window(name: str, vocabulary_size: int = V, num_characters: int = CHARACTERS, seed: int = 0) -> Batch:
    """Make a padded batch, one target of which is not known."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, vocabulary_size, (T, B))
    inputs: np.ndarray | SpelledWords = ids
    if "character_size" in NETWORKS[name]:
        characters = rng.integers(0, num_characters, (5, SPELLINGS))
        of_each = rng.integers(1, 6, SPELLINGS)
        inputs = SpelledWords(ids, rng.integers(0, SPELLINGS, ids.shape), characters, of_each)
    is_tagger = NETWORKS[name]["task"] == "tag"
    mask = np.arange(T)[:, None] < LENGTHS if is_tagger else np.ones((1, B), bool)
    mask[0, 3] = False
    return Batch(inputs, rng.integers(0, K, mask.shape), mask, lengths=LENGTHS)


@pytest.mark.parametrize("few", [False, True], ids=["by place", "by token"])
@pytest.mark.parametrize("options", [{}, REGULARIZED], ids=["plain", "regularized"])
@pytest.mark.parametrize(
    ("name", "cell"), [*((name, "lstm") for name in NETWORKS), *(("spelled", cell) for cell in CELLS)]
)
def test_gradients_are_those_of_central_differences(
    name: str, cell: str, options: dict[str, object], few: bool
) -> None:
    sizes = (4, 4) if few else (V, CHARACTERS)
    network, batch = make(name, *sizes, cell=cell, **options), window(name, *sizes)
    errors = gradient_check(network, batch, network.initial_state(B), samples=8)
    assert errors.keys() == network.parameters.keys()
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("name", NETWORKS)
def test_padding_changes_nothing(name: str) -> None:
    """A padded batch has the losses and gradients of its sequences, one by one."""
    network, batch = make(name, cell="gru"), window(name)
    together, _ = network.backpropagate(batch, network.initial_state(B))
    gradients = {key: value.copy() for key, value in network.gradients.items()}
    loss, sums = 0.0, {key: np.zeros_like(value) for key, value in gradients.items()}
    for b, length in enumerate(LENGTHS):
        place = slice(None, length), slice(b, b + 1)
        inputs = batch.inputs
        if isinstance(inputs, SpelledWords):
            inputs = inputs._replace(ids=inputs.ids[place], places=inputs.places[place])
        else:
            inputs = inputs[place]
        alone = Batch(inputs, batch.targets[place], batch.mask[place])
        loss += network.backpropagate(alone, network.initial_state(1))[0]
        for key, value in network.gradients.items():
            sums[key] += value / B
    assert together == pytest.approx(loss, rel=1e-12)
    for key, value in gradients.items():
        np.testing.assert_allclose(value, sums[key], rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", ["max", "spelled"])
def test_tracked_gradients_are_those_that_are_not(name: str) -> None:
    size = 40
    tracking, plain = make(name, size, size), make(name, size, size)
    tracking.track_gradient_rows()
    tables = {"embedding.weight"} | ({"characters.embedding.weight"} if name == "spelled" else set())
    for seed in range(3):
        batch = window(name, size, size, seed)
        losses = [network.backpropagate(batch, network.initial_state(B))[0] for network in (tracking, plain)]
        assert losses[0] == losses[1]
        for key, gradient in tracking.gradients.items():
            np.testing.assert_array_equal(gradient, plain.gradients[key])
        rows = tracking.gradient_rows()
        assert rows.keys() == tables
        for key, (used, axis) in rows.items():
            assert axis == 0
            assert set(np.flatnonzero(tracking.gradients[key].any(axis=1))) <= set(used)
            assert len(used) < size


def test_what_a_word_is_written_like_is_read_once_and_reaches_every_place() -> None:
    network, batch = make("spelled"), window("spelled")
    words = batch.inputs
    assert isinstance(words, SpelledWords)
    x = network.source.forward(words).copy()
    np.testing.assert_array_equal(x[..., :5], network.parameters["embedding.weight"][words.ids])
    for n in range(SPELLINGS):
        alone = words.characters[: words.lengths[n], n : n + 1]
        one = SpelledWords(np.zeros((1, 1), int), np.zeros((1, 1), int), alone, words.lengths[n : n + 1])
        of_word = network.source.forward(one)[0, 0, 5:]
        for of_place in x[..., 5:][words.places == n]:
            np.testing.assert_allclose(of_place, of_word, rtol=1e-12)


def learned(network: Network, batch: Batch, steps: int, learning_rate: float = 0.02) -> float:
    """Train with Adam on a batch; return the share of its predictions that are right afterwards."""
    assert batch.lengths is not None
    state = network.initial_state(len(batch.lengths))
    optimizer = OPTIMIZERS["adam"](network.parameters, network.gradients)
    for _ in range(steps):
        network.backpropagate(batch, state)
        optimizer.step(learning_rate, {}, 1.0)
    log_probs, _ = network.log_probs(batch.inputs, state, lengths=batch.lengths)
    return float(np.mean((log_probs.argmax(axis=2) == batch.targets)[batch.mask]))


LEARNER: dict[str, object] = {"cell": "lstm", "hidden_size": 12, "embedding_size": 6, "bias": True}


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_class_that_depends_on_the_first_token_is_learned(pooling: str) -> None:
    rng = np.random.default_rng(0)
    ids, lengths = rng.integers(0, 4, (7, 60)), rng.integers(2, 8, 60)
    network = make_task_network(4, task="classify", pooling=pooling, num_classes=4, bidirectional=True, **LEARNER)
    assert learned(network, Batch(ids, ids[:1], np.ones((1, 60), bool), lengths=lengths), 150) == 1


@pytest.mark.parametrize("is_bidirectional", [False, True])
def test_a_tag_that_depends_on_the_last_token_needs_both_directions(is_bidirectional: bool) -> None:
    """All sentences of some lengths over two tokens: what comes before the last token tells nothing of it."""
    sentences = [each for length in (3, 5) for each in itertools.product((0, 1), repeat=length)]
    lengths = np.array([len(each) for each in sentences])
    ids = np.zeros((5, len(sentences)), int)
    for column, each in enumerate(sentences):
        ids[: len(each), column] = each
    mask = np.arange(5)[:, None] < lengths
    last = np.broadcast_to(ids[lengths - 1, np.arange(len(lengths))], ids.shape)
    network = make_task_network(2, task="tag", num_classes=2, bidirectional=is_bidirectional, **LEARNER)
    right = learned(network, Batch(ids, last, mask, lengths=lengths), 120)
    # One who reads forwards knows the tag of the last token, and can guess the others.
    assert right == 1 if is_bidirectional else right < 0.8


def test_the_parity_of_a_bit_string_is_learned() -> None:
    strings = [each for length in range(1, 6) for each in itertools.product((0, 1), repeat=length)]
    lengths = np.array([len(each) for each in strings])
    ids = np.zeros((5, len(strings)), int)
    for column, each in enumerate(strings):
        ids[: len(each), column] = each
    parity = np.array([[sum(each) % 2 for each in strings]])
    network = make_task_network(2, task="classify", pooling="last", num_classes=2, **LEARNER)
    batch = Batch(ids, parity, np.ones((1, len(strings)), bool), lengths=lengths)
    assert learned(network, batch, 400) == 1


def test_words_that_are_all_unknown_are_told_apart_by_their_characters() -> None:
    spellings = np.array(list(itertools.product((1, 2), repeat=4))).T
    N = spellings.shape[1]
    places = np.random.default_rng(0).permutation(2 * N).reshape(4, -1) % N
    words = SpelledWords(np.zeros_like(places), places, spellings, np.full(N, 4))
    tags = 2 * (spellings[0] - 1) + spellings[-1] - 1  # the first and the last character
    batch = Batch(words, tags[places], np.ones(places.shape, bool), lengths=np.full(places.shape[1], 4))
    network = make_task_network(3, task="tag", num_classes=4, num_characters=3, character_size=4, **LEARNER)
    assert learned(network, batch, 150) == 1
