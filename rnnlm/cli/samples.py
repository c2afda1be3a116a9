"""How the texts that ``rnnlm generate`` writes are printed, and what is copied in them."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from rnnlm.cli.common import print_json, say
from rnnlm.cli.measuring import open_split
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.dataset.store import Split
    from rnnlm.models.language_model import LanguageModel

Samples: TypeAlias = Iterator[tuple[str, dict[str, Any]]]
"""Prompts, each with a sample as plain data."""

TOGETHER = 64
"""Texts that are looked for in the training text at once, as that takes as long as for one."""


def training_split(model: "LanguageModel", data: Path | None, quiet: bool) -> "Split":
    """Open the text that a model was trained on, and say which dataset that is."""
    path = data or model.config.data.path
    advice = "name the dataset that the model was trained on with --data DIR."
    if path is None:
        raise click.UsageError(f"--novelty needs the training text; {advice}")
    if not Path(path).exists():
        raise RnnlmError(f"{path}: no such directory; {advice}")
    train = open_split(path, "train", model, advice)
    if train.num_tokens == 0:
        raise RnnlmError(f"{path}: its train split is empty; {advice}")
    say(f"Dataset: {path}, train split", quiet)
    return train


def with_novelty(model: "LanguageModel", split: "Split", samples: Samples) -> Samples:
    """Yield prompts and samples, some at a time, with what each has copied from a split."""
    from rnnlm.evaluation.novelty import find_copied, shortest_copy

    vocabulary = model.vocabulary
    processor, shortest = vocabulary.processor, shortest_copy(vocabulary.settings.tokenizer)
    while together := list(islice(samples, TOGETHER)):
        texts = [vocabulary.encode(values["tokens"]) for _, values in together]
        for (prompt, values), copied in zip(together, find_copied(split, texts, shortest), strict=True):
            longest = processor.detokenize(vocabulary.decode(copied.longest)) if copied.longest else None
            yield prompt, {**values, "copied_share": copied.share, "longest_copy": longest}


def print_samples(samples: Samples, gap: str, as_json: bool, as_jsonl: bool, quiet: bool) -> None:
    """Print samples as they come, as text with a gap between them, or as JSON; say the labels of texts."""
    if as_json:
        print_json({"samples": [values for _, values in samples]})
    elif as_jsonl:
        for prompt, values in samples:
            print_json({"prompt": prompt, **values})
    else:
        for position, (_, values) in enumerate(samples):
            if "label" in values:
                say(f"Label: {values['label']}", quiet)
            click.echo((gap if position else "") + values["text"])
            if "copied_share" in values:
                click.echo(_novelty(values["copied_share"], values["longest_copy"]))


def _novelty(copied_share: float, longest_copy: str | None) -> str:
    """Return the line below a text."""
    # As in JSON, so that it is one line.
    longest = f", the longest piece: {json.dumps(longest_copy, ensure_ascii=False)}" if longest_copy else ""
    return f"  copied {copied_share:.1%}{longest}"
