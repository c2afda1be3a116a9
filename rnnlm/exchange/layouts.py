"""Weights whose names and words are those of another program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.errors import RnnlmError, shown
from rnnlm.nn.arrays import Floats
from rnnlm.text.processor import TextSettings
from rnnlm.text.report import counted
from rnnlm.text.vocabulary import Vocabulary

UNKNOWN, START, END = (
    ("UNKNOWN_TOKEN", "<unk>", "<UNK>"),
    ("SENTENCE_START", "<s>", "<bos>"),
    ("SENTENCE_END", "</s>", "<eos>"),
)
"""Names of the special tokens in word lists of the tutorial's network."""

NEVER = -10_000.0
"""Bias with which a word is never predicted: its probability is zero, the logarithm of it a finite number."""

CELLS = {1: "rnn", 3: "gru", 4: "lstm"}
"""PyTorch's recurrent layers by their gates."""


@dataclass(frozen=True)
class Layout:
    """Weights of another program, under the names that they have here.

    Attributes
    ----------
    description
        What was recognized.
    tensors
        The weights; words are in the order of the word list.
    model, training
        What the weights and their program say of these sections of a configuration.
    number_of_words
        Words in the list that belongs to them.
    text
        How text becomes such words.
    ends_start
        Whether the one token that ends a sentence begins the next, too.
    """

    description: str
    tensors: dict[str, Floats]
    model: dict[str, Any]
    training: dict[str, Any]
    number_of_words: int
    text: TextSettings
    ends_start: bool

    def configuration(self, config: Config, source: Path) -> Config:
        """Return a configuration completed by what the weights say; refuse one that says otherwise."""
        if config.task.name != "language_model":
            raise RnnlmError(
                f"{source}: these are a language model's weights, but task.name is {config.task.name}; leave the "
                "key out."
            )
        for key, value in self.model.items():
            given = getattr(config.model, key)
            if key in config.model.model_fields_set and given != value:
                raise RnnlmError(
                    f"{source}: model.{key} is {shown(value)} in these weights, not {shown(given)}; change the "
                    "configuration, or leave the key out."
                )
        if self.ends_start and self.model["cell"] == "rnn" and "nonlinearity" not in config.model.model_fields_set:
            raise RnnlmError(
                f"{source}: its weights do not say whether its layers are RNN_TANH or RNN_RELU; add "
                "`set=model.nonlinearity=tanh`, or relu."
            )
        training = {
            key: value for key, value in self.training.items() if key not in config.training.model_fields_set
        }
        config = config.model_copy(update={"training": config.training.model_copy(update=training)})
        return config.with_model(**self.model)

    def with_words(self, words: Sequence[str], source: Path) -> tuple[dict[str, Floats], Vocabulary]:
        """Return the weights with the special tokens first, and the vocabulary.

        The words, from the file `source`, are in the order of their ids; a list of another length, or without a
        special token, is refused.
        """
        if len(words) != self.number_of_words:
            raise RnnlmError(
                f"{source}: it has {counted(len(words), 'word{s}')}, but the weights are for "
                f"{self.number_of_words:,}; give the list with which they were trained, one word a line."
            )
        if self.ends_start:
            unknown = words.index("<unk>") if "<unk>" in words else None
            start = end = _place(words, ["<eos>"], source)
        else:
            unknown, start, end = (_place(words, names, source) for names in (UNKNOWN, START, END))
        special = (len(words) if unknown is None else unknown, start, end)
        order = [*special, *(i for i in range(len(words)) if i not in special)]
        tensors = self._reordered(order)
        if self.ends_start:
            tensors["output.bias"][Vocabulary.start_id] = NEVER
        if unknown is None:
            tensors["output.bias"][Vocabulary.unknown_id] = NEVER
        tokens = [*words, UNKNOWN[0]]
        names = [tokens[i] for i in order]
        if self.ends_start:
            names[Vocabulary.start_id] = START[0]
        try:
            vocabulary = Vocabulary(names, [0] * len(names), self.text)
        except ValueError as error:
            raise RnnlmError(f"{source}: a word is named like a special token; give it another name.") from error
        return tensors, vocabulary

    def _reordered(self, order: Sequence[int]) -> dict[str, Floats]:
        """Return the tensors with some of their words in an order; the word after the last is the mean of all."""
        tensors = dict(self.tensors)
        axes = {"output.weight": 0, "output.bias": 0, "embedding.weight": 0}
        if "embedding.weight" not in tensors:
            axes["rnn.weight_ih_l0"] = 1
        for name, axis in axes.items():
            if name in tensors:
                table = np.moveaxis(tensors[name], axis, 0)
                table = np.concatenate([table, table.mean(axis=0, keepdims=True)])
                tensors[name] = np.moveaxis(table[order], 0, axis)
        return tensors


