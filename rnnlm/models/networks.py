"""The network of a configuration, and trained weights put into one."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats
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


def restored_network(checkpoint: Checkpoint, vocabulary_size: int) -> Network:
    """Make the network of a checkpoint's configuration and give it the weights.

    Raises
    ------
    RnnlmError
        If names or shapes of the weights are not those of the configuration's network, or one is not a finite
        number.
    """
    _check_sizes(checkpoint, vocabulary_size)
    network = make_network(checkpoint.config, vocabulary_size)
    fill(network, checkpoint.tensors, checkpoint.directory / MODEL, "use another checkpoint")
    return network


def fill(network: Network, tensors: Mapping[str, Floats], source: Path | str, advice: str) -> None:
    """Give a network its weights.

    Parameters
    ----------
    network
        The network.
    tensors
        Arrays by name; tied weights may stand there under both of their names.
    source
        Where they come from, for messages.
    advice
        What to do if they do not fit.

    Raises
    ------
    RnnlmError
        If a name, a shape or a value is not right; the message names all that are not.
    """
    found, problems = dict(tensors), []
    if network.embedding.shared and "output.weight" in found:
        output = found.pop("output.weight")
        if not np.array_equal(output, found.get("embedding.weight", output)):
            problems.append("output.weight differs from embedding.weight, though model.tie_weights is on")
    for name, expected in network.parameters.items():
        value = found.pop(name, None)
        if value is None:
            problems.append(f"{name} {expected.shape} is missing")
        elif value.shape != expected.shape:
            problems.append(f"{name} is {value.shape} instead of {expected.shape}")
        elif np.iscomplexobj(value):
            problems.append(f"{name} has complex numbers")
        else:
            with np.errstate(over="ignore"):
                expected[...] = value
            if not np.isfinite(expected).all():
                problems.append(f"{name} has values that are not finite numbers in {expected.dtype}")
    problems += [f"{name} {value.shape} has no place" for name, value in found.items()]
    if problems:
        raise RnnlmError(f"{source}: does not fit the configuration's network: {'; '.join(problems)}; {advice}.")


def _check_sizes(checkpoint: Checkpoint, vocabulary_size: int) -> None:
    """Compare the sizes in the configuration with the weights', before memory is taken for a network."""
    model, tensors = checkpoint.config.model, checkpoint.tensors
    rows = CELLS[model.cell].num_gates * model.hidden_size
    shapes = {f"rnn.weight_hh_l{k}": (rows, model.hidden_size) for k in range(model.num_layers)}
    if model.embedding_size is not None:
        shapes["embedding.weight"] = (vocabulary_size, model.embedding_size)
    if model.softmax_cutoffs is not None:
        head = model.softmax_cutoffs[0] + len(model.softmax_cutoffs)
        shapes["output.head.weight"] = (head, model.hidden_size)
    elif not model.tie_weights:
        shapes["output.weight"] = (vocabulary_size, model.hidden_size)
    found = {name: tensors[name].shape if name in tensors else None for name in shapes}
    if found != shapes:
        name = min(name for name in shapes if found[name] != shapes[name])
        raise RnnlmError(
            f"{checkpoint.directory / MODEL}: the tensor {name} has shape {found[name]}, but its configuration "
            f"and vocabulary make it {shapes[name]}; use another checkpoint."
        )
