"""The same steps as PyTorch's optimizers: from a file in any case, and live where torch is installed."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from rnnlm.optim import OPTIMIZERS

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_torch_optimizer_reference.py"
KINDS = ["sgd", "sgd-momentum", "sgd-momentum-nesterov", "adagrad", "rmsprop", "adam", "adamw"]
CASES = [f"{kind}{decay}" for kind in KINDS for decay in ("", "-weight_decay")]


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("torch_reference.npz")) as file:
        return dict(file)


def check(case: str, inputs: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Take the reference's steps, and hold the parameters after each against PyTorch's."""
    name, *options = case.split("-")
    settings = {"weight_decay": 0.1, "momentum": 0.9, "nesterov": True}
    # In Fortran's order, as the look-up table of a one-hot input is.
    parameters = {key: np.array(inputs[f"initial/{key}"], order="F") for key in expected}
    gradients = {key: np.zeros_like(value) for key, value in parameters.items()}
    optimizer = OPTIMIZERS[name](parameters, gradients, **{key: settings[key] for key in options})
    for step, rate in enumerate(inputs["rates"].tolist()):
        for key, gradient in gradients.items():
            gradient[...] = inputs[f"gradient/{key}"][step]
        optimizer.step(rate)
        for key, value in parameters.items():
            np.testing.assert_allclose(value, expected[key][step], rtol=1e-10, atol=1e-10, err_msg=f"step {step}")


@pytest.mark.parametrize("piece", [3, 1 << 15])
@pytest.mark.parametrize("case", CASES)
def test_the_steps_are_pytorchs(
    stored: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, case: str, piece: int
) -> None:
    monkeypatch.setattr("rnnlm.optim.optimizer.PIECE", piece)
    check(case, stored, {key: stored[f"{case}/{key}"] for key in ("matrix", "vector")})


@pytest.mark.parametrize("case", CASES)
def test_the_steps_are_those_of_the_pytorch_installed(case: str) -> None:
    pytest.importorskip("torch")
    script = runpy.run_path(str(SCRIPT))
    inputs = script["inputs"]()
    check(case, inputs, script["reference"](case, inputs))
