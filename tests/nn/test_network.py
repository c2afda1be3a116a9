import itertools
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from rnnlm.nn.batch import Batch
from rnnlm.nn.cells import CELLS
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.nn.layer import Rows
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper
from tests.networks import make_network

V, T, B = 11, 6, 3
EVERYTHING: dict[str, object] = {
    "num_layers": 2,
    "embedding_size": 7,
    "tie_weights": True,
    "bias": True,
    "residual": True,
    "initializer": "glorot",
    "recurrent_initializer": "orthogonal",
}
OPTIONS: list[dict[str, object]] = [
    {"nonlinearity": "relu", "bias": True},
    {"num_layers": 3, "embedding_size": 5, "nonlinearity": "relu"},
    {"recurrent_initializer": "identity", "recurrent_scale": 0.5, "initializer": "orthogonal"},
    *(
        {"cell": cell, **options}
        for cell in CELLS
        for options in ({}, {"num_layers": 2, "embedding_size": 5, "bias": True}, EVERYTHING)
    ),
]
REGULARIZERS: list[dict[str, object]] = [
    {"dropout": 0.4},
    {"dropout": 0.4, "variational_dropout": True},
    {"recurrent_dropout": 0.4},
    {"embedding_dropout": 0.4},
    {"activation_regularization": 2.0, "temporal_activation_regularization": 1.0},
    {
        "dropout": 0.3,
        "variational_dropout": True,
        "recurrent_dropout": 0.3,
        "embedding_dropout": 0.3,
        "activation_regularization": 2.0,
        "temporal_activation_regularization": 1.0,
        "softmax_samples": 4,
    },
]


def make(seed: int = 1, **options: object) -> Network:
    return make_network(V, hidden_size=7, dtype="float64", seed=seed, **options)


