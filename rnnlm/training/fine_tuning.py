"""Training that begins with the weights of a trained model instead of random ones."""

import json
from dataclasses import dataclass

import numpy as np

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.networks import fill
from rnnlm.text.report import counted


def with_architecture(config: Config, trained: Config) -> Config:
    """Return a configuration with the architecture of a trained network's; refuse one that does not go with it."""
    if config.model.embedding_file is not None:
        raise RnnlmError(
            "`init_from`: the embeddings come from the checkpoint; leave model.embedding_file out, as with "
            "`set=model.embedding_file=null`."
        )
    try:
        return config.with_model(**trained.model.architecture())
    except RnnlmError as error:
        raise RnnlmError(f"`init_from`: with the checkpoint's network, {error}") from error


def explanation(config: Config, trained: Config) -> str:
    """Say which options of a training come from the checkpoint and which from the configuration, in two lines."""
    model, architecture = config.model, trained.model.architecture()
    taken = []
    for key, value in architecture.items():
        asked = getattr(model, key)
        is_unused = key in model.model_fields_set and asked != value
        taken.append(f"{key} {_yaml(value)}" + (f" (not the configuration's {_yaml(asked)})" if is_unused else ""))
    others = [
        f"{key} {_yaml(value)}" for key, value in model if key not in architecture and key != "vocabulary_size"
    ]
    return (
        f"From the checkpoint: model {', '.join(taken)}.\n"
        f"From the configuration: model {', '.join(others)}; all of training, optimizer and schedule."
    )


def _yaml(value: object) -> str:
    """Write a value as a configuration has it."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class CopiedWeights:
    """How many tokens `copy_weights` gave their weights, how many begin at random, and how many it left out."""

    kept: int
    new: int
    left_out: int

    def __str__(self) -> str:
        kept = counted(self.kept, "token{s}")
        return f"{kept} kept, {self.new:,} new, {self.left_out:,} of the checkpoint's left out"


def copy_weights(trained: LanguageModel, model: LanguageModel) -> CopiedWeights:
    """Put the weights of a model into another of its architecture, those of each token to the token's new id.

    Parameters
    ----------
    trained
        The trained model.
    model
        Changed in place; what belongs to tokens that `trained` does not have stays as it is.

    Raises
    ------
    RnnlmError
        If one vocabulary is of words and the other of characters, or an adaptive softmax would need new clusters.
    """
    before, vocabulary = trained.vocabulary, model.vocabulary
    if before.settings.level != vocabulary.settings.level:
        raise RnnlmError(
            f"`init_from`: the checkpoint's tokens are of level {before.settings.level}, the dataset's of level "
            f"{vocabulary.settings.level}; preprocess the text with `vocab` and the checkpoint's vocabulary.json."
        )
    if trained.config.model.softmax_cutoffs is not None and before.tokens != vocabulary.tokens:
        raise RnnlmError(
            "`init_from`: an adaptive softmax cannot take on another vocabulary; preprocess the text with "
            "`vocab` and the checkpoint's vocabulary.json."
        )
    ids_before = {token: i for i, token in enumerate(before.tokens)}
    # The special tokens come first, and may have other names.
    ids_before |= {token: i for i, token in enumerate(vocabulary.tokens[: vocabulary.first_word_id])}
    new = [i for i, token in enumerate(vocabulary.tokens) if token in ids_before]
    old = [ids_before[vocabulary.tokens[i]] for i in new]
    tensors = dict(trained.network.parameters)
    for name, axis in model.network.vocabulary_axes().items():
        by_token = model.network.parameters[name].copy()
        np.moveaxis(by_token, axis, 0)[new] = np.moveaxis(tensors[name], axis, 0)[old]
        tensors[name] = by_token
    fill(model.network, tensors, "the checkpoint", "choose another")
    return CopiedWeights(len(old), len(vocabulary) - len(old), len(before) - len(old))
