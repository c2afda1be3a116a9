"""Training that begins with the weights of a trained model instead of random ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.models.model import Model, TextModel
from rnnlm.text.report import counted


def with_architecture(config: Config, trained: Config) -> Config:
    """Return a configuration with the architecture of a trained network's; refuse one that does not go with it.

    From a model of another task come the layers alone; all else is the configuration's.
    """
    if config.model.embedding_file is not None:
        raise RnnlmError(
            "`init_from`: the embeddings come from the checkpoint; leave model.embedding_file out, as with "
            "`set=model.embedding_file=null`."
        )
    try:
        return config.with_model(**_architecture(config, trained))
    except RnnlmError as error:
        raise RnnlmError(f"`init_from`: with the checkpoint's network, {error}") from error


def explanation(config: Config, trained: Config) -> str:
    """Say which options of a training come from the checkpoint and which from the configuration, in two lines."""
    model, architecture = config.model, _architecture(config, trained)
    taken = []
    for key, value in architecture.items():
        asked = getattr(model, key)
        if key in model.later_keys and key not in trained.model.set_values() and asked == value:
            continue
        is_unused = key in model.model_fields_set and asked != value
        taken.append(f"{key} {_yaml(value)}" + (f" (not the configuration's {_yaml(asked)})" if is_unused else ""))
    others = [
        f"{key} {_yaml(value)}"
        for key, value in model.set_values().items()
        if key not in architecture and key != "vocabulary_size"
    ]
    return (
        f"From the checkpoint: model {', '.join(taken)}.\n"
        f"From the configuration: model {', '.join(others)}; all of training, optimizer and schedule."
    )


def _architecture(config: Config, trained: Config) -> dict[str, Any]:
    """Return the values of the model section that come from a trained network."""
    model = trained.model
    keys = model.architecture_keys if config.task.name == trained.task.name else model.layer_keys
    return {key: getattr(model, key) for key in keys}


def _yaml(value: object) -> str:
    """Write a value as a configuration has it."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class CopiedWeights:
    """What `copy_weights` did.

    Attributes
    ----------
    kept, new, left_out
        How many tokens got their weights, how many begin at random, and how many it left out.
    at_random
        Names of parameters that begin at random, as the trained model has none like them.
    kind
        What has the names: tokens, or the inputs of a forecaster; see `text.report.counted`.
    """

    kept: int
    new: int
    left_out: int
    at_random: list[str]
    kind: str = "token{s}"

    def __str__(self) -> str:
        kept = counted(self.kept, self.kind)
        at_random = f"; at random begin {', '.join(self.at_random)}" if self.at_random else ""
        return f"{kept} kept, {self.new:,} new, {self.left_out:,} of the checkpoint's left out{at_random}"


def copy_weights(trained: Model[Any, Any], model: Model[Any, Any]) -> CopiedWeights:
    """Put the weights of a model into another of its architecture, those of each token to the token's new id.

    Labels, tags and characters are found by their names, too.

    Parameters
    ----------
    trained
        The trained model.
    model
        Changed in place; what belongs to tokens that `trained` does not have stays as it is, and so does what a
        model of its task lacks.

    Raises
    ------
    RnnlmError
        If one vocabulary is of words and the other of characters, or an adaptive softmax would need new clusters.

    Notes
    -----
    What a translator has in common with models of other tasks is its decoder.
    """
    if isinstance(trained, TextModel) and isinstance(model, TextModel):
        _refuse_other_tokens(trained, model)
    elif type(trained) is not type(model):
        raise RnnlmError(
            f"`init_from`: a {model.called} cannot begin with a {trained.called}; name another checkpoint."
        )
    answers_differ = not _answer_alike(trained, model)
    network, parameters = model.network, trained.network.parameters
    before_by_name = {name.removeprefix(trained.network.prefix): name for name in parameters}
    entries_before, entries, at_random = trained.entries(), model.entries(), []
    for name, value in network.parameters.items():
        plain = name.removeprefix(network.prefix)
        before = before_by_name.get(plain)
        if before is None or (answers_differ and plain.startswith("output.")):
            at_random.append(name)
            continue
        source = parameters[before]
        if name in entries:
            axis, of_entries = entries[name]
            new, old = _common(entries_before[before][1], of_entries)
            np.moveaxis(value, axis, 0)[new] = np.moveaxis(source, axis, 0)[old]
        elif source.shape == value.shape:
            value[...] = source
        else:
            at_random.append(name)
    names_before, names = trained.token_names, model.token_names
    kept = len(set(names_before) & set(names))
    kind = "token{s}" if isinstance(model, TextModel) else "input{s}"
    return CopiedWeights(kept, len(names) - kept, len(names_before) - kept, at_random, kind)


def _answer_alike(trained: Model[Any, Any], model: Model[Any, Any]) -> bool:
    """Whether both predict the same kind of thing; models that write text predict tokens."""
    if isinstance(trained, TextModel) and isinstance(model, TextModel):
        return trained.task == model.task or (trained.writes and model.writes)
    return trained.task == model.task


def _refuse_other_tokens(trained: TextModel, model: TextModel) -> None:
    """Refuse a vocabulary to which the weights of a model cannot be brought."""
    sides = [(trained.vocabulary, model.vocabulary), (trained.source_vocabulary, model.source_vocabulary)]
    for before, now in sides:
        if before is not None and now is not None and before.settings.level != now.settings.level:
            raise RnnlmError(
                f"`init_from`: the checkpoint's tokens are of level {before.settings.level}, the dataset's of "
                f"level {now.settings.level}; preprocess the text with `vocab` and the checkpoint's "
                "vocabulary.json."
            )
    is_adaptive = trained.config.model.softmax_cutoffs is not None
    if is_adaptive and _answer_alike(trained, model) and trained.vocabulary.tokens != model.vocabulary.tokens:
        raise RnnlmError(
            "`init_from`: an adaptive softmax cannot take on another vocabulary; preprocess the text with "
            "`vocab` and the checkpoint's vocabulary.json."
        )


def _common(before: Sequence[str], names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return where the names that are in both lists stand: in the second, and in the first."""
    places = {name: i for i, name in enumerate(before)}
    new = [i for i, name in enumerate(names) if name in places]
    return new, [places[names[i]] for i in new]
