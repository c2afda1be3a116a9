"""How fast a configuration trains on this machine."""

import time
from dataclasses import dataclass

import numpy as np

from rnnlm import backend, blas
from rnnlm.config import Config
from rnnlm.dataset.store import read_metadata
from rnnlm.errors import RnnlmError
from rnnlm.models.networks import make_forecasting_network, make_network, make_translation_network
from rnnlm.nn.arrays import Ids
from rnnlm.nn.batch import Batch, Pairs
from rnnlm.nn.network import Network
from rnnlm.nn.spelling import SpelledWords
from rnnlm.ranks.ranks import OneProcess, Ranks
from rnnlm.ranks.threads import threads_of_rank
from rnnlm.training.step import TrainingStep

WARM_UP_STEPS = 3

NUMBERS = 13
"""What a forecaster reads at a step."""

CLASSES, CHARACTERS, SPELLING_LENGTH = 10, 60, 6
"""Labels or tags, and the characters that every word is spelled with."""

FLOPS_PER_WEIGHT = 6
"""A multiplication and an addition in the forward pass, and twice that in the backward pass: for the error of the
input and for the gradient of the weight."""


@dataclass(frozen=True)
class Speed:
    """What `benchmark` measured.

    Attributes
    ----------
    tokens_per_second, ms_per_step
        Of training steps: forward, backward, clipping and update.
    model_gflops_per_second
        Arithmetic of the model's matrix products done a second; of an estimated softmax that of its samples, of
        an adaptive one that of its head, and none for a first layer's input products once a token.
    gemm_peak_gflops_per_second
        The machine's fastest single-precision product, measured just before; that of all ranks together.
    utilization
        The former's share of the latter.
    threads, blas, backend
        Threads of a product, the BLAS kernel in use, and what computes the passes over time.
    ranks
        How many processes take a step together.
    """

    tokens_per_second: float
    ms_per_step: float
    model_gflops_per_second: float
    gemm_peak_gflops_per_second: float
    utilization: float
    threads: int
    blas: str
    backend: str
    ranks: int


def benchmark(config: Config, seconds: float, ranks: Ranks | None = None) -> Speed:
    """Time training steps on tokens drawn by Zipf's law; nothing is read, evaluated or saved.

    A step is a full window of a stream or, where the configuration trains on sentences or other texts, a batch of
    texts of ``training.bptt_steps`` tokens.

    Parameters
    ----------
    config
        The configuration. The vocabulary has ``model.vocabulary_size`` tokens, else as many as the dataset's; so
        has that of a translator's sources, which are as long as their targets.
    seconds
        How long to measure.
    ranks
        Who takes the steps, each with some of the sequences of a batch; None for this process alone.
    """
    ranks, training = ranks or OneProcess(), config.training
    threads = training.threads or threads_of_rank(ranks)
    backend.choose(training.backend, threads, bidirectional=config.model.bidirectional)
    network, batch = drawn_batch(config)
    training_step = TrainingStep(network, config, ranks)
    rng = np.random.default_rng(training.seed)
    T, B = training.bptt_steps, training.batch_size
    state = training_step.own_state(training_step.network.initial_state(B))

    peak = ranks.total(blas.gemm_peak())
    steps = 0
    started = time.perf_counter()
    # The first rank's clock says for all when it is over.
    while ranks.total(ranks.is_first and steps > WARM_UP_STEPS and time.perf_counter() - started >= seconds) == 0:
        if steps == WARM_UP_STEPS:
            started = time.perf_counter()
        state = training_step.take(batch, state, config.optimizer.learning_rate, rng).state
        steps += 1
    step_seconds = (time.perf_counter() - started) / (steps - WARM_UP_STEPS)
    products = training_step.network.products(batch.inputs, rng)
    gflops = FLOPS_PER_WEIGHT * products * T * B / step_seconds / 1e9
    return Speed(
        tokens_per_second=T * B / step_seconds,
        ms_per_step=1000 * step_seconds,
        model_gflops_per_second=gflops,
        gemm_peak_gflops_per_second=peak,
        utilization=gflops / peak,
        threads=backend.threads(),
        blas=blas.kernel(),
        backend=backend.current(),
        ranks=ranks.number,
    )


def drawn_batch(config: Config) -> tuple[Network, Batch]:
    """Make a configuration's network, and a full batch of what it reads, drawn at random."""
    return _of_numbers(config) if config.task.name == "forecast" else _of_tokens(config)


def _of_numbers(config: Config) -> tuple[Network, Batch]:
    """Make a forecaster's network and a full batch of it."""
    rng, shape = (
        np.random.default_rng(config.training.seed),
        (config.training.bptt_steps, config.training.batch_size),
    )
    batch = Batch(rng.normal(size=(*shape, NUMBERS)), rng.normal(size=shape), np.ones(shape, bool), continues=True)
    return make_forecasting_network(config, NUMBERS), batch


def _of_tokens(config: Config) -> tuple[Network, Batch]:
    """Make the network of a configuration that reads tokens, and a full batch of it."""
    size, source_size = _vocabulary_sizes(config)
    rng, (T, B) = (
        np.random.default_rng(config.training.seed),
        (config.training.bptt_steps, config.training.batch_size),
    )
    ids = _drawn(size, (T + 1, B), rng)
    if config.task.name == "translate":
        pairs = Pairs(ids[:-1], _drawn(source_size, (T, B), rng), np.full(B, T))
        return make_translation_network(config, source_size, size), Batch(pairs, ids[1:], np.ones((T, B), bool))
    network = make_network(
        config,
        size,
        num_classes=None if config.task.name == "language_model" else CLASSES,
        num_characters=None if config.model.character_size is None else CHARACTERS,
    )
    return network, _batch(config, ids, rng)


def _vocabulary_sizes(config: Config) -> tuple[int, int]:
    """Count the tokens of the vocabulary and of that of sources, which is as large where there is none."""
    size = config.model.vocabulary_size
    if size is not None:
        return size, size
    if config.data.path is None:
        raise RnnlmError(
            "model.vocabulary_size: give the number of tokens, or name a dataset with `set=data.path=DIR`."
        )
    metadata = read_metadata(config.data.path)
    return metadata["vocabulary_size"], metadata.get("source", metadata)["vocabulary_size"]


def _drawn(vocabulary_size: int, shape: tuple[int, int], rng: np.random.Generator) -> Ids:
    """Draw ids by Zipf's law; they go by falling frequency."""
    # Id k has the probability log((k+2)/(k+1)) / log(size+1).
    ids: Ids = ((vocabulary_size + 1) ** rng.random(shape)).astype(np.int64) - 1
    return ids


def _batch(config: Config, ids: Ids, rng: np.random.Generator) -> Batch:
    """Make a full batch of a configuration's task that reads all of the `ids` (T + 1, B) but the last."""
    training, task = config.training, config.task.name
    T, B = training.bptt_steps, training.batch_size
    inputs, mask = ids[:-1], np.ones((T, B), bool)
    if task == "language_model":
        return Batch(inputs, ids[1:], mask, continues=training.batching == "stream")
    mask, lengths = mask[:1] if task == "classify" else mask, np.full(B, T)
    targets = rng.integers(0, CLASSES, mask.shape)
    if config.model.character_size is None:
        return Batch(inputs, targets, mask, lengths=lengths)
    different, places = np.unique(inputs, return_inverse=True)
    N = len(different)
    characters = rng.integers(0, CHARACTERS, (SPELLING_LENGTH, N))
    words = SpelledWords(inputs, places.reshape(T, B), characters, np.full(N, SPELLING_LENGTH))
    return Batch(words, targets, mask, lengths=lengths)
