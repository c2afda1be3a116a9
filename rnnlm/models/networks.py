"""The network of a configuration, and trained weights put into one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from rnnlm import backend
from rnnlm.config import Config, ModelConfig
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats
from rnnlm.nn.attention import AdditiveAttention
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.cells import CELLS
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.embedding import DelayedOneHot, Embedding, OneHot
from rnnlm.nn.encoder_decoder import Encoder, EncoderDecoder
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.nn.heads.head import Head
from rnnlm.nn.heads.regression import Regression
from rnnlm.nn.initializers import Initialization, uniform
from rnnlm.nn.kernels import choose
from rnnlm.nn.layer import OneWayLayer
from rnnlm.nn.network import Network
from rnnlm.nn.numbers import Numbers
from rnnlm.nn.penalties import ActivationPenalties
from rnnlm.nn.pooling import POOLINGS
from rnnlm.nn.source import Source
from rnnlm.nn.spelling import SpelledEmbedding
from rnnlm.nn.stack import Stack
from rnnlm.nn.table import Table
from rnnlm.nn.time_delay import TimeDelayLayer
from rnnlm.storage.checkpoint import MODEL, Checkpoint

DType: TypeAlias = np.dtype[np.floating]


def make_network(
    config: Config,
    vocabulary_size: int,
    precision: str | None = None,
    *,
    num_classes: int | None = None,
    num_characters: int | None = None,
) -> Network:
    """Make the network of a configuration, with initial weights.

    Parameters
    ----------
    config, vocabulary_size
        The configuration, and the number of tokens.
    precision
        "float32" or "float64"; None for the configuration's.
    num_classes
        How many labels or tags it chooses from; None for a language model, which chooses from the tokens.
    num_characters
        How many characters words are spelled with; None where the configuration has no `character_size`.

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
    pooling = None
    if config.task.name == "classify":
        pooling = POOLINGS[config.task.pooling](dtype, model.bidirectional)
    # Weights that overflow are refused where they are saved.
    with np.errstate(over="ignore"):
        source = _source(model, vocabulary_size, num_characters, start, dtype)
        stack = _stack(model, _input_sizes(model), pooling is not None, start, dtype)
        return Network(source, stack, _head(model, source.table, num_classes, start, dtype), pooling)


def make_forecasting_network(config: Config, num_inputs: int, precision: str | None = None) -> Network:
    """Make the network of a configuration that reads so many numbers a step, with initial weights.

    `precision` is as for `make_network`.
    """
    model, dtype = config.model, np.dtype(precision or config.training.dtype)
    rng = np.random.default_rng(config.training.seed)
    start = Initialization(rng, model.initializer, model.recurrent_initializer, model.recurrent_scale)
    with np.errstate(over="ignore"):
        stack = _stack(model, [num_inputs, *_input_sizes(model)[1:]], False, start, dtype)
        head = Regression(_output_size(model), model.bias, start, dtype)
    return Network(Numbers(num_inputs, dtype), stack, head)


def make_translation_network(
    config: Config, source_size: int, target_size: int, precision: str | None = None
) -> EncoderDecoder:
    """Make the encoder and the decoder of a configuration, with initial weights.

    Parameters
    ----------
    config, precision
        As for `make_network`.
    source_size, target_size
        Tokens of either side.
    """
    model, task, dtype = config.model, config.task, np.dtype(precision or config.training.dtype)
    one_way = model.model_copy(update={"bidirectional": False})
    rng = np.random.default_rng(config.training.seed)
    start = Initialization(rng, model.initializer, model.recurrent_initializer, model.recurrent_scale)
    with np.errstate(over="ignore"):
        encoder = Encoder(
            # From small vectors the state that is handed on says little of the source, and long stays so.
            _source(model, source_size, None, start, dtype, unit_variance=True),
            _stack(model, _input_sizes(model), False, start, dtype),
            task.reverse_source,
        )
        source = _source(one_way, target_size, None, start, dtype, unit_variance=True)
        stack = _stack(one_way, _input_sizes(one_way), False, start, dtype)
        head, attention = _head(one_way, source.table, None, start, dtype), None
        if task.attention == "additive":
            dropout = Dropout(model.dropout, dtype, model.variational_dropout)
            attention = AdditiveAttention(model.hidden_size, _output_size(model), start, dtype, dropout)
    return EncoderDecoder(encoder, source, stack, head, attention)


