"""Write tests/optim/torch_reference.npz: where PyTorch's optimizers go, step by step.

Usage: python scripts/make_torch_optimizer_reference.py

Needs torch (pip install torch==2.13.0). The file holds the initial parameters, the gradient and the learning rate
of each step, and for each case the parameters after each step, all in double precision.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

FILE = Path(__file__).parent.parent / "tests" / "optim" / "torch_reference.npz"
STEPS = 8
SHAPES = {"matrix": (3, 2), "vector": (4,)}
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in OPTIMIZERS),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
]
CASES = {
    "-".join([name, *(key for key, value in options.items() if value)]): (name, options)
    for name, common in OPTIONS
    for options in (common | {"weight_decay": 0.0}, common | {"weight_decay": 0.1})
}


def inputs() -> dict[str, np.ndarray]:
    """Draw the initial parameters, and gradients of many sizes."""
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.integers(-6, 2, STEPS)
    return {
        "rates": 0.1 / np.arange(1, STEPS + 1),
        **{f"initial/{name}": rng.normal(size=shape) for name, shape in SHAPES.items()},
        **{
            f"gradient/{name}": rng.normal(size=(STEPS, *shape)) * sizes.reshape(-1, *(1 for _ in shape))
            for name, shape in SHAPES.items()
        },
    }


def reference(case: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Compute the parameters after each step.

    Parameters
    ----------
    case
        A key of `CASES`.
    inputs
        What `inputs` returned.
    """
    name, options = CASES[case]
    parameters = {key: torch.tensor(inputs[f"initial/{key}"], requires_grad=True) for key in SHAPES}
    optimizer = OPTIMIZERS[name](parameters.values(), **options)
    path: dict[str, list[np.ndarray]] = {key: [] for key in SHAPES}
    for step, rate in enumerate(inputs["rates"]):
        optimizer.param_groups[0]["lr"] = float(rate)
        for key, parameter in parameters.items():
            parameter.grad = torch.tensor(inputs[f"gradient/{key}"][step])
        optimizer.step()
        for key, parameter in parameters.items():
            path[key].append(parameter.detach().numpy().copy())
    return {key: np.array(values) for key, values in path.items()}


if __name__ == "__main__":
    given = inputs()
    arrays = {f"{case}/{key}": value for case in CASES for key, value in reference(case, given).items()}
    np.savez_compressed(FILE, **given, **arrays)
