from typing import Any

import numpy as np
import pytest

from rnnlm.nn.network import Network
from tests.networks import make_network

C, T, B = 23, 7, 3

MODELS: dict[str, dict[str, Any]] = {
    "the tutorial's": {},
    "relu": {"nonlinearity": "relu", "embedding_size": 5, "bias": True},
    "gru": {"cell": "gru", "embedding_size": 5, "bias": True},
    "gru without biases, one-hot": {"cell": "gru"},
    "lstm": {"cell": "lstm", "embedding_size": 5, "bias": True, "num_layers": 3},
    "lstm, one-hot": {"cell": "lstm", "bias": True},
    "peepholes": {"cell": "lstm_peephole", "embedding_size": 5, "num_layers": 2},
    "coupled": {"cell": "lstm_coupled", "embedding_size": 5, "bias": True},
    "no forget gate": {"cell": "lstm_no_forget", "embedding_size": 5},
    "residual": {"cell": "lstm", "embedding_size": 6, "num_layers": 2, "residual": True},
    "tied": {"cell": "lstm", "embedding_size": 6, "tie_weights": True, "bias": True},
    "clusters": {"cell": "gru", "embedding_size": 5, "softmax_cutoffs": [8, 15], "bias": True},
    "clusters without biases": {"embedding_size": 5, "softmax_cutoffs": [20]},
}


def make(**values: Any) -> Network:
    """Make a network with weights so large that a gate in the wrong place would be seen."""
    network = make_network(C, hidden_size=6, **values, seed=1)
    rng = np.random.default_rng(0)
    for value in network.parameters.values():
        value[...] = rng.normal(0, 0.7, value.shape)
    return network


@pytest.mark.parametrize("name", MODELS)
def test_onnxruntime_gives_the_same_probabilities_with_carried_state(name: str) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from rnnlm.exchange.onnx_graph import onnx_model

    network = make(**MODELS[name])
    model = onnx_model(network)
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
    from rnnlm.exchange.onnx_graph import onnx_model

    tied = onnx_model(make(**MODELS["tied"]))
    names = [weight.name for weight in tied.graph.initializer]
    assert "embedding.weight" in names
    assert "output.weight" not in names
