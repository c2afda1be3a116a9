"""An encoder and a decoder: gradients, PyTorch's numbers, padding, steps, and what only a right one learns."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnlm.nn.batch import Batch, Pairs
from rnnlm.nn.cells import CELLS
from rnnlm.nn.encoder_decoder import EncoderDecoder
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.nn.stepping import DecoderStepper
from rnnlm.optim import OPTIMIZERS
from tests.networks import make_translation_network

SOURCE, TARGET, S, T, B = 9, 8, 5, 4, 3
LENGTHS, SOURCE_LENGTHS = np.array([4, 2, 3]), np.array([2, 5, 1])
BASIS: dict[str, object] = {"hidden_size": 4, "embedding_size": 5, "bias": True}
DROPS: dict[str, object] = {
    "dropout": 0.3,
    "embedding_dropout": 0.2,
    "activation_regularization": 2.0,
    "temporal_activation_regularization": 1.0,
}
ATTENTION: dict[str, object] = {"attention": "additive"}
BOTH_WAYS: dict[str, object] = {"bidirectional": True}
NETWORKS: dict[str, dict[str, object]] = {
    "plain": {},
    "reversed": {"reverse_source": True},
    "two layers": {"num_layers": 2},
    "both ways": {**BOTH_WAYS, "num_layers": 2, "reverse_source": True},
    "attention": ATTENTION,
    "attention, both ways": {**ATTENTION, **BOTH_WAYS, "num_layers": 2},
    "attention, reversed": {**ATTENTION, "reverse_source": True},
}
VARIANTS: dict[str, dict[str, object]] = {
    "one-hot": {"embedding_size": None},
    "without biases": {"bias": False},
    "residual": {"residual": True, "num_layers": 2, "embedding_size": 4},
    "residual, both ways": {"residual": True, "num_layers": 2, **BOTH_WAYS},
    "dropout": DROPS,
    "variational dropout": {**DROPS, "variational_dropout": True, "recurrent_dropout": 0.2},
    "tied": {"tie_weights": True, "embedding_size": 4},
    "sampled": {"softmax_samples": 3},
    "adaptive": {"softmax_cutoffs": [3, 5]},
}
CASES = [
    (cell, name)
    for cell in [*CELLS, "time_delay"]
    for name, options in {**NETWORKS, "residual": VARIANTS["residual"]}.items()
    # A decoder of time_delay goes on from an encoder that reads one way.
    if not (cell == "time_delay" and options.get("bidirectional"))
    and (cell in ("lstm", "time_delay") or name in ("both ways", "attention, both ways"))
]


def make(*options: dict[str, object], sizes: tuple[int, int] = (SOURCE, TARGET), **more: Any) -> EncoderDecoder:
    given = BASIS.copy()
    for each in (*options, more):
        given |= each
    network = make_translation_network(*sizes, **given)  # type: ignore[arg-type]
    rng = np.random.default_rng(5)
    for value in network.parameters.values():
        value += rng.normal(0, 0.4, value.shape)  # so that nothing is near zero
    return network


def batch(sizes: tuple[int, int] = (SOURCE, TARGET)) -> Batch:
    """Make padded pairs, their longest target and their longest source not the same."""
    rng = np.random.default_rng(0)
    source, ids = rng.integers(0, sizes[0], (S, B)), rng.integers(0, sizes[1], (T, B))
    return Batch(
        Pairs(ids, source, SOURCE_LENGTHS),
        rng.integers(0, sizes[1], (T, B)),
        np.arange(T)[:, None] < LENGTHS,
    )


def pair(of: Batch, b: int) -> Batch:
    """Take one pair out of a batch, without its padding."""
    pairs, one = of.inputs, slice(b, b + 1)
    assert isinstance(pairs, Pairs)
    length, source_length = LENGTHS[b], SOURCE_LENGTHS[b]
    alone = Pairs(pairs.ids[:length, one], pairs.source[:source_length, one], SOURCE_LENGTHS[one])
    return Batch(alone, of.targets[:length, one], of.mask[:length, one])


def assert_gradients_are_right(network: EncoderDecoder, of: Batch, drops: bool) -> None:
    errors = gradient_check(network, of, network.initial_state(B), drops=drops, samples=4)
    assert errors.keys() == network.parameters.keys()
    assert max(errors.values()) < 1e-6, errors


def make_case(cell: str, name: str) -> EncoderDecoder:
    return make({**NETWORKS, **VARIANTS}[name], {"width": 3} if cell == "time_delay" else {}, cell=cell)


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize(("cell", "name"), CASES)
def test_gradients_are_those_of_central_differences(cell: str, name: str) -> None:
    assert_gradients_are_right(make_case(cell, name), batch(), drops=False)


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("drops", [False, True], ids=["as it is used", "as it is trained"])
@pytest.mark.parametrize("of", [{}, ATTENTION], ids=["plain", "attention"])
@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_of_variants_are_those_of_central_differences(
    name: str, of: dict[str, object], drops: bool
) -> None:
    assert_gradients_are_right(make(of, VARIANTS[name], cell="lstm"), batch(), drops)


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("of", [{}, ATTENTION, BOTH_WAYS], ids=["plain", "attention", "both ways"])
def test_gradients_are_right_where_products_are_taken_once_a_token(of: dict[str, object]) -> None:
    sizes = (3, 3)
    network, few = make(of, cell="gru", sizes=sizes), batch(sizes)
    assert isinstance(few.inputs, Pairs)
    assert network.reads_by_token(few.inputs.ids, None)
    assert_gradients_are_right(network, few, drops=False)


@pytest.mark.parametrize("name", NETWORKS)
def test_all_parameters_are_trained(name: str) -> None:
    network = make(NETWORKS[name], cell="gru")
    assert sorted(network.trained) == sorted(network.parameters)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_padded_batch_is_its_pairs_one_by_one(name: str) -> None:
    network, of = make(NETWORKS[name], cell="lstm"), batch()
    together, _ = network.backpropagate(of, network.initial_state(B))
    gradients = {key: value.copy() for key, value in network.gradients.items()}
    losses = network.losses(of, network.initial_state(B))[0]
    loss, sums = 0.0, {key: np.zeros_like(value) for key, value in gradients.items()}
    for b in range(B):
        alone, _ = network.backpropagate(pair(of, b), network.initial_state(1))
        loss += alone
        for key, value in network.gradients.items():
            sums[key] += value / B
        found, _ = network.losses(pair(of, b), network.initial_state(1))
        np.testing.assert_allclose(losses[np.nonzero(of.mask)[1] == b], found, rtol=1e-12)
    assert together == pytest.approx(loss, rel=1e-12)
    for key, value in gradients.items():
        np.testing.assert_allclose(value, sums[key], rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_stands_in_the_padding_does_not_matter(name: str) -> None:
    network, of = make(NETWORKS[name], cell="gru"), batch()
    pairs = of.inputs
    assert isinstance(pairs, Pairs)
    expected, _ = network.backpropagate(of, network.initial_state(B))
    gradients = {key: value.copy() for key, value in network.gradients.items()}
    pairs.source[np.arange(S)[:, None] >= SOURCE_LENGTHS] = 0
    pairs.ids[~of.mask] = of.targets[~of.mask] = 0
    assert network.backpropagate(of, network.initial_state(B))[0] == expected
    for key, value in gradients.items():
        np.testing.assert_allclose(network.gradients[key], value, rtol=1e-12, atol=1e-14, err_msg=key)


def pytorchs_losses(torch: Any, network: EncoderDecoder, tensors: dict[str, Any], of: Batch, cell: str) -> Any:
    """Compute the losses (N,) with PyTorch's modules, made of our tensors by their names."""
    from torch.func import functional_call
    from torch.nn.utils import rnn

    layers, both_ways = len(network.stack.layers), not network.encoder.stack.is_one_way
    pairs = of.inputs
    assert isinstance(pairs, Pairs)
    source, turned = pairs.source, pairs.source.copy()
    for b, length in enumerate(SOURCE_LENGTHS):
        turned[:length, b] = source[:length, b][::-1]
    read = torch.from_numpy(turned if network.encoder.reverse else source)

    def module(side: str, both_ways: bool, x: Any, state: Any = None) -> Any:
        E, H = BASIS["embedding_size"], BASIS["hidden_size"]
        of_side = {
            key.removeprefix(f"{side}.rnn."): value for key, value in tensors.items() if f"{side}.rnn" in key
        }
        made = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](
            E, H, layers, bidirectional=both_ways, dtype=torch.float64
        )
        assert {key: value.shape for key, value in made.named_parameters()} == {
            key: value.shape for key, value in of_side.items()
        }
        return functional_call(made, of_side, (x, state))

    embedded = torch.nn.functional.embedding(read, tensors["encoder.embedding.weight"])
    packed = rnn.pack_padded_sequence(embedded, torch.from_numpy(SOURCE_LENGTHS), enforce_sorted=False)
    annotations, state = module("encoder", both_ways, packed)
    annotations, _ = rnn.pad_packed_sequence(annotations)
    if both_ways:  # of each layer the mean of both directions
        halves = [each.unflatten(0, (layers, 2)).mean(dim=1) for each in (state if cell == "lstm" else [state])]
        state = tuple(halves) if cell == "lstm" else halves[0]
    ids = torch.nn.functional.embedding(torch.from_numpy(pairs.ids), tensors["decoder.embedding.weight"])
    hidden, _ = module("decoder", False, ids, state)
    if network.attention is not None:
        W, U, v, V, b = (tensors[f"decoder.attention.{name}"] for name in network.attention.parameters)
        scores = torch.tanh((hidden @ W.T)[:, None] + annotations @ U.T) @ v[0]
        padding = torch.arange(S)[:, None] >= torch.from_numpy(SOURCE_LENGTHS)
        weights = torch.softmax(scores.masked_fill(padding, -torch.inf), dim=1)
        context = torch.einsum("tsb,sbe->tbe", weights, annotations)
        hidden = torch.tanh(torch.cat([context, hidden], dim=2) @ V.T + b)
    logits = hidden @ tensors["decoder.output.weight"].T + tensors["decoder.output.bias"]
    mask = torch.from_numpy(of.mask)
    return torch.nn.functional.cross_entropy(logits[mask], torch.from_numpy(of.targets)[mask], reduction="none")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_losses_and_gradients_are_pytorchs(cell: str, name: str) -> None:
    torch = pytest.importorskip("torch")
    network, of = make(NETWORKS[name], cell=cell), batch()
    tensors = {key: torch.tensor(value, requires_grad=True) for key, value in network.tensors().items()}
    losses = pytorchs_losses(torch, network, tensors, of, cell)
    (losses.sum() / B).backward()
    found, _ = network.losses(of, network.initial_state(B))
    np.testing.assert_allclose(found, losses.detach(), rtol=1e-10)
    loss, _ = network.backpropagate(of, network.initial_state(B))
    assert loss == pytest.approx(float(losses.detach().sum()), rel=1e-10)
    for key, gradient in network.gradients.items():
        np.testing.assert_allclose(gradient, tensors[key].grad, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize(("cell", "name"), CASES)
def test_steps_give_what_a_window_gives(cell: str, name: str) -> None:
    network, pairs = make_case(cell, name), batch().inputs
    assert isinstance(pairs, Pairs)
    columns = np.array([2, 0, 0, 1])
    chosen = Pairs(pairs.ids[:, columns], pairs.source[:, columns], SOURCE_LENGTHS[columns])
    of_all, _ = network.log_probs(pairs, network.initial_state(B))
    of_chosen, _ = network.log_probs(chosen, network.initial_state(len(columns)))
    stepper = DecoderStepper(network, pairs.source, SOURCE_LENGTHS)
    close = {"rtol": 1e-11, "atol": 1e-13}
    for t in range(2):
        np.testing.assert_allclose(stepper.log_probs(pairs.ids[t]), of_all[t], **close)
    stepper.choose(columns)
    np.testing.assert_allclose(stepper.log_probs(chosen.ids[2]), of_chosen[2], **close)
    stepper.choose(np.array([0, 2, 1, 3]))  # the second and the third are of one source
    swapped = chosen.ids[3][[0, 2, 1, 3]]
    np.testing.assert_allclose(stepper.log_probs(swapped), of_chosen[3], **close)


@pytest.mark.parametrize("name", NETWORKS)
def test_products_count_what_is_multiplied_for_a_token(name: str) -> None:
    network, of = make(NETWORKS[name], cell="gru"), batch()
    of_source = [key for key in network.parameters if key.startswith("encoder.rnn.weight") or ".key." in key]
    of_target = [key for key in network.parameters if ".rnn.weight" in key and key not in of_source]
    of_target += [key for key in network.parameters if key.endswith(("query.weight", "output.weight"))]
    sums = [sum(network.parameters[key].size for key in keys) for keys in (of_source, of_target)]
    assert network.products(of.inputs, None) == sums[1] + sums[0] * S // T


@pytest.mark.parametrize("inputs", [np.zeros((2, 1), int), np.zeros((2, 1, 3))])
def test_it_reads_pairs_only(inputs: np.ndarray) -> None:
    network = make(cell="gru")
    with pytest.raises(TypeError, match="read pairs"):
        network.forward(inputs, network.initial_state(1))


Make = Callable[[np.random.Generator], tuple[list[int], list[int]]]
"""Draws a source and its target."""

START, END, FIRST, WORDS = 1, 2, 3, 13


def copied(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    source = rng.integers(FIRST, FIRST + 5, rng.integers(3, 6)).tolist()
    return source, source


def turned(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    source, _ = copied(rng)
    return source, source[::-1]


def added(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Two numbers below 100 and their sum, each from its last digit to its first."""
    one, other = rng.integers(0, 100, 2).tolist()
    return [*digits(one), *digits(other)], digits(one + other)


def digits(number: int) -> list[int]:
    return [FIRST + int(digit) for digit in f"{number:02}"[::-1]]


def gathered(pairs: list[tuple[list[int], list[int]]]) -> Batch:
    """Make a batch of pairs."""
    source = [[*ids, END] for ids, _ in pairs]
    lengths = np.array([len(ids) for ids in source])
    read, written = ([[START, *ids] for _, ids in pairs], [[*ids, END] for _, ids in pairs])
    sides = [np.array(list(itertools.zip_longest(*ids, fillvalue=0))) for ids in (source, read, written)]
    mask = np.arange(len(sides[1]))[:, None] < [len(ids) for ids in read]
    return Batch(Pairs(sides[1], sides[0], lengths), sides[2], mask)


def solved(network: EncoderDecoder, pairs: list[tuple[list[int], list[int]]]) -> float:
    """Return the share of pairs of which every token is the most likely one."""
    of = gathered(pairs)
    log_probs, _ = network.log_probs(of.inputs, network.initial_state(len(pairs)))
    right = log_probs.argmax(axis=2) == of.targets
    return float((right | ~of.mask).all(axis=0).mean())


@pytest.mark.parametrize(
    ("task", "options", "steps"),
    [
        (copied, {"hidden_size": 48, "reverse_source": True}, 400),
        (copied, {"hidden_size": 24, **ATTENTION, **BOTH_WAYS}, 150),
        (turned, {"hidden_size": 48}, 400),
        (turned, {"hidden_size": 24, **ATTENTION, **BOTH_WAYS}, 150),
        (added, {"hidden_size": 48}, 1500),
        (added, {"hidden_size": 48, **ATTENTION}, 1500),
    ],
    ids=["copy", "copy, attention", "reverse", "reverse, attention", "addition", "addition, attention"],
)
def test_a_task_is_solved_on_pairs_never_seen(task: Make, options: dict[str, object], steps: int) -> None:
    rng = np.random.default_rng(0)
    drawn = [task(rng) for _ in range(6000)]
    held_out = drawn[:200]
    unseen = {tuple(source) for source, _ in held_out}
    training = [pair for pair in drawn if tuple(pair[0]) not in unseen]
    given: dict[str, Any] = {"cell": "gru", "embedding_size": 16, "bias": True, **options}
    network = make_translation_network(WORDS, WORDS, dtype="float32", **given)
    optimizer, state = OPTIMIZERS["adam"](network.parameters, network.gradients), network.initial_state(1)
    for step in range(steps):
        network.backpropagate(gathered([training[k] for k in rng.integers(len(training), size=64)]), state)
        optimizer.step(0.02 * min(1, 2 - 2 * step / steps))
    assert solved(network, held_out) > 0.9
