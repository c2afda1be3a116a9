"""A model as a web page that holds it and writes with it: no network, no other file, no Python."""

import base64
import hashlib
import html
import json
from importlib.resources import files
from string import Template
from typing import Any

from rnnlm.errors import RnnlmError
from rnnlm.exchange.precision import Packed, Precision, weights_of
from rnnlm.generation.writing import DEFAULT_LENGTH
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.model import Model
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.text.processor import TextSettings
from rnnlm.text.tokenizers import CHARACTERS
from rnnlm.text.vocabulary import Vocabulary

LARGEST_PAGE = 256_000_000
"""Bytes of weights in a page, at most: browsers end near texts of 512 MB."""

TOKENIZERS = (CHARACTERS, "whitespace", "nltk")
"""Those that the page has too."""


def render(model: Model[Any, Any], title: str, precision: Precision) -> str:
    """Return the page of a language model, with its weights in a precision.

    All text of the model is data in it, never markup or script. The browser is forbidden to load anything, and to
    run any script or style but the page's own, which it knows by their hashes.

    Raises
    ------
    RnnlmError
        If it is another kind of model, the page cannot tokenize as it does, or the weights are too large.
    """
    if not isinstance(model, LanguageModel):
        raise RnnlmError(f"A {model.called} has no page yet: only language models write; choose another format.")
    tokenizer = model.vocabulary.settings.tokenizer
    if tokenizer not in TOKENIZERS:
        raise RnnlmError(
            f"A page cannot cut text as `tokenizer={tokenizer}` does; it can as {', '.join(TOKENIZERS)} do: "
            "preprocess with one of these, and train again."
        )
    weights = Packed(precision)
    network = _network(model, weights)
    if len(weights.content) > LARGEST_PAGE:
        raise RnnlmError(
            f"A page holds at most {LARGEST_PAGE // 10**6} MB of weights, but these are "
            f"{len(weights.content) // 10**6} MB; choose a lower `precision`, or train a smaller model."
        )
    data = {
        "network": network,
        "vocabulary": _vocabulary(model.vocabulary),
        "carriesState": model.config.training.batching == "stream",
        "level": model.vocabulary.settings.level,
        "length": DEFAULT_LENGTH[model.vocabulary.settings.level],
    }
    scripts, style = [_part(f"{name}.js") for name in _scripts(model.vocabulary.settings)], _part("page.css")
    return Template(_part("page.html")).substitute(
        title=html.escape(title),
        description=html.escape(f"{model.description()}, in {precision}"),
        policy=_policy(scripts, style),
        style=style,
        # In a script, only < could begin something else.
        data=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        weights=base64.b64encode(weights.content).decode(),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def _network(model: LanguageModel, weights: Packed) -> dict[str, Any]:
    """Pack the weights of a network, and return what the page needs to know of it."""
    network, config = model.network, model.config.model
    arrays = weights_of(network)
    layers = [
        {
            "cell": config.cell,
            "units": layer.hidden_size,
            "nonlinearity": config.nonlinearity,
            "width": config.width,
            "residual": bool(residual),
            "weights": {name: weights.add(value) for name, value in of_layer.items()},
        }
        for layer, residual, of_layer in zip(
            network.stack.one_way, network.stack.residual, arrays["layers"], strict=True
        )
    ]
    return {
        "embedding": weights.add(arrays["embedding"]),
        "layers": layers,
        "head": {
            "weights": {name: weights.add(value) for name, value in arrays["head"].items()},
            "cutoffs": network.head.cutoffs if isinstance(network.head, AdaptiveSoftmax) else None,
        },
    }


def _vocabulary(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return tokens, labels and the settings of the text, as plain data."""
    return {
        "tokens": vocabulary.tokens,
        "labels": vocabulary.labels,
        "text": _text(vocabulary.settings),
    }


def _text(settings: TextSettings) -> dict[str, Any]:
    return {
        "tokenizer": settings.tokenizer,
        "lowercase": settings.lowercase,
        "clean": settings.clean,
        "join": settings.join,
        "keepLines": settings.keep_lines,
        "punkt": settings.punkt if settings.sentences else None,
    }


def _scripts(settings: TextSettings) -> list[str]:
    """Return the names of the scripts that a page needs, in the order in which they build on one another."""
    words = ["nltk"] if settings.tokenizer == "nltk" else []
    sentences = ["punkt", "sentences"] if settings.sentences else []
    return ["model", "text", *words, *sentences, *(["clean"] if settings.clean else []), "write"]


def _part(name: str) -> str:
    return (files("rnnlm.exchange") / "page" / name).read_text(encoding="utf-8")


def _policy(scripts: list[str], style: str) -> str:
    """Return the policy that forbids the network, and all scripts and styles but these."""
    allowed = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
