"""The gradient check of a configuration's network."""

import numpy as np

from rnnlm.config import Config
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.training.step import make_network

VOCABULARY_SIZE = 40
TIME_STEPS = 8
BATCH_SIZE = 3


def check_gradients(config: Config) -> dict[str, float]:
    """Check the gradients of a configuration's network on a random window.

    The network has a small vocabulary, because what is to be shown does not depend on its size and the derivatives
    of thousands of nearly equal probabilities are too small to measure. Where the configuration truncates BPTT,
    both forms are checked.

    Parameters
    ----------
    config
        The configuration.

    Returns
    -------
    dict
        Largest relative error of each parameter.
    """
    cutoffs = config.model.softmax_cutoffs
    if cutoffs is not None:
        # As many clusters in the small vocabulary, where it has words for them.
        few = np.linspace(0, VOCABULARY_SIZE, min(len(cutoffs) + 2, VOCABULARY_SIZE + 1), dtype=int)[1:-1].tolist()
        config = config.model_copy(update={"model": config.model.model_copy(update={"softmax_cutoffs": few})})
    network = make_network(config, VOCABULARY_SIZE, dtype="float64")
    rng = np.random.default_rng(config.training.seed)
    ids = rng.integers(0, VOCABULARY_SIZE, (TIME_STEPS + 1, BATCH_SIZE))
    # The last sequence is shorter, so that padding is checked too.
    mask = np.ones((TIME_STEPS, BATCH_SIZE), bool)
    mask[TIME_STEPS // 2 :, -1] = False
    state = rng.normal(0, 0.5, network.initial_state(BATCH_SIZE).shape)
    window = (network, ids[:-1], ids[1:], mask, state)
    errors = gradient_check(*window)
    if config.training.bptt_truncate is not None:
        truncated = gradient_check(*window, bptt_truncate=config.training.bptt_truncate)
        errors = {name: max(error, truncated[name]) for name, error in errors.items()}
    return errors
