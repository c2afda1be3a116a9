from typing import Any

import numpy as np
import pytest

from rnnlm.config import Config
from rnnlm.models import networks
from rnnlm.nn.network import Network
from rnnlm.nn.spelling import SpelledWords
from tests.networks import LANGUAGE_MODELS, make_network, with_large_weights

C, T, B = 23, 7, 3


def make(**values: Any) -> Network:
    """Make a network with weights so large that a gate in the wrong place would be seen."""
    return with_large_weights(make_network(C, hidden_size=6, **values, seed=1))


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_onnxruntime_gives_the_same_probabilities_with_carried_state(name: str) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from rnnlm.exchange.onnx_models import step_model

    network = make(**LANGUAGE_MODELS[name])
    model = step_model(network)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rng = np.random.default_rng(2)
    state = network.initial_state(B)
    there = np.zeros([size if isinstance(size, int) else B for size in session.get_inputs()[1].shape], np.float32)
    # A window, then single steps as in generation.
    for length in (T, 1, 1):
        ids = rng.integers(C, size=(length, B))
        expected, state = network.log_probs(ids, state)
        log_probs, there = session.run(None, {"ids": ids, "state": there})
        np.testing.assert_allclose(log_probs, expected, atol=1e-5)
        np.testing.assert_allclose(there.reshape(state.shape), state, atol=1e-5)
    # Another batch and another length, from the same session.
    ids = rng.integers(C, size=(2, 1))
    alone, _ = session.run(None, {"ids": ids, "state": there[:, :1]})
    np.testing.assert_allclose(alone, network.log_probs(ids, state[:, :, :1])[0], atol=1e-5)


def test_tied_weights_are_stored_once() -> None:
    pytest.importorskip("onnx")
    from rnnlm.exchange.onnx_models import step_model

    tied = step_model(make(**LANGUAGE_MODELS["tied"]))
    names = [weight.name for weight in tied.graph.initializer]
    assert "embedding.weight" in names
    assert "output.weight" not in names


K, A = 4, 9

CELLS = ["rnn", "gru", "lstm", "lstm_peephole", "lstm_coupled", "lstm_no_forget", "time_delay"]

# The section of the task, and that of the model.
READERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{
        f"{cell}, {'both directions' if both else 'one direction'}": (
            {"name": "classify", "pooling": "last"},
            {"cell": cell, "embedding_size": 5, "bidirectional": both, "num_layers": 2, "bias": True},
        )
        for cell in CELLS
        for both in (False, True)
    },
    **{
        f"{pooling} of {'both directions, residual' if both else 'one-hot'}": (
            {"name": "classify", "pooling": pooling},
            {"embedding_size": 12, "bidirectional": True, "residual": True, "num_layers": 2} if both else {},
        )
        for pooling in ("last", "mean", "max")
        for both in (False, True)
    },
    "tags, time delay": (
        {"name": "tag"},
        {
            "cell": "time_delay",
            "width": 3,
            "embedding_size": 5,
            "bidirectional": True,
            "num_layers": 2,
            "bias": True,
        },
    ),
    "tags": ({"name": "tag"}, {"cell": "lstm", "embedding_size": 5, "bidirectional": True, "bias": True}),
    "tags, one direction, one-hot": ({"name": "tag"}, {"cell": "gru", "num_layers": 2}),
    **{
        f"spelled, {cell}": (
            {"name": "tag"},
            {"cell": cell, "embedding_size": 5, "character_size": 3, "bidirectional": True, "bias": True},
        )
        for cell in CELLS
    },
    "spelled, one direction": ({"name": "tag"}, {"cell": "lstm", "embedding_size": 5, "character_size": 3}),
}


def make_reader(name: str) -> Network:
    """Make a classifier's or tagger's network with large weights."""
    task, model = READERS[name]
    config = Config.model_validate({"task": task, "model": {"hidden_size": 6, **model}, "training": {"seed": 1}})
    num_characters = A if "character_size" in model else None
    return with_large_weights(networks.make_network(config, C, num_classes=K, num_characters=num_characters))


@pytest.mark.parametrize("name", READERS)
def test_sequences_of_several_lengths_are_read_as_here(name: str) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from rnnlm.exchange.onnx_models import sequence_model

    network = make_reader(name)
    model = sequence_model(network)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rng = np.random.default_rng(2)
    for lengths in ([7, 3, 1], [2], [4, 4]):
        T, B = max(lengths), len(lengths)
        ids = rng.integers(C, size=(T, B))
        feeds: dict[str, Any] = {"ids": ids, "lengths": np.array(lengths)}
        inputs: Any = ids
        if "spelled" in name:
            of_spellings = np.array([3, 1, 5, 2])
            characters = rng.integers(A, size=(5, 4))
            places = rng.integers(4, size=(T, B))
            inputs = SpelledWords(ids, places, characters, of_spellings)
            feeds |= {"places": places, "characters": characters, "character_lengths": of_spellings}
        [found] = session.run(["log_probs"], feeds)
        expected, _ = network.log_probs(inputs, network.initial_state(B), lengths=feeds["lengths"])
        if network.pooling is not None:
            np.testing.assert_allclose(found, expected[0], atol=1e-5)
            continue
        assert found.shape == (T, B, K)
        own = np.arange(T)[:, None] < feeds["lengths"]
        np.testing.assert_allclose(found[own], expected[own], atol=1e-5)


def test_what_stands_after_the_end_changes_nothing() -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from rnnlm.exchange.onnx_models import sequence_model

    session = onnxruntime.InferenceSession(
        sequence_model(make_reader("mean of both directions, residual")).SerializeToString()
    )
    ids = np.random.default_rng(2).integers(C, size=(6, 2))
    lengths = np.array([6, 2])
    [first] = session.run(None, {"ids": ids, "lengths": lengths})
    ids[2:, 1] = 0
    [second] = session.run(None, {"ids": ids, "lengths": lengths})
    np.testing.assert_array_equal(first, second)
