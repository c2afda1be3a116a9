"""The gradient check of a configuration's network."""

import numpy as np

from rnnlm import backend
from rnnlm.config import Config
from rnnlm.models.networks import make_forecasting_network, make_network, make_translation_network
from rnnlm.nn.arrays import Ids
from rnnlm.nn.batch import Batch, Pairs
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.nn.heads.softmax import small_blocks
from rnnlm.nn.network import Network
from rnnlm.nn.spelling import SpelledWords
from rnnlm.training.step import TrainingStep

VOCABULARY_SIZE = 40
CHARACTERS = 5
"""So few tokens that a window repeats them: the first layer's products may then be taken once a token."""

CLASSES = 5
NUMBERS = 3
SPELLINGS, LONGEST_SPELLING = 7, 6

TIME_STEPS = 8
BATCH_SIZE = 3

LARGEST_LAYER = 160
"""Sizes are cut to this: more than the rows of a matrix that any layer takes at a time."""

BLOCK_BYTES, CACHE_BYTES = 240, 80
"""In double precision the logits of six rows of five tokens, and of two."""


def check_gradients(config: Config) -> dict[str, float]:
    """Check the gradients of a configuration's network on random windows.

    The network has small vocabularies and layers, because what is to be shown does not depend on their sizes and
    the derivatives of thousands of nearly equal probabilities are too small to measure. Every way is taken that
    training takes with the configuration, and dynamic evaluation with its model:

    * a window with padding and one without; padded texts of a classifier or tagger, and sources of a translator,
      have any length from 1;
    * one that is read place by place and, where training may read by token, one that is (see
      `Network.reads_by_token`); the same for the characters of words;
    * logits in one block and in several;
    * rows of a table that are known to have been used, after another window that used others;
    * words of a sampled softmax that are drawn, clusters of an adaptive one without a target;
    * full and, where the configuration has it, truncated BPTT, with all that is dropped, and full BPTT without,
      as dynamic evaluation has it.

    Parameters
    ----------
    config
        The configuration.

    Returns
    -------
    dict
        Largest relative error of each parameter.
    """
    backend.choose(config.training.backend)
    errors = _check_window(config, VOCABULARY_SIZE, padded=True)
    with small_blocks(BLOCK_BYTES, CACHE_BYTES):
        others = _check_window(config, CHARACTERS, padded=False)
    return {name: max(error, others[name]) for name, error in errors.items()}


