"""The same numbers as PyTorch: from a file in any case, and live where torch is installed."""

import itertools
import runpy
from pathlib import Path

import numpy as np
import pytest

from tests.networks import make_network, window

pytestmark = pytest.mark.usefixtures("back_end")

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_torch_reference.py"
CASES = list(itertools.product(("tanh", "relu", "gru", "lstm"), (1, 2), (True, False)))
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("torch_reference.npz")) as file:
        return dict(file)


def check(expected: dict[str, np.ndarray], cell: str, num_layers: int, bias: bool, dtype: str) -> None:
    """Give a network PyTorch's weights, and hold values and gradients against PyTorch's."""
    vocabulary_size, embedding_size = expected["weight/embedding.weight"].shape
    network = make_network(
        vocabulary_size,
        cell=cell if cell in ("gru", "lstm") else "rnn",
        nonlinearity=cell if cell == "relu" else "tanh",
        embedding_size=embedding_size,
        hidden_size=expected["hidden"].shape[2],
        num_layers=num_layers,
        bias=bias,
        dtype=dtype,
    )
    weights = {name.removeprefix("weight/") for name in expected if name.startswith("weight/")}
    assert weights == network.parameters.keys()
    for name, value in network.parameters.items():
        assert value.shape == expected[f"weight/{name}"].shape
        value[...] = expected[f"weight/{name}"]
    ids, state = expected["ids"], expected["state"].astype(dtype)
    hidden, final_state = network.forward(ids[:-1], state)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(hidden, expected["hidden"], **close)
    np.testing.assert_allclose(final_state, expected["final_state"], **close)
    loss, _ = network.backpropagate(window(ids), state)
    np.testing.assert_allclose(loss, expected["loss"], **close)
    for name, gradient in network.gradients.items():
        np.testing.assert_allclose(gradient, expected[f"gradient/{name}"], **close, err_msg=name)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_values_and_gradients_are_pytorchs(
    stored: dict[str, np.ndarray], case: tuple[str, int, bool], dtype: str
) -> None:
    prefix = "-".join(map(str, case)) + "/"
    check({k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}, *case, dtype)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_values_and_gradients_are_those_of_the_pytorch_installed(case: tuple[str, int, bool]) -> None:
    torch = pytest.importorskip("torch")
    default = torch.get_default_dtype()
    try:
        reference = runpy.run_path(str(SCRIPT))["reference"](*case)
    finally:
        torch.set_default_dtype(default)  # the script works in double precision throughout
    check(reference, *case, "float64")