def _source(
    model: ModelConfig,
    vocabulary_size: int,
    num_characters: int | None,
    start: Initialization,
    dtype: DType,
    *,
    unit_variance: bool = False,
) -> Source[Any]:
    """Make what turns tokens into vectors; for a one-hot input, the U of the first layer.

    With `unit_variance` the vectors begin as PyTorch's do, else within ``±1/√E``.
    """
    C, E, A = vocabulary_size, model.embedding_size, model.character_size
    if E is None and model.cell == "time_delay":
        weight = start.matrix(model.hidden_size, model.width * C).reshape(-1, model.width, C)
        table = np.ascontiguousarray(weight.transpose(2, 1, 0), dtype).reshape(C, -1)
        return DelayedOneHot(Table(table), model.width, model.embedding_dropout)
    if E is None:
        columns = start.input_gates(CELLS[model.cell].num_gates, model.hidden_size, C)
        # Transposed, so that a look-up reads a row.
        return OneHot(Table(np.ascontiguousarray(columns.T, dtype)), model.embedding_dropout)
    drawn = start.rng.normal(size=(C, E)) if unit_variance else uniform(start.rng, (C, E), E)
    vectors = Table(drawn.astype(dtype))
    words = Embedding(vectors, model.embedding_dropout, is_trained=not model.freeze_embedding)
    if A is None or num_characters is None:
        return words
    characters = Embedding(Table(uniform(start.rng, (num_characters, A), A).astype(dtype)))
    return SpelledEmbedding(words, characters, _bidirectional(model, A, A, start, dtype))


def _output_size(model: ModelConfig) -> int:
    """Return the features of every layer's output."""
    return 2 * model.hidden_size if model.bidirectional else model.hidden_size


def _input_sizes(model: ModelConfig) -> list[int | None]:
    """Return the features of every layer's input; None where it is one-hot."""
    E = model.embedding_size
    first = None if E is None else E + 2 * (model.character_size or 0)
    return [first, *(model.num_layers - 1) * [_output_size(model)]]


def _stack(
    model: ModelConfig, sizes: Sequence[int | None], is_pooled: bool, start: Initialization, dtype: DType
) -> Stack:
    """Make the layers with inputs of these sizes; a one-hot input is never dropped."""
    F = _output_size(model)
    make = _bidirectional if model.bidirectional else _one_way
    layers = [make(model, size, model.hidden_size, start, dtype) for size in sizes]
    dropouts = [
        Dropout(0.0 if size is None else model.dropout, dtype, model.variational_dropout) for size in sizes
    ]
    # Dropped at every step alike, a feature is dropped from what the steps are pooled to.
    dropouts.append(Dropout(model.dropout, dtype, model.variational_dropout or is_pooled))
    residual = [model.residual and size == F for size in sizes]
    penalties = ActivationPenalties(model.activation_regularization, model.temporal_activation_regularization)
    return Stack(layers, dropouts, residual, penalties)


def _one_way(
    model: ModelConfig, input_size: int | None, units: int, start: Initialization, dtype: DType
) -> OneWayLayer:
    """Make a layer of the configuration's cell."""
    if model.cell == "time_delay":
        return TimeDelayLayer(input_size, units, model.width, model.bias, start, dtype, model.nonlinearity)
    options: dict[str, Any] = {"recurrent_dropout": model.recurrent_dropout}
    if model.cell == "rnn":
        options["nonlinearity"] = model.nonlinearity
    return choose.cell(model.cell, _compiled())(input_size, units, model.bias, start, dtype, **options)


def _bidirectional(
    model: ModelConfig, input_size: int | None, units: int, start: Initialization, dtype: DType
) -> Bidirectional:
    """Make a layer of the configuration's cell in each direction."""
    ahead, reverse = (_one_way(model, input_size, units, start, dtype) for _ in range(2))
    return Bidirectional(ahead, reverse)


def _compiled() -> bool:
    return backend.current() == "compiled"


def _head(
    model: ModelConfig, vectors: Table, num_classes: int | None, start: Initialization, dtype: DType
) -> Head:
    """Make what predicts the next token, or one of some classes."""
    C, F = num_classes or len(vectors.value), _output_size(model)
    if model.softmax_cutoffs is not None:
        return AdaptiveSoftmax(C, F, model.softmax_cutoffs, model.bias, start, dtype, choose.softmax(_compiled()))
    table = vectors if model.tie_weights else Table(start.matrix(C, F).astype(dtype))
    bias, bias_gradient = (np.zeros(C, dtype) if model.bias else None for _ in range(2))
    if model.softmax_samples is not None:
        return choose.sampled_softmax(_compiled())(table, bias, bias_gradient, model.softmax_samples)
    return choose.softmax(_compiled())(table, bias, bias_gradient)


