"""The code in docs/pytorch.md, run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import rnnlm
from rnnlm.cli.main import main

DOCUMENT = Path(__file__).parent.parent / "docs" / "pytorch.md"
LSTM, TIED, ONE_HOT, BACK = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)

# By the name of the run: the network, and the blocks that load it.
MODELS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "lstm": ({"cell": "lstm", "num_layers": 2, "embedding_size": 5, "bias": True}, [LSTM]),
    "tied": ({"cell": "gru", "embedding_size": 6, "tie_weights": True, "bias": True}, [LSTM, TIED]),
    "tutorial": ({}, [LSTM, ONE_HOT]),
}


def train(name: str, dataset: Path) -> None:
    """Train the network of that name for a few steps."""
    values = {
        "data": {"path": str(dataset)},
        "model": {"hidden_size": 6, **MODELS[name][0]},
        "training": {"max_steps": 20, "sample_tokens": 0},
        "optimizer": {"learning_rate": 0.1},
    }
    Path("config.yaml").write_text(yaml.safe_dump(values))
    main(["train", "--config", "config.yaml", "--out", f"runs/{name}", "--quiet"])


def log_probs(torch: Any, model: Any, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(model(torch.tensor(ids)[:, None])[:, 0])


@pytest.mark.parametrize("name", MODELS)
def test_weights_go_to_pytorch_and_back(
    name: str, word_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    # The first block defines what the others use, and loads the LSTM.
    for run in sorted({"lstm", name}):
        train(run, word_dataset)
    namespace: dict[str, Any] = {}
    for block in MODELS[name][1]:
        exec(block, namespace)
    model = namespace["model"]
    ids = [1, 5, 9, 4, 4, 7]
    there = log_probs(torch, model, ids)
    np.testing.assert_allclose(there, rnnlm.load(f"runs/{name}").log_probs(ids), atol=1e-5)

    # Train it there, so that it is another model.
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    (-model(torch.tensor(ids[:-1])[:, None])[range(5), 0, ids[1:]].mean()).backward()
    optimizer.step()
    trained = log_probs(torch, model, ids)
    assert abs(trained - there).max() > 0.01

    exec(BACK, namespace)
    main(["import", "model.pt", "--config", "config.yaml", "--out", "runs/from-torch", "--quiet"])
    np.testing.assert_allclose(rnnlm.load("runs/from-torch").log_probs(ids), trained, atol=1e-5)
