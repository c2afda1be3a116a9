"""PyTorch's numbers for classifiers and taggers: from a file in any case, and live where torch is installed."""

import itertools
import runpy
from pathlib import Path

import numpy as np
import pytest

from rnnlm.nn.batch import Batch
from rnnlm.nn.spelling import SpelledWords
from tests.networks import make_task_network

pytestmark = pytest.mark.usefixtures("back_end")

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_torch_task_reference.py"
CASES = list(itertools.product(("tanh", "gru", "lstm"), ("last", "mean", "max", "tag", "spelled")))
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("torch_task_reference.npz")) as file:
        return dict(file)


def check(expected: dict[str, np.ndarray], cell: str, what: str, dtype: str) -> None:
    """Give a network PyTorch's weights, and hold values and gradients against PyTorch's."""
    vocabulary_size, embedding_size = expected["weight/embedding.weight"].shape
    spelled, is_tagger = what == "spelled", what in ("tag", "spelled")
    num_characters, character_size = (
        expected["weight/characters.embedding.weight"].shape if spelled else (None, None)
    )
    network = make_task_network(
        vocabulary_size,
        task="tag" if is_tagger else "classify",
        pooling=None if is_tagger else what,
        num_classes=len(expected["weight/output.weight"]),
        num_characters=num_characters,
        cell=cell if cell in ("gru", "lstm") else "rnn",
        embedding_size=embedding_size,
        character_size=character_size,
        hidden_size=expected["final_state"].shape[3],
        num_layers=len(expected["final_state"]),
        bidirectional=True,
        bias=True,
        dtype=dtype,
    )
    weights = {name.removeprefix("weight/") for name in expected if name.startswith("weight/")}
    assert weights == network.parameters.keys()
    for name, value in network.parameters.items():
        assert value.shape == expected[f"weight/{name}"].shape
        value[...] = expected[f"weight/{name}"]
    ids, lengths, mask = expected["ids"], expected["lengths"], expected["mask"]
    inputs = ids
    if spelled:
        inputs = SpelledWords(ids, expected["places"], expected["characters"], expected["spelling_lengths"])
    state = network.initial_state(len(lengths))
    hidden, final_state = network.forward(inputs, state, lengths=lengths)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(hidden[mask], expected["hidden"][mask], **close)
    np.testing.assert_allclose(final_state, expected["final_state"], **close)
    loss, _ = network.backpropagate(Batch(inputs, expected["targets"], mask, lengths=lengths), state)
    np.testing.assert_allclose(loss, expected["loss"], **close)
    for name, gradient in network.gradients.items():
        np.testing.assert_allclose(gradient, expected[f"gradient/{name}"], **close, err_msg=name)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_values_and_gradients_are_pytorchs(
    stored: dict[str, np.ndarray], case: tuple[str, str], dtype: str
) -> None:
    prefix = "-".join(case) + "/"
    check({k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}, *case, dtype)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_values_and_gradients_are_those_of_the_pytorch_installed(case: tuple[str, str]) -> None:
    torch = pytest.importorskip("torch")
    default = torch.get_default_dtype()
    try:
        reference = runpy.run_path(str(SCRIPT))["reference"](*case)
    finally:
        torch.set_default_dtype(default)  # the script works in double precision throughout
    check(reference, *case, "float64")
