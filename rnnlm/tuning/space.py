"""What is tried around a configuration: a few values of every key that matters, in their order."""

from collections.abc import Mapping
from typing import TypeAlias

from rnnlm.config import Config
from rnnlm.errors import RnnlmError

Value: TypeAlias = int | float
Values: TypeAlias = dict[str, Value]
"""By ``section.key``."""

LARGEST_DROPOUT = 0.8


def space(config: Config, keeps_network: bool) -> dict[str, list[Value]]:
    """Return the values to try, by ``section.key``; those of the configuration are among them.

    Parameters
    ----------
    config
        What is tuned.
    keeps_network
        Whether the sizes of the network are given, as by a trained one.
    """
    model, training, optimizer = config.model, config.training, config.optimizer
    values: dict[str, list[Value]] = {
        "optimizer.learning_rate": [
            optimizer.learning_rate * 2 ** (k / 2) if k else optimizer.learning_rate for k in range(-4, 5)
        ],
        "model.dropout": [round(model.dropout + k / 20, 4) if k else model.dropout for k in range(-6, 7)],
    }
    if training.max_steps is None:  # else larger steps would be more training
        values["training.batch_size"] = [int(training.batch_size * 2**k) for k in range(-2, 3)]
        if training.batching == "stream" or config.task.name == "forecast":
            values["training.bptt_steps"] = [int(training.bptt_steps * 2**k) for k in range(-1, 2)]
    has_given_vectors = model.tie_weights and model.embedding_file is not None
    if not (keeps_network or has_given_vectors):
        values["model.hidden_size"] = [_units(model.hidden_size, 2 ** (k / 2)) for k in range(-2, 3)]
    return {key: fitting for key, each in values.items() if len(fitting := _fitting(config, key, each)) > 1}


def changed(config: Config, values: Mapping[str, Value]) -> Config:
    """Return a configuration with other values; where weights are tied, embeddings are as large as the layers.

    Raises
    ------
    RnnlmError
        If they do not go together with the rest of it.
    """
    raw = config.values()
    for name, value in values.items():
        section, _, key = name.partition(".")
        raw[section] = {**raw[section], key: value}
    if config.model.tie_weights:
        raw["model"]["embedding_size"] = raw["model"]["hidden_size"]
    return Config.checked(raw)


def given(config: Config, keys: Mapping[str, object]) -> Values:
    """Return what a configuration itself has for some keys."""
    values = config.values()
    return {name: values[name.partition(".")[0]][name.partition(".")[2]] for name in keys}


def _units(units: int, factor: float) -> int:
    """Return about so many times the units: of eight or more a multiple of eight, which processors like."""
    if factor == 1:
        return units
    return round(units * factor / 8) * 8 if units * factor >= 8 else max(1, round(units * factor))


def _fitting(config: Config, key: str, values: list[Value]) -> list[Value]:
    """Return different values, in their order, that the configuration can have."""
    return [value for value in dict.fromkeys(values) if _fits(config, key, value)]


def _fits(config: Config, key: str, value: Value) -> bool:
    if key == "model.dropout" and value > max(LARGEST_DROPOUT, config.model.dropout):
        return False
    try:
        changed(config, {key: value})
    except RnnlmError:
        return False
    return True