def _check_window(config: Config, vocabulary_size: int, padded: bool) -> dict[str, float]:
    """Check a network with a vocabulary of some size on a window in which some of its tokens are missing."""
    config = _in_small(config, vocabulary_size)
    network = _network(config, vocabulary_size)
    network = TrainingStep(network, config).network
    rng = np.random.default_rng(config.training.seed)
    state = rng.normal(0, 0.5, network.initial_state(BATCH_SIZE).shape)
    present = vocabulary_size - 1
    if not padded and config.model.softmax_cutoffs is not None:
        present = config.model.softmax_cutoffs[-1]
    before = rng.integers(0, vocabulary_size, (TIME_STEPS // 2 + 1, BATCH_SIZE))
    ids = rng.integers(0, present, (TIME_STEPS + 1, BATCH_SIZE))
    batch_before, batch = (_window(config, each, vocabulary_size, padded, rng) for each in (before, ids))
    errors = dict.fromkeys(network.parameters, 0.0)
    for steps, drops in dict.fromkeys(((None, True), (config.training.bptt_truncate, True), (None, False))):
        # Nothing may be left of what a window before has done, which is too short to be read by token.
        network.backpropagate(batch_before, state, rng=rng)
        found = gradient_check(network, batch, state, bptt_truncate=steps, drops=drops)
        errors = {name: max(error, found[name]) for name, error in errors.items()}
    return errors


def _network(config: Config, vocabulary_size: int) -> Network:
    if config.task.name == "forecast":
        return make_forecasting_network(config, NUMBERS)
    if config.task.name == "translate":
        return make_translation_network(config, vocabulary_size, vocabulary_size)
    return make_network(
        config,
        vocabulary_size,
        num_classes=None if config.task.name == "language_model" else CLASSES,
        num_characters=None if config.model.character_size is None else vocabulary_size,
    )


def _window(config: Config, ids: Ids, vocabulary_size: int, padded: bool, rng: np.random.Generator) -> Batch:
    """Make a window of a configuration's task that reads all of the `ids` (T + 1, B) but the last."""
    T, inputs = len(ids) - 1, ids[:-1]
    mask = np.ones(inputs.shape, bool)
    if config.task.name in ("language_model", "translate"):
        if padded:
            mask[TIME_STEPS // 2 :, -1] = False
        read = _with_sources(inputs, vocabulary_size, padded, rng) if config.task.name == "translate" else inputs
        return Batch(read, ids[1:], mask)
    if config.task.name == "forecast":
        if padded:
            mask[: TIME_STEPS // 3] = mask[TIME_STEPS // 2 :, -1] = False
        return Batch(rng.normal(size=(*inputs.shape, NUMBERS)), rng.normal(size=inputs.shape), mask)
    lengths = _lengths(T, padded, rng)
    mask = mask[:1] if config.task.name == "classify" else np.arange(T)[:, None] < lengths
    targets = rng.integers(0, CLASSES, mask.shape)
    if config.model.character_size is None:
        return Batch(inputs, targets, mask, lengths=lengths)
    characters = rng.integers(0, vocabulary_size, (LONGEST_SPELLING, SPELLINGS))
    of_each = rng.integers(1, LONGEST_SPELLING + 1, SPELLINGS)
    words = SpelledWords(inputs, rng.integers(0, SPELLINGS, inputs.shape), characters, of_each)
    return Batch(words, targets, mask, lengths=lengths)


def _with_sources(ids: Ids, vocabulary_size: int, padded: bool, rng: np.random.Generator) -> Pairs:
    """Give each target a source, one step longer than they are at most."""
    S = len(ids) + 1
    return Pairs(ids, rng.integers(0, vocabulary_size, (S, BATCH_SIZE)), _lengths(S, padded, rng))


def _lengths(longest: int, padded: bool, rng: np.random.Generator) -> Ids:
    """Return the steps of each text, from 1 where they are padded."""
    lengths = np.full(BATCH_SIZE, longest)
    if padded:
        lengths[1:] = 1, rng.integers(2, longest)
    return lengths


def _in_small(config: Config, vocabulary_size: int) -> Config:
    """Return a configuration that takes the same ways in double precision, with smaller numbers."""
    model, training = config.model, config.training
    hidden_size = min(model.hidden_size, LARGEST_LAYER)
    embedding_size = model.embedding_size
    if embedding_size == model.hidden_size:
        embedding_size = hidden_size
    elif embedding_size is not None:
        embedding_size = min(embedding_size, LARGEST_LAYER)
        # Only sizes that were equal are, because residual connections need that.
        embedding_size += embedding_size == hidden_size
    small: dict[str, object] = {"hidden_size": hidden_size, "embedding_size": embedding_size}
    small["width"] = min(model.width, TIME_STEPS + 2)  # some see more than the window
    if model.character_size is not None:
        small["character_size"] = min(model.character_size, LARGEST_LAYER)
    if model.softmax_cutoffs is not None:
        # As many clusters, where there are words for them.
        ends = min(len(model.softmax_cutoffs) + 2, vocabulary_size + 1)
        small["softmax_cutoffs"] = np.linspace(0, vocabulary_size, ends, dtype=int)[1:-1].tolist()
    if model.softmax_samples is not None:
        # Not all words, or none would be drawn.
        small["softmax_samples"] = min(model.softmax_samples, vocabulary_size // 4 + 1)
    steps = training.bptt_truncate
    if steps is not None:
        # Less than the window, or nothing would be truncated.
        steps = min(steps, TIME_STEPS // 2)
    return config.model_copy(
        update={
            "model": model.model_copy(update=small),
            "training": training.model_copy(update={"bptt_truncate": steps, "dtype": "float64"}),
        }
    )
