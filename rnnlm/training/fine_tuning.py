"""Training that begins with the weights of a trained model instead of random ones."""

import json
from dataclasses import dataclass

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.text.report import counted
from rnnlm.text.vocabulary import Vocabulary

ARCHITECTURE = (
    "cell",
    "nonlinearity",
    "embedding_size",
    "hidden_size",
    "num_layers",
    "bias",
    "residual",
    "tie_weights",
    "softmax_cutoffs",
)
"""The keys of a configuration's model section that say which weights there are and what they mean."""

VOCABULARY_AXES = {"embedding.weight": 0, "output.weight": 0, "output.bias": 0}
"""The axis along which a tensor has an entry for each token."""


def with_architecture(config: Config, checkpoint: Checkpoint) -> Config:
    """Return the configuration with the architecture of a checkpoint's network.

    Raises
    ------
    RnnlmError
        If the rest of the configuration's model section does not go with it.
    """
    if config.model.embedding_file is not None:
        raise RnnlmError(
            "--init-from: the embeddings come from the checkpoint; leave model.embedding_file out, as with "
            "--set model.embedding_file=null."
        )
    architecture = {key: getattr(checkpoint.config.model, key) for key in ARCHITECTURE}
    try:
        return config.with_model(**architecture)
    except RnnlmError as error:
        raise RnnlmError(f"--init-from: with the checkpoint's network, {error}") from error


def explanation(config: Config, checkpoint: Checkpoint) -> str:
    """Say which options of a training come from the checkpoint and which from the configuration, in two lines."""
    model, trained = config.model, checkpoint.config.model
    taken = []
    for key in ARCHITECTURE:
        value, asked = getattr(trained, key), getattr(model, key)
        unused = (
            f" (not the configuration's {_yaml(asked)})"
            if key in model.model_fields_set and asked != value
            else ""
        )
        taken.append(f"{key} {_yaml(value)}{unused}")
    others = [f"{key} {_yaml(value)}" for key, value in model if key not in (*ARCHITECTURE, "vocabulary_size")]
    return (
        f"From the checkpoint: model {', '.join(taken)}.\n"
        f"From the configuration: model {', '.join(others)}; all of training, optimizer and schedule."
    )


def _yaml(value: object) -> str:
    """Write a value as a configuration has it."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class CopiedWeights:
    """What `copy_weights` did.

    Attributes
    ----------
    kept
        Tokens that have the checkpoint's weights.
    new
        Tokens that the checkpoint did not know; they begin at random.
    left_out
        The checkpoint's tokens that the new vocabulary does not have.
    """

    kept: int
    new: int
    left_out: int

    def __str__(self) -> str:
        kept = counted(self.kept, "token{s}")
        return f"{kept} kept, {self.new:,} new, {self.left_out:,} of the checkpoint's left out"


def copy_weights(checkpoint: Checkpoint, network: Network, vocabulary: Vocabulary) -> CopiedWeights:
    """Put a checkpoint's weights into a network of its architecture, those of each token to the token's new id.

    Parameters
    ----------
    checkpoint
        The trained model.
    network
        Changed in place; what belongs to tokens that the checkpoint does not have stays as it is.
    vocabulary
        The network's vocabulary.

    Raises
    ------
    RnnlmError
        If one vocabulary is of words and the other of characters, or an adaptive softmax would need new clusters.
    """
    before = checkpoint.vocabulary
    if before.settings.level != vocabulary.settings.level:
        raise RnnlmError(
            f"--init-from: the checkpoint's tokens are of level {before.settings.level}, the dataset's of level "
            f"{vocabulary.settings.level}; preprocess the text with --vocab and the checkpoint's vocabulary.json."
        )
    if checkpoint.config.model.softmax_cutoffs is not None and before.tokens != vocabulary.tokens:
        raise RnnlmError(
            "--init-from: an adaptive softmax cannot take on another vocabulary; preprocess the text with --vocab "
            "and the checkpoint's vocabulary.json."
        )
    ids_before = {token: i for i, token in enumerate(before.tokens)}
    # The special tokens come first, and may have other names.
    ids_before |= {token: i for i, token in enumerate(vocabulary.tokens[: vocabulary.first_word_id])}
    new = [i for i, token in enumerate(vocabulary.tokens) if token in ids_before]
    old = [ids_before[vocabulary.tokens[i]] for i in new]
    axes = VOCABULARY_AXES
    if checkpoint.config.model.embedding_size is None:
        axes = {**axes, "rnn.weight_ih_l0": 1}
    for name, value in network.parameters.items():
        trained = checkpoint.parameters[name]
        if name not in axes:
            value[...] = trained
        elif axes[name] == 0:
            value[new] = trained[old]
        else:
            value[:, new] = trained[:, old]
    return CopiedWeights(len(old), len(vocabulary) - len(old), len(before) - len(old))
