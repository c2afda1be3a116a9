"""The network of a configuration, and trained weights put into one."""

from collections.abc import Mapping

import numpy as np

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.nn.network import CELLS, Network
from rnnlm.storage.checkpoint import MODEL, Checkpoint


def make_network(config: Config, vocabulary_size: int, dtype: str | None = None) -> Network:
    """Make the network of a configuration, with initial weights.

    Parameters
    ----------
    config
        The configuration.
    vocabulary_size
        Number of tokens.
    dtype
        Precision; None for the configuration's.

    Raises
    ------
    RnnlmError
        If the vocabulary is too small for the adaptive softmax.
    """
    cutoffs = config.model.softmax_cutoffs
    if cutoffs is not None and cutoffs[-1] >= vocabulary_size:
        raise RnnlmError(
            f"model.softmax_cutoffs: {cutoffs} must be below the vocabulary's {vocabulary_size} tokens."
        )
    options = config.model.model_dump(exclude={"vocabulary_size", "embedding_file", "freeze_embedding"})
    # Weights that overflow are refused where they are saved.
    with np.errstate(over="ignore"):
        return Network(vocabulary_size, **options, seed=config.training.seed, dtype=dtype or config.training.dtype)


def restored_network(checkpoint: Checkpoint) -> Network:
    """Make the network of a checkpoint's configuration and give it the weights.

    Raises
    ------
    RnnlmError
        If names or shapes of the weights are not those of the configuration's network.
    """
    _check_sizes(checkpoint)
    network = make_network(checkpoint.config, len(checkpoint.vocabulary))
    copy_into(network, checkpoint)
    return network


def copy_into(network: Network, checkpoint: Checkpoint) -> None:
    """Give a network the weights of a checkpoint.

    Raises
    ------
    RnnlmError
        If names or shapes of the weights are not the network's, or one is not a finite number.
    """
    expected = {name: value.shape for name, value in network.parameters.items()}
    _check_shapes(checkpoint, {**dict.fromkeys(checkpoint.parameters), **expected})
    for name, value in checkpoint.parameters.items():
        with np.errstate(over="ignore"):
            network.parameters[name][...] = value
        if not np.all(np.isfinite(network.parameters[name])):
            raise RnnlmError(
                f"{checkpoint.directory / MODEL}: not all of {name} are finite numbers; use another checkpoint."
            )


def _check_sizes(checkpoint: Checkpoint) -> None:
    """Compare the sizes in the configuration with the weights', before memory is taken for a network."""
    model, size = checkpoint.config.model, len(checkpoint.vocabulary)
    rows = CELLS[model.cell].num_gates * model.hidden_size
    shapes = {f"rnn.weight_hh_l{k}": (rows, model.hidden_size) for k in range(model.num_layers)}
    if model.embedding_size is not None:
        shapes["embedding.weight"] = (size, model.embedding_size)
    cutoffs = model.softmax_cutoffs
    if cutoffs is not None:
        shapes["output.head.weight"] = (cutoffs[0] + len(cutoffs), model.hidden_size)
    elif not model.tie_weights:
        shapes["output.weight"] = (size, model.hidden_size)
    _check_shapes(checkpoint, shapes)


def _check_shapes(checkpoint: Checkpoint, expected: Mapping[str, tuple[int, ...] | None]) -> None:
    """Refuse weights of other shapes; None is for those that there should not be."""
    parameters = checkpoint.parameters
    found = {name: parameters[name].shape if name in parameters else None for name in expected}
    if found != expected:
        name = min(name for name in expected if found[name] != expected[name])
        raise RnnlmError(
            f"{checkpoint.directory / MODEL}: the tensor {name} has shape {found[name]}, but its configuration "
            f"and vocabulary make it {expected[name]}; use another checkpoint."
        )
