"""The code in docs/pytorch.md, run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import rnnlm
from rnnlm.cli.main import main
from rnnlm.nn.batch import Pairs
from rnnlm.nn.spelling import SpelledWords

DOCUMENT = Path(__file__).parent.parent / "docs" / "pytorch.md"
LSTM, TIED, ONE_HOT, DELAY, CLASSIFIER, TAGGER, TRANSLATOR, BACK = re.findall(
    r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
)

# By the name of the run: the network, and the blocks that load it.
MODELS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "lstm": ({"cell": "lstm", "num_layers": 2, "embedding_size": 5, "bias": True}, [LSTM]),
    "tied": ({"cell": "gru", "embedding_size": 6, "tie_weights": True, "bias": True}, [LSTM, TIED]),
    "tutorial": ({}, [LSTM, ONE_HOT]),
    "time-delay": ({"cell": "time_delay", "width": 3, "embedding_size": 5, "bias": True}, [LSTM, DELAY]),
}
TWO_WAYS = {"cell": "lstm", "embedding_size": 5, "bidirectional": True, "bias": True}


def train(name: str, dataset: Path, task: str = "language_model", pooling: str | None = None, **more: Any) -> None:
    """Train the network of that name for a few steps."""
    values = {
        "task": {"name": task} | ({"pooling": pooling} if pooling else {}),
        "data": {"path": str(dataset)},
        "model": {"hidden_size": 6, **(MODELS[name][0] if name in MODELS else TWO_WAYS), **more},
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


def numbers(torch: Any, model: Any, *inputs: Any) -> Any:
    with torch.no_grad():
        return np.asarray(model(*map(torch.from_numpy, inputs)))


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_classifier_goes_to_pytorch_and_back(
    pooling: str, word_dataset: Path, label_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    train("lstm", word_dataset)
    train("topics", label_dataset, "classify", pooling)
    namespace: dict[str, Any] = {}
    exec(LSTM, namespace)
    exec(CLASSIFIER.replace('pooling="max"', f'pooling="{pooling}"'), namespace)
    ids, lengths = np.random.default_rng(0).integers(namespace["C"], size=(6, 3)), np.array([6, 1, 4])
    found = numbers(torch, namespace["model"], ids, lengths)
    network = rnnlm.load("runs/topics").network
    [expected], _ = network.log_probs(ids, network.initial_state(3), lengths=lengths)
    np.testing.assert_allclose(found, expected, atol=1e-5)

    exec(BACK, namespace)
    main(["import", "model.pt", "--config", "config.yaml", "--out", "runs/from-torch", "--quiet"])
    again: Any = rnnlm.load("runs/from-torch")
    there: Any = rnnlm.load("runs/topics")
    assert list(again.predict(["an old cat"])) == list(there.predict(["an old cat"]))


def test_a_tagger_goes_to_pytorch_and_back(
    word_dataset: Path, tag_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    train("lstm", word_dataset)
    train("pos", tag_dataset, "tag", character_size=3)
    namespace: dict[str, Any] = {}
    for block in (LSTM, CLASSIFIER.partition("\n\n\n")[0], TAGGER):
        exec(block, namespace)
    rng = np.random.default_rng(0)
    ids, lengths, places = (
        rng.integers(namespace["C"], size=(5, 2)),
        np.array([3, 5]),
        rng.integers(4, size=(5, 2)),
    )
    characters, letters = rng.integers(namespace["letters"], size=(6, 4)), np.array([1, 6, 3, 2])
    found = numbers(torch, namespace["model"], ids, lengths, places, characters, letters)
    network = rnnlm.load("runs/pos").network
    words = SpelledWords(ids, places, characters, letters)
    expected, _ = network.log_probs(words, network.initial_state(2), lengths=lengths)
    own = np.arange(5)[:, None] < lengths
    np.testing.assert_allclose(found[own], expected[own], atol=1e-5)

    exec(BACK, namespace)
    main(["import", "model.pt", "--config", "config.yaml", "--out", "runs/from-torch", "--quiet"])
    again: Any = rnnlm.load("runs/from-torch")
    there: Any = rnnlm.load("runs/pos")
    assert list(again.predict(["The old cat"])) == list(there.predict(["The old cat"]))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_translator_goes_to_pytorch_and_back(
    reverse: bool, word_dataset: Path, pair_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    train("lstm", word_dataset)
    train("translate", pair_dataset, "translate", bidirectional=False)
    namespace: dict[str, Any] = {}
    for block in (LSTM, CLASSIFIER.partition("\n\n\n")[0], TRANSLATOR):
        exec(block, namespace)
    rng = np.random.default_rng(0)
    source, ids = (rng.integers(namespace[size], size=(5, 2)) for size in ("S", "C"))
    lengths = np.array([3, 5])
    read = source.copy()
    if reverse:
        for column, length in enumerate(lengths):
            read[:length, column] = source[:length, column][::-1]
    found = numbers(torch, namespace["model"], read, lengths, ids)
    network: Any = rnnlm.load("runs/translate").network
    network.encoder.reverse = reverse
    expected, _ = network.log_probs(Pairs(ids, source, lengths), network.initial_state(2))
    np.testing.assert_allclose(found, expected, atol=1e-5)

    exec(BACK, namespace)
    main(["import", "model.pt", "--config", "config.yaml", "--out", "runs/from-torch", "--quiet"])
    again, there = (rnnlm.load(path) for path in ("runs/from-torch", "runs/translate"))
    assert list(again.predict(["eins zwei"])) == list(there.predict(["eins zwei"]))  # type: ignore[union-attr]
