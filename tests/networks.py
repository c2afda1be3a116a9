"""Networks, layers and windows for tests."""

from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.models import networks
from rnnlm.nn.batch import Batch
from rnnlm.nn.cells import CELLS
from rnnlm.nn.encoder_decoder import EncoderDecoder
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.network import Network
from rnnlm.nn.recurrent import RecurrentLayer

LANGUAGE_MODELS: dict[str, dict[str, Any]] = {
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
    "time delay": {"cell": "time_delay", "width": 4, "embedding_size": 9, "num_layers": 2, "bias": True},
    "time delay of one": {"cell": "time_delay", "embedding_size": 5, "nonlinearity": "linear"},
    "time delay, one-hot": {"cell": "time_delay", "width": 3, "num_layers": 2, "nonlinearity": "relu"},
    "time delay, residual, tied": {
        **{"cell": "time_delay", "width": 3, "embedding_size": 6, "tie_weights": True, "residual": True},
    },
    "clusters": {"cell": "gru", "embedding_size": 5, "softmax_cutoffs": [8, 15], "bias": True},
    "clusters without biases": {"embedding_size": 5, "softmax_cutoffs": [20]},
}
"""Model sections of language models of every kind."""


def make_network(vocabulary_size: int, *, seed: int = 0, dtype: str = "float32", **model: object) -> Network:
    """Make the network of a configuration with these keys in its model section."""
    config = Config.model_validate({"model": model, "training": {"seed": seed}})
    return networks.make_network(config, vocabulary_size, dtype)


def with_large_weights(network: Network) -> Network:
    rng = np.random.default_rng(0)
    for value in network.parameters.values():
        value[...] = rng.normal(0, 0.7, value.shape)
    return network


def make_task_network(
    vocabulary_size: int,
    *,
    task: str,
    num_classes: int,
    num_characters: int | None = None,
    pooling: str | None = None,
    dtype: str = "float64",
    seed: int = 0,
    **model: object,
) -> Network:
    """Make a classifier's or tagger's network with these keys in its model section."""
    of_task = {"name": task} | ({} if pooling is None else {"pooling": pooling})
    config = Config.model_validate({"task": of_task, "model": model, "training": {"seed": seed}})
    return networks.make_network(
        config, vocabulary_size, dtype, num_classes=num_classes, num_characters=num_characters
    )


def make_translation_network(
    source_size: int,
    target_size: int,
    *,
    attention: str = "none",
    reverse_source: bool = False,
    dtype: str = "float64",
    seed: int = 0,
    **model: object,
) -> EncoderDecoder:
    """Make a translator's network with these keys in its task and model sections."""
    task = {"name": "translate", "attention": attention, "reverse_source": reverse_source}
    config = Config.model_validate({"task": task, "model": model, "training": {"seed": seed}})
    return networks.make_translation_network(config, source_size, target_size, dtype)


def initialization(seed: int = 0) -> Initialization:
    return Initialization(np.random.default_rng(seed), "uniform", "uniform", 1.0)


def make_layer(cell: str, input_size: int, hidden_size: int, seed: int = 0, **options: Any) -> RecurrentLayer:
    """Make a layer with biases, in double precision."""
    return CELLS[cell](input_size, hidden_size, True, initialization(seed), np.dtype("float64"), **options)


def window(ids: np.ndarray, mask: np.ndarray | None = None) -> Batch:
    """Predict each of some ids (T + 1, B) from those before it."""
    return Batch(ids[:-1], ids[1:], np.ones(ids[1:].shape, bool) if mask is None else mask)