def restored_network(
    checkpoint: Checkpoint,
    vocabulary_size: int,
    *,
    num_classes: int | None = None,
    num_characters: int | None = None,
) -> Network:
    """Make the network of a checkpoint's configuration and give it the weights.

    The parameters are those of `make_network`; it raises what `fill` does.
    """
    _check_sizes(checkpoint, vocabulary_size, num_classes, num_characters)
    network = make_network(
        checkpoint.config, vocabulary_size, num_classes=num_classes, num_characters=num_characters
    )
    fill(network, checkpoint.tensors, checkpoint.directory / MODEL, "use another checkpoint")
    return network


def restored_forecasting_network(checkpoint: Checkpoint, num_inputs: int) -> Network:
    """Make the network of a forecaster's checkpoint and give it the weights; it raises what `fill` does."""
    model = checkpoint.config.model
    sizes = [num_inputs, *_input_sizes(model)[1:]]
    shapes = _layer_shapes(model, sizes) | {"output.weight": (1, _output_size(model))}
    _compare_shapes(checkpoint, shapes)
    network = make_forecasting_network(checkpoint.config, num_inputs)
    fill(network, checkpoint.tensors, checkpoint.directory / MODEL, "use another checkpoint")
    return network


def restored_translation_network(checkpoint: Checkpoint, source_size: int, target_size: int) -> EncoderDecoder:
    """Make the network of a translator's checkpoint and give it the weights; see `restored_network`."""
    model = checkpoint.config.model
    one_way = model.model_copy(update={"bidirectional": False})
    shapes: dict[str, tuple[int, ...]] = {}
    for part, of, size in (("encoder", model, source_size), ("decoder", one_way, target_size)):
        of_part = _layer_shapes(of, [each or size for each in _input_sizes(of)])
        if model.embedding_size is not None:
            of_part["embedding.weight"] = (size, model.embedding_size)
        shapes |= {f"{part}.{name}": shape for name, shape in of_part.items()}
    shapes |= {f"decoder.{name}": shape for name, shape in _output_shape(one_way, target_size).items()}
    _compare_shapes(checkpoint, shapes)
    network = make_translation_network(checkpoint.config, source_size, target_size)
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
    source_name = network.input_tensor
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


def _check_sizes(
    checkpoint: Checkpoint, vocabulary_size: int, num_classes: int | None, num_characters: int | None
) -> None:
    """Compare the sizes in the configuration with the weights', before memory is taken for a network."""
    model = checkpoint.config.model
    A = model.character_size
    shapes = _layer_shapes(model, [size or vocabulary_size for size in _input_sizes(model)])
    if model.embedding_size is not None:
        shapes["embedding.weight"] = (vocabulary_size, model.embedding_size)
    if A is not None and num_characters is not None:
        shapes["characters.embedding.weight"] = (num_characters, A)
        name, shape = _layer_shape(model, A, A)
        shapes[f"characters.rnn.{name}_l0"] = shape
    shapes |= _output_shape(model, num_classes or vocabulary_size)
    _compare_shapes(checkpoint, shapes)


def _output_shape(model: ModelConfig, num_classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of the output weights by name; nothing where they are those of the embedding."""
    if model.softmax_cutoffs is not None:
        rows = model.softmax_cutoffs[0] + len(model.softmax_cutoffs)
        return {"output.head.weight": (rows, model.hidden_size)}
    return {} if model.tie_weights else {"output.weight": (num_classes, _output_size(model))}


def _compare_shapes(checkpoint: Checkpoint, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a checkpoint in which tensors are missing or have other shapes."""
    tensors = checkpoint.tensors
    found = {name: tensors[name].shape if name in tensors else None for name in shapes}
    if found != shapes:
        name = min(name for name in shapes if found[name] != shapes[name])
        raise RnnlmError(
            f"{checkpoint.directory / MODEL}: the tensor {name} has shape {found[name]}, but its configuration "
            f"and vocabulary make it {shapes[name]}; use another checkpoint."
        )


def _layer_shapes(model: ModelConfig, sizes: Sequence[int | None]) -> dict[str, tuple[int, ...]]:
    """Return the shape of a weight of every layer, in each direction, by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for k, size in enumerate(sizes):
        name, shape = _layer_shape(model, size or 0, model.hidden_size)
        shapes |= {f"rnn.{name}_l{k}{end}": shape for end in ("", "_reverse")[: 1 + model.bidirectional]}
    return shapes


def _layer_shape(model: ModelConfig, input_size: int, units: int) -> tuple[str, tuple[int, ...]]:
    """Return the name of a layer's weight that every network of its cell has, and the shape of it."""
    if model.cell == "time_delay":
        return "weight", (units, input_size, model.width)
    return "weight_hh", (CELLS[model.cell].num_gates * units, units)