def window(network: Network, seed: int = 0) -> tuple[Batch, np.ndarray]:
    """Make a batch with padding, and a state that is not zero."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, V, (T + 1, B))
    mask = np.ones((T, B), bool)
    mask[4:, 1] = False
    return Batch(ids[:-1], ids[1:], mask), rng.normal(0, 0.5, network.initial_state(B).shape)


def unpadded(batch: Batch) -> Batch:
    return replace(batch, mask=np.ones_like(batch.mask))


def part(batch: Batch, steps: slice, sequences: slice = slice(None)) -> Batch:
    where = steps, sequences
    return Batch(batch.inputs[where], batch.targets[where], batch.mask[where])


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("options", OPTIONS)
def test_gradients_are_those_of_central_differences(options: dict[str, object]) -> None:
    network = make(**options)
    errors = gradient_check(network, *window(network), samples=20)
    assert errors.keys() == network.parameters.keys()
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("options", OPTIONS)
def test_truncated_gradients_are_those_of_a_loss_with_the_past_held_constant(
    options: dict[str, object], steps: int
) -> None:
    network = make(**options)
    errors = gradient_check(network, *window(network), bptt_truncate=steps, samples=6)
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize(
    ("cell", "regularizers"),
    [*(("rnn", each) for each in REGULARIZERS), *((cell, REGULARIZERS[-1]) for cell in CELLS)],
)
def test_regularized_gradients(cell: str, regularizers: dict[str, object]) -> None:
    network = make(cell=cell, **EVERYTHING, **regularizers)
    errors = gradient_check(network, *window(network), samples=12)
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("regularizers", REGULARIZERS)
def test_regularized_gradients_are_truncated_rightly(regularizers: dict[str, object], steps: int) -> None:
    network = make(cell="lstm", **EVERYTHING, **regularizers)
    errors = gradient_check(network, *window(network), bptt_truncate=steps, samples=6)
    assert max(errors.values()) < 1e-6, errors


def test_what_is_dropped_is_checked_with_truncation_too(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make(num_layers=2, dropout=0.4)
    assert max(gradient_check(network, *window(network), bptt_truncate=2).values()) < 1e-6
    monkeypatch.setattr(Dropout, "backward", lambda self, dy: dy)
    assert max(gradient_check(network, *window(network), bptt_truncate=2).values()) > 0.1


@pytest.mark.parametrize("regularizers", REGULARIZERS)
def test_regularizers_change_training_and_not_evaluation(regularizers: dict[str, object]) -> None:
    plain, regularized = make(**EVERYTHING), make(**EVERYTHING, **regularizers)
    arguments = window(plain)
    assert regularized.objective(*arguments) == plain.objective(*arguments)
    rng = np.random.default_rng
    assert regularized.objective(*arguments, rng(0)) != plain.objective(*arguments, rng(0))
    assert regularized.objective(*arguments, rng(0)) == regularized.objective(*arguments, rng(0))


def test_activation_penalties_are_the_papers() -> None:
    network = make(activation_regularization=2.0, temporal_activation_regularization=3.0)
    padded, state = window(network)
    batch = unpadded(padded)
    hidden = network.forward(batch.inputs, state)[0].copy()
    penalty = network.objective(batch, state, np.random.default_rng(0)) - network.objective(batch, state)
    # Per token, as in the paper, times the T tokens of a sequence; the last step has no change after it.
    expected = T * 2.0 * np.mean(hidden**2) + (T - 1) * 3.0 * np.mean((hidden[1:] - hidden[:-1]) ** 2)
    assert penalty == pytest.approx(expected, rel=1e-12)


def test_a_variational_mask_is_the_same_at_every_step() -> None:
    dropout = Dropout(0.5, np.dtype("float64"), variational=True)
    y = dropout.forward(np.ones((5, 4, 30)), np.random.default_rng(0))
    assert np.all(y == y[0])
    assert 0 < np.mean(y == 0) < 1


def test_the_gradient_check_finds_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make()
    right = network.backpropagate

    def wrong(*arguments: object, **options: object) -> object:
        result = right(*arguments, **options)  # type: ignore[arg-type]
        network.gradients["rnn.weight_hh_l0"] *= -1
        return result

    monkeypatch.setattr(network, "backpropagate", wrong)
    errors = gradient_check(network, *window(network))
    assert errors["rnn.weight_hh_l0"] > 0.1
    assert errors["output.weight"] < 1e-6


def gradients(network: Network, batch: Batch, state: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
    network.backpropagate(batch, state, **options)
    return {name: value.copy() for name, value in network.gradients.items()}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("steps", [T - 1, T, 100])
def test_truncated_bptt_over_the_whole_window_is_full_bptt(options: dict[str, object], steps: int) -> None:
    network = make(**options)
    full = gradients(network, *window(network))
    truncated = gradients(network, *window(network), bptt_truncate=steps)
    for name, value in full.items():
        np.testing.assert_allclose(truncated[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def published_gradients(network: Network, x: np.ndarray, y: np.ndarray, truncate: int) -> dict[str, np.ndarray]:
    """Truncated BPTT of one sentence, one output and one step back at a time, as the tutorial tells it."""
    U, W, Vo = (network.parameters[n] for n in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "output.weight"))
    s = np.zeros((len(x) + 1, len(W)))  # s[-1] is the state before the sentence
    dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.zeros_like(Vo)
    for t in range(len(x)):
        s[t] = np.tanh(U[:, x[t]] + W @ s[t - 1])
    for t in reversed(range(len(x))):
        logits = Vo @ s[t]
        error = np.exp(logits) / np.exp(logits).sum()
        error[y[t]] -= 1
        dV += np.outer(error, s[t])
        delta = (Vo.T @ error) * (1 - s[t] ** 2)
        for back in range(t, max(0, t - truncate) - 1, -1):
            dW += np.outer(delta, s[back - 1])
            dU[:, x[back]] += delta
            delta = (W.T @ delta) * (1 - s[back - 1] ** 2)
    return {"rnn.weight_ih_l0": dU, "rnn.weight_hh_l0": dW, "output.weight": dV}


@pytest.mark.parametrize("truncate", [0, 1, 4, 50])
def test_truncated_bptt_is_the_published_loop(truncate: int) -> None:
    network = make()
    ids = np.random.default_rng(3).integers(0, V, 12)
    expected = published_gradients(network, ids[:-1], ids[1:], truncate)
    found = gradients(
        network,
        Batch(ids[:-1, None], ids[1:, None], np.ones((11, 1), bool)),
        network.initial_state(1),
        bptt_truncate=truncate,
    )
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("truncate", [None, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_a_padded_batch_is_its_sentences_one_by_one(cell: str, truncate: int | None) -> None:
    network = make(cell=cell, num_layers=2, bias=True)
    batch, state = window(network)
    batch_loss, _ = network.backpropagate(batch, state, bptt_truncate=truncate)
    together = {name: value.copy() for name, value in network.gradients.items()}
    loss, total = 0.0, {name: np.zeros_like(value) for name, value in together.items()}
    for b, length in enumerate(batch.mask.sum(axis=0)):
        one = part(batch, slice(length), slice(b, b + 1))
        loss += network.backpropagate(one, state[:, :, b : b + 1], bptt_truncate=truncate)[0]
        for name, value in network.gradients.items():
            total[name] += value / B
    assert batch_loss == pytest.approx(loss, rel=1e-12)
    for name, value in together.items():
        np.testing.assert_allclose(value, total[name], rtol=1e-9, atol=1e-13, err_msg=name)


def test_what_stands_under_the_mask_does_not_matter() -> None:
    network = make(bias=True)
    batch, state = window(network)
    before = gradients(network, batch, state)
    inputs, targets = batch.inputs.copy(), batch.targets.copy()
    inputs[~batch.mask], targets[~batch.mask] = 0, 0
    after = gradients(network, Batch(inputs, targets, batch.mask), state)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_a_carried_state_makes_two_windows_one(cell: str) -> None:
    network = make(cell=cell, num_layers=2)
    padded, state = window(network)
    batch = unpadded(padded)
    whole, final = network.losses(batch, state)
    first, middle = network.losses(part(batch, slice(2)), state)
    second, last = network.losses(part(batch, slice(2, None)), middle)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-12)
    np.testing.assert_allclose(last, final, rtol=1e-12)


def test_log_probs_are_normalized_and_agree_with_the_losses() -> None:
    network = make(bias=True)
    padded, state = window(network)
    batch = unpadded(padded)
    log_probs, _ = network.log_probs(batch.inputs, state)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=2), 1, rtol=1e-12)
    losses, _ = network.losses(batch, state)
    picked = [-log_probs[t, b, batch.targets[t, b]] for t, b in itertools.product(range(T), range(B))]
    np.testing.assert_allclose(losses, picked, rtol=1e-12)


def test_a_gradient_does_not_depend_on_the_step_before() -> None:
    """Scratch memory and sparse look-up gradients are used again: nothing of a larger window may be left."""
    used, fresh = make(embedding_size=4), make(embedding_size=4)
    rng = np.random.default_rng(5)
    big = rng.integers(0, V, (20, 9))
    used.backpropagate(Batch(big[:-1], big[1:], np.ones((19, 9), bool)), used.initial_state(9))
    again, once = gradients(used, *window(used)), gradients(fresh, *window(fresh))
    for name, value in once.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


def test_tied_weights_are_one_array() -> None:
    network = make(embedding_size=7, tie_weights=True)
    assert "output.weight" not in network.parameters
    tensors = network.tensors()
    assert tensors["output.weight"] is tensors["embedding.weight"]
    average = np.ones((V, 7))
    assert network.tensors({"embedding.weight": average})["output.weight"] is average


def test_initial_weights_stay_within_one_over_the_root_of_the_connections() -> None:
    network = make_network(400, hidden_size=25)
    for name, bound in [("rnn.weight_ih_l0", 1 / 20), ("rnn.weight_hh_l0", 1 / 5), ("output.weight", 1 / 5)]:
        largest = np.abs(network.parameters[name]).max()
        assert 0.98 * bound < largest <= bound, name


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, second, third = make(seed=1), make(seed=1), make(seed=2)
    for name, value in first.parameters.items():
        np.testing.assert_array_equal(value, second.parameters[name])
        assert np.any(value != third.parameters[name])


def test_a_window_without_predictions_changes_nothing() -> None:
    network = make(bias=True)
    batch, state = window(network)
    loss, _ = network.backpropagate(replace(batch, mask=np.zeros_like(batch.mask)), state)
    assert loss == 0
    assert all(np.all(value == 0) for value in network.gradients.values())


def test_training_precision_is_single() -> None:
    network = make_network(V)
    batch, state = window(network)
    network.backpropagate(batch, state.astype(np.float32))
    assert {value.dtype for value in (*network.parameters.values(), *network.gradients.values())} == {
        np.dtype("float32")
    }


@pytest.mark.parametrize("bptt_truncate", [None, 2])
@pytest.mark.parametrize("regularizers", [{}, {"dropout": 0.4}, {"embedding_dropout": 0.4}])
@pytest.mark.parametrize("options", [*OPTIONS, {"embedding_size": 7, "tie_weights": True, "softmax_samples": 4}])
def test_products_once_a_token_give_what_those_once_a_place_do(
    options: dict[str, object],
    regularizers: dict[str, object],
    bptt_truncate: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for repetitions in (0, 100):
        monkeypatch.setattr("rnnlm.nn.embedding.REPETITIONS", repetitions)
        network = make(**options, **regularizers)
        network.track_gradient_rows()
        losses, _ = network.losses(*window(network))
        for seed in (1, 0):
            rng = np.random.default_rng(seed)
            arguments = window(network, seed)
            last = gradients(network, *arguments, bptt_truncate=bptt_truncate, rng=rng)
        found.append((losses, last))
    (losses, by_token), (expected_losses, by_place) = found
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-12)
    for name, gradient in by_place.items():
        np.testing.assert_allclose(by_token[name], gradient, rtol=1e-10, atol=1e-13, err_msg=name)


def test_windows_read_by_token_and_by_place_take_turns() -> None:
    network = make(cell="lstm", embedding_size=7, tie_weights=True, softmax_samples=4)
    network.track_gradient_rows()
    short, state = window(network)
    long = Batch(*(np.tile(each, (3, 1)) for each in (short.inputs, short.targets, short.mask)))
    assert not network.reads_by_token(short.inputs, None)
    assert network.reads_by_token(long.inputs, None)
    rng = np.random.default_rng
    expected = gradients(network, short, state, rng=rng(0))
    gradients(network, long, state, rng=rng(1))
    for name, gradient in gradients(network, short, state, rng=rng(0)).items():
        np.testing.assert_array_equal(gradient, expected[name])


def test_large_vocabularies_are_read_by_place() -> None:
    network = make_network(201, embedding_size=3, hidden_size=3)
    assert not network.reads_by_token(np.zeros((100, 100), int), None)


@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "embedding_size": 7, "residual": True}], ids=["one", "two"]
)
@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_passes_lengths_and_the_errors_of_states(cell: str, options: dict[str, object]) -> None:
    network = make(cell=cell, **options)
    stack, (batch, state) = network.stack, window(network)
    lengths, rng = batch.mask.sum(axis=0), np.random.default_rng(4)
    x = np.asarray(network.source.forward(batch.inputs)).copy()
    dy, dstate = rng.normal(size=(T, B, 7)), rng.normal(size=state.shape)

    def loss() -> float:
        y, final = stack.forward(x.copy(), state, lengths=lengths)
        return float(np.sum(dy * y) + np.sum(dstate * final))

    loss()
    dx = stack.backward(dy.copy(), dstate)
    for values, gradient in ((x, dx.copy()), (state, stack.state_error())):
        direction = rng.normal(size=values.shape)
        kept = values.copy()
        values += 1e-5 * direction
        above = loss()
        values -= 2e-5 * direction
        below = loss()
        values[...] = kept
        assert np.sum(gradient * direction) == pytest.approx((above - below) / 2e-5, rel=1e-6)


def test_lengths_change_neither_the_loss_nor_the_gradient_of_what_is_masked() -> None:
    network = make(cell="lstm", num_layers=2, embedding_size=4)
    batch, state = window(network)
    loss, _ = network.backpropagate(batch, state)
    expected = {name: value.copy() for name, value in network.gradients.items()}
    with_lengths = replace(batch, lengths=batch.mask.sum(axis=0))
    assert network.backpropagate(with_lengths, state)[0] == pytest.approx(loss, rel=1e-12)
    for name, value in expected.items():
        np.testing.assert_allclose(network.gradients[name], value, rtol=1e-9, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("options", [{}, {"dropout": 0.4}, {"residual": True}], ids=["plain", "drop", "add"])
def test_rows_give_a_stack_what_their_vectors_do(options: dict[str, Any]) -> None:
    network = make(embedding_size=7, **options)
    batch, state = window(network)
    rows = Rows(network.source.table.value, batch.inputs)
    found = []
    for x in (rows, rows.table[rows.ids]):
        y, _ = network.stack.forward(x, state, np.random.default_rng(0))
        found.append((y.copy(), network.stack.backward(np.ones_like(y)).copy()))
    (y, dx), (expected_y, expected_dx) = found
    np.testing.assert_allclose(y, expected_y, rtol=1e-12)
    if dx.ndim == 2:
        expected = np.zeros_like(dx)
        np.add.at(expected, batch.inputs, expected_dx)
        expected_dx = expected
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-10)


def test_truncated_back_propagation_takes_no_error_of_a_state() -> None:
    network = make(embedding_size=4)
    batch, state = window(network)
    y, _ = network.forward(batch.inputs, state)
    with pytest.raises(ValueError, match="truncated BPTT takes no error of the state"):
        network.stack.backward(np.ones_like(y), np.ones_like(state), bptt_truncate=2)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_pass_that_was_interrupted_leaves_nothing_behind(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted, fresh = make(**options), make(**options)
    arguments = window(fresh)
    expected = gradients(fresh, *arguments)
    for part_of_it, method in ((interrupted.head, "loss_and_gradient"), (interrupted.stack, "backward")):
        gradients(interrupted, *window(interrupted, 1))
        with monkeypatch.context() as patch:
            patch.setattr(part_of_it, method, Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                interrupted.backpropagate(*window(interrupted, 2))
        for name, value in gradients(interrupted, *arguments).items():
            np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_stepper_takes_a_pass_that_has_begun_over() -> None:
    network = make(embedding_size=4)
    batch, state = window(network)
    y, _ = network.forward(batch.inputs, state)
    Stepper(network, state).log_probs(batch.inputs[0])
    with pytest.raises(RuntimeError, match="a layer serves once in a pass"):
        network.stack.backward(np.ones_like(y))
