"""The network of a configuration, and trained weights put into one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from rnnlm.config import Config, ModelConfig
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats
from rnnlm.nn.cells import CELLS
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.embedding import Embedding, OneHot
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.nn.heads.head import Head
from rnnlm.nn.heads.sampled import SampledSoftmax
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.initializers import Initialization, uniform
from rnnlm.nn.network import Network
from rnnlm.nn.penalties import ActivationPenalties
from rnnlm.nn.stack import Stack
from rnnlm.nn.table import Table
from rnnlm.storage.checkpoint import MODEL, Checkpoint

DType: TypeAlias = np.dtype[np.floating]


def make_network(config: Config, vocabulary_size: int, precision: str | None = None) -> Network:
    """Make the network of a configuration, with initial weights.

    Parameters
    ----------
    config, vocabulary_size
        The configuration, and the number of tokens.
    precision
        "float32" or "float64"; None for the configuration's.

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
    model, dtype = config.model, np.dtype(precision or config.training.dtype)
    rng = np.random.default_rng(config.training.seed)
    start = Initialization(rng, model.initializer, model.recurrent_initializer, model.recurrent_scale)
    # Weights that overflow are refused where they are saved.
    with np.errstate(over="ignore"):
        source = _source(model, vocabulary_size, start, dtype)
        stack = _stack(model, start, dtype)
        return Network(source, stack, _head(model, source, start, dtype))


def _source(model: ModelConfig, vocabulary_size: int, start: Initialization, dtype: DType) -> Embedding:
    """Make what turns tokens into vectors; for a one-hot input, the U of the first layer."""
    C, E = vocabulary_size, model.embedding_size
    if E is None:
        columns = start.input_gates(CELLS[model.cell].num_gates, model.hidden_size, C)
        # Transposed, so that a look-up reads a row.
        return OneHot(Table(np.ascontiguousarray(columns.T, dtype)), model.embedding_dropout)
    table = Table(uniform(start.rng, (C, E), E).astype(dtype))
    return Embedding(table, model.embedding_dropout, is_trained=not model.freeze_embedding)


def _stack(model: ModelConfig, start: Initialization, dtype: DType) -> Stack:
    """Make the recurrent layers; a one-hot input is never dropped."""
    H, E, L = model.hidden_size, model.embedding_size, model.num_layers
    options: dict[str, Any] = {"recurrent_dropout": model.recurrent_dropout}
    if model.cell == "rnn":
        options["nonlinearity"] = model.nonlinearity
    layers = [CELLS[model.cell](E if k == 0 else H, H, model.bias, start, dtype, **options) for k in range(L)]
    dropouts = [
        Dropout(0.0 if E is None and k == 0 else model.dropout, dtype, model.variational_dropout)
        for k in range(L + 1)
    ]
    residual = [model.residual and (k > 0 or E == H) for k in range(L)]
    penalties = ActivationPenalties(model.activation_regularization, model.temporal_activation_regularization)
    return Stack(layers, dropouts, residual, penalties)


def _head(model: ModelConfig, source: Embedding, start: Initialization, dtype: DType) -> Head:
    """Make what predicts the next token."""
    C, H = len(source.table.value), model.hidden_size
    if model.softmax_cutoffs is not None:
        return AdaptiveSoftmax(C, H, model.softmax_cutoffs, model.bias, start, dtype)
    table = source.table if model.tie_weights else Table(start.matrix(C, H).astype(dtype))
    bias, bias_gradient = (np.zeros(C, dtype) if model.bias else None for _ in range(2))
    if model.softmax_samples is not None:
        return SampledSoftmax(table, bias, bias_gradient, model.softmax_samples)
    return Softmax(table, bias, bias_gradient)


def restored_network(checkpoint: Checkpoint, vocabulary_size: int) -> Network:
    """Make the network of a checkpoint's configuration and give it the weights; raises what `fill` does."""
    _check_sizes(checkpoint, vocabulary_size)
    network = make_network(checkpoint.config, vocabulary_size)
    fill(network, checkpoint.tensors, checkpoint.directory / MODEL, "use another checkpoint")
    return network


def fill(network: Network, tensors: Mapping[str, Floats], source: Path | str, advice: str) -> None:
    """Give a network its weights.

    Parameters
    ----------
    tensors
        Arrays by name; tied weights may have both of their names.
    source, advice
        Where they come from, and what to do if they do not fit, for the message.

    Raises
    ------
    RnnlmError
        If a name, a shape or a value is not right; the message names all that are not.
    """
    found, problems = dict(tensors), []
    source_name = network.source.tensor
    for name in found.keys() & (network.tensors().keys() - network.parameters.keys()):
        tied = found.pop(name)
        if not np.array_equal(tied, found.get(source_name, tied)):
            problems.append(f"{name} differs from {source_name}, though model.tie_weights is on")
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