def recognized(weights: Mapping[str, Floats], source: Path) -> Layout | None:
    """Return the layout of another program's weights; None if it is none that is known.

    Weights that cannot be a network's here are refused.
    """
    if any(name.startswith(("encoder.layers.", "transformer_encoder.")) for name in weights):
        raise RnnlmError(f"{source}: these are a transformer's weights; only recurrent networks can be imported.")
    if {"U", "V", "W"} <= weights.keys():
        return _tutorial(weights, source)
    if "decoder.bias" in weights and weights.keys() & {"encoder.weight", "decoder.weight"}:
        return _pytorch_example(weights, source)
    return None


def _tutorial(weights: Mapping[str, Floats], source: Path) -> Layout:
    """Recognize U (H, C), V (C, H) and W (H, H) of Britz's "Recurrent Neural Networks Tutorial"."""
    U, V, W = (weights[name] for name in "UVW")
    others = sorted(weights.keys() - set("UVW"))
    H, C = U.shape if U.ndim == 2 else (0, 0)
    if others or V.shape != (C, H) or W.shape != (H, H):
        shapes = ", ".join(f"{name} {value.shape}" for name, value in weights.items())
        raise RnnlmError(
            f"{source}: its arrays are {shapes}, not the tutorial's U (units, words), V (words, units) and W "
            "(units, units); its first network alone can be imported."
        )
    return Layout(
        description=f"the published tutorial's network: {H:,} tanh units, {C:,} words",
        tensors={"rnn.weight_ih_l0": U, "rnn.weight_hh_l0": W, "output.weight": V},
        model={
            **{"cell": "rnn", "nonlinearity": "tanh", "embedding_size": None, "hidden_size": H, "num_layers": 1},
            **{"bias": False, "residual": False, "tie_weights": False, "softmax_cutoffs": None},
        },
        training={"batching": "sentences"},
        number_of_words=C,
        text=TextSettings(tokenizer="nltk", lowercase=True),
        ends_start=False,
    )


def _pytorch_example(weights: Mapping[str, Floats], source: Path) -> Layout:
    """Recognize the state dict of PyTorch's word-language-model example, in which tied weights may stand once."""
    encoder, decoder = (weights.get(f"{part}.weight") for part in ("encoder", "decoder"))
    table = encoder if encoder is not None else decoder
    assert table is not None
    tied = encoder is None or decoder is None or np.array_equal(encoder, decoder)
    recurrent = weights.get("rnn.weight_hh_l0", np.empty((0, 0)))
    gates = len(recurrent) // recurrent.shape[1] if recurrent.ndim == 2 and recurrent.shape[1] else 0
    if gates not in CELLS or table.ndim != 2:
        raise RnnlmError(
            f"{source}: it has an encoder and a decoder, but not the recurrent layers of PyTorch's "
            "word-language-model example between them; only recurrent networks can be imported."
        )
    layers = sum(name.startswith("rnn.weight_hh_l") for name in weights)
    (C, E), H = table.shape, recurrent.shape[1]
    bias = weights["decoder.bias"]
    if bias.shape != (C,) or (decoder is not None and decoder.shape != (C, H)):
        shapes = ", ".join(f"{name} {weights[name].shape}" for name in sorted(weights) if "coder" in name)
        raise RnnlmError(
            f"{source}: {shapes} do not fit one another and {H} hidden units; save the weights of one model."
        )
    tensors = {"embedding.weight": table, "output.bias": bias}
    if not tied and decoder is not None:
        tensors["output.weight"] = decoder
    tensors |= {
        name: value for name, value in weights.items() if name.partition(".")[0] not in ("encoder", "decoder")
    }
    cell = CELLS[gates]
    kind = cell.upper() + (", tied weights" if tied else "")
    return Layout(
        description=f"PyTorch's word-language-model example: {kind}, {layers} x {H:,}, {C:,} words",
        tensors=tensors,
        model={
            **{"cell": cell, "embedding_size": E, "hidden_size": H, "num_layers": layers},
            **{"bias": True, "residual": False, "tie_weights": tied, "softmax_cutoffs": None},
        },
        training={"batching": "stream"},
        number_of_words=C,
        text=TextSettings(tokenizer="whitespace", lowercase=False),
        ends_start=True,
    )


def _place(words: Sequence[str], names: Sequence[str], source: Path) -> int:
    """Return where the first of some names stands among words."""
    for name in names:
        if name in words:
            return words.index(name)
    raise RnnlmError(
        f"{source}: none of its words is {' or '.join(names)}, a special token that these weights have; give that "
        "one such a name."
    )
