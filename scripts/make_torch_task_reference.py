"""Write tests/nn/torch_task_reference.npz: what PyTorch computes for small classifiers and taggers.

Usage: python scripts/make_torch_task_reference.py

Needs torch (pip install torch==2.13.0). The layers are bidirectional and read packed sequences. For each case
the file holds the weights, the inputs and targets, and PyTorch's hidden states, final state, loss and gradients,
all in double precision.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils import rnn as packing

FILE = Path(__file__).parent.parent / "tests" / "nn" / "torch_task_reference.npz"
VOCABULARY, CHARACTERS, CLASSES, EMBEDDING, CHARACTER_SIZE, HIDDEN = 7, 5, 3, 3, 2, 4
LENGTHS, SPELLING_LENGTHS = torch.tensor([4, 6, 1, 6]), torch.tensor([3, 1, 4])
CELLS = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
CASES = list(itertools.product(CELLS, ("last", "mean", "max", "tag", "spelled")))


def reference(cell: str, what: str) -> dict[str, np.ndarray]:
    """Compute one case.

    Parameters
    ----------
    cell
        "tanh" for the vanilla cell, "gru" or "lstm".
    what
        How a classifier of one layer pools, "tag" for a tagger of two layers, or "spelled" for one that reads the
        characters of its words.
    """
    torch.manual_seed(CASES.index((cell, what)))
    torch.set_default_dtype(torch.float64)
    extra = 2 * CHARACTER_SIZE if what == "spelled" else 0
    num_layers, T, B = 2 if what == "tag" else 1, int(LENGTHS.max()), len(LENGTHS)
    modules: dict[str, Any] = {
        "embedding": torch.nn.Embedding(VOCABULARY, EMBEDDING),
        "rnn": CELLS[cell](EMBEDDING + extra, HIDDEN, num_layers=num_layers, bidirectional=True),
        "output": torch.nn.Linear(2 * HIDDEN, CLASSES),
    }
    if what == "spelled":
        of_characters = {
            "embedding": torch.nn.Embedding(CHARACTERS, CHARACTER_SIZE),
            "rnn": CELLS[cell](CHARACTER_SIZE, CHARACTER_SIZE, bidirectional=True),
        }
        modules["characters"] = torch.nn.ModuleDict(of_characters)
    network = torch.nn.ModuleDict(modules)
    ids = torch.randint(0, VOCABULARY, (T, B))
    places = torch.randint(0, len(SPELLING_LENGTHS), (T, B))
    characters = torch.randint(0, CHARACTERS, (int(SPELLING_LENGTHS.max()), len(SPELLING_LENGTHS)))
    x = modules["embedding"](ids)
    if what == "spelled":
        vectors = of_characters["embedding"](characters)
        _, last = run(of_characters["rnn"], vectors, SPELLING_LENGTHS)
        x = torch.cat([x, torch.cat([last[0][0], last[0][1]], dim=1)[places]], dim=2)
    y, final = run(modules["rnn"], x, LENGTHS)
    own = torch.arange(T)[:, None] < LENGTHS
    if what == "last":
        hidden = torch.cat([final[0][-2], final[0][-1]], dim=1)[None]
    elif what == "mean":
        hidden = (y.sum(dim=0) / LENGTHS[:, None])[None]
    elif what == "max":
        hidden = y.masked_fill(~own[..., None], -torch.inf).amax(dim=0)[None]
    else:
        hidden = y
    mask = own if hidden is y else torch.ones(1, B, dtype=torch.bool)
    targets = torch.randint(0, CLASSES, mask.shape)
    logits = modules["output"](hidden)
    loss = torch.nn.functional.cross_entropy(logits[mask], targets[mask], reduction="sum")
    (loss / B).backward()
    # Of each layer the states of the forward direction, then those of the reverse one.
    state = torch.stack([each.reshape(num_layers, 2, B, HIDDEN) for each in final], dim=2).flatten(1, 2)
    inputs = {"ids": ids, "places": places, "characters": characters, "lengths": LENGTHS}
    found = {"targets": targets, "mask": mask, "hidden": hidden, "final_state": state, "loss": loss}
    return {
        **{name: value.detach().numpy() for name, value in (inputs | found).items()},
        "spelling_lengths": SPELLING_LENGTHS.numpy(),
        **{f"weight/{name}": value.detach().numpy() for name, value in network.named_parameters()},
        **{f"gradient/{name}": value.grad.numpy() for name, value in network.named_parameters()},
    }


def run(layer: Any, x: Any, lengths: Any) -> tuple[Any, tuple[Any, ...]]:
    """Run a layer over packed sequences; return its padded output, and h and, of an LSTM, c after it."""
    packed, final = layer(packing.pack_padded_sequence(x, lengths, enforce_sorted=False))
    y, _ = packing.pad_packed_sequence(packed)
    return y, final if isinstance(final, tuple) else (final,)


if __name__ == "__main__":
    arrays = {f"{'-'.join(case)}/{name}": value for case in CASES for name, value in reference(*case).items()}
    np.savez_compressed(FILE, **arrays)
