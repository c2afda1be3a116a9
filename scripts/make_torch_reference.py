"""Write tests/nn/torch_reference.npz: what PyTorch computes for small networks of every cell.

Usage: python scripts/make_torch_reference.py

Needs torch (pip install torch==2.13.0). For each case the file holds the weights, the inputs and targets, the
initial state, and PyTorch's hidden states, final state, loss and gradients, all in double precision.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch

FILE = Path(__file__).parent.parent / "tests" / "nn" / "torch_reference.npz"
VOCABULARY, EMBEDDING, HIDDEN, TIME, BATCH = 7, 3, 4, 5, 2
CASES = list(itertools.product(("tanh", "relu", "gru", "lstm"), (1, 2), (True, False)))


def reference(cell: str, num_layers: int, bias: bool) -> dict[str, np.ndarray]:
    """Compute one case.

    Parameters
    ----------
    cell
        "tanh" or "relu" for the vanilla cell, "gru" or "lstm".
    num_layers, bias
        As in the configuration.
    """
    torch.manual_seed(CASES.index((cell, num_layers, bias)))
    torch.set_default_dtype(torch.float64)
    options: dict[str, Any] = {"num_layers": num_layers, "bias": bias}
    layers = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    if cell in layers:
        rnn = layers[cell](EMBEDDING, HIDDEN, **options)
    else:
        rnn = torch.nn.RNN(EMBEDDING, HIDDEN, nonlinearity=cell, **options)
    network = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(VOCABULARY, EMBEDDING),
            "rnn": rnn,
            "output": torch.nn.Linear(HIDDEN, VOCABULARY, bias=bias),
        }
    )
    ids = torch.randint(0, VOCABULARY, (TIME + 1, BATCH))
    states = [torch.randn(num_layers, BATCH, HIDDEN) for _ in range(2 if cell == "lstm" else 1)]
    hidden, final = rnn(network["embedding"](ids[:-1]), tuple(states) if cell == "lstm" else states[0])
    logits = network["output"](hidden)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[1:].flatten(), reduction="sum")
    (loss / BATCH).backward()
    return {
        "ids": ids.numpy(),
        "state": torch.stack(states, dim=1).numpy(),
        "hidden": hidden.detach().numpy(),
        "final_state": torch.stack(final if cell == "lstm" else (final,), dim=1).detach().numpy(),
        "loss": loss.detach().numpy(),
        **{f"weight/{name}": value.detach().numpy() for name, value in network.named_parameters()},
        **{f"gradient/{name}": value.grad.numpy() for name, value in network.named_parameters()},
    }


if __name__ == "__main__":
    arrays = {
        f"{'-'.join(map(str, case))}/{name}": value for case in CASES for name, value in reference(*case).items()
    }
    np.savez_compressed(FILE, **arrays)
