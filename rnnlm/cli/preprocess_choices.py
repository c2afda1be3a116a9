"""What the options of ``rnnlm preprocess`` mean together, and which of them exclude one another."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.common import load_vocabulary, say

if TYPE_CHECKING:
    from rnnlm.dataset.building.learning import VocabularySettings
    from rnnlm.text.inputs import InputFile, ReaderSettings
    from rnnlm.text.processor import TextSettings
    from rnnlm.text.vocabulary import Vocabulary

RECORDS = frozenset(("csv", "json", "jsonl", "parquet"))


def refuse_options_without_effect(formats: set[str], reader: "ReaderSettings") -> None:
    """Refuse what none of the formats that are read has."""
    if reader.documents and "txt" not in formats:
        raise click.UsageError("--documents is for txt, of which there is none; leave it out, or set --format.")
    found = ", ".join(sorted(formats))
    for option, is_given, kinds, named in (
        ("--text-column", reader.text_column, RECORDS, "csv and jsonl"),
        ("--where", reader.where, RECORDS, "csv and jsonl"),
        ("--delimiter", reader.delimiter != "auto", {"csv"}, "csv"),
        ("--quoting or --no-quoting", reader.quoting is not None, {"csv"}, "csv"),
        ("--no-header", not reader.header, {"csv"}, "csv"),
    ):
        if is_given and formats and formats.isdisjoint(kinds):
            raise click.UsageError(f"{option} is for {named}, but {found} is read; leave it out, or set --format.")


def say_of_mixture(files: Sequence["InputFile"], unsaid: Sequence[str], quiet: bool) -> None:
    """Say that records are taken as they stand where they are read together with plain text.

    Parameters
    ----------
    files
        What is read.
    unsaid
        The switches that nobody has chosen.
    quiet
        Whether to say nothing.
    """
    plain = [file.name for file in files if file.format == "txt"]
    if plain and len(plain) < len(files):
        say(
            f"{plain[0]} is plain text and other inputs are records: without your choice, all are read with"
            f" {' '.join(f'--no-{name}' for name in unsaid)}.",
            quiet,
        )


def refuse_what_has_no_lines(level: str | None, documents: str | None, sentences: bool | None) -> None:
    """Refuse what cannot be had together with the ends of lines."""
    if level == "char":
        raise click.UsageError("--keep-lines is for words: among characters are the ends of lines; leave it out.")
    if sentences:
        raise click.UsageError("--keep-lines keeps a document in one piece; leave it out, or --sentences.")
    if documents == "line":
        raise click.UsageError("--keep-lines keeps nothing of --documents line; choose paragraph or file.")


def text_and_vocabulary(
    formats: Sequence[str],
    level: str | None,
    vocab: Path | None,
    extend_vocab: int | None,
    processing: dict[str, Any],
    choice: dict[str, int | None],
    special: dict[str, str | None],
) -> tuple["TextSettings", "Vocabulary | VocabularySettings"]:
    """Return how text becomes tokens, and a vocabulary that is reused or how a new one is chosen."""
    from rnnlm.dataset.building.learning import VocabularySettings
    from rnnlm.text.processor import TextSettings
    from rnnlm.text.vocabulary import SpecialTokens

    if vocab:
        of_added = given(min_count=choice.pop("min_count")) if extend_vocab else {}
        vocabulary = _reused(vocab, level=level, **processing, **choice, **special)
        if extend_vocab is None:
            return vocabulary.settings, vocabulary
        extended = VocabularySettings(size=len(vocabulary) + extend_vocab, extends=vocabulary, **of_added)
        return vocabulary.settings, extended
    names = SpecialTokens(**{name.removesuffix("_token"): value for name, value in given(**special).items()})
    settings = VocabularySettings(**given(size=choice["vocab_size"], min_count=choice["min_count"]), special=names)
    return TextSettings.choose(level or "word", formats, **given(**processing)), settings


def _reused(path: Path, **wanted: object) -> "Vocabulary":
    """Load the vocabulary of a dataset, run or checkpoint, and refuse options that contradict it."""
    vocabulary = load_vocabulary(path)
    contradictions = vocabulary.contradictions(**wanted)
    if contradictions:
        option = contradictions[0].replace("_", "-")
        raise click.UsageError(f"--{option} is fixed by the vocabulary of {path}; leave it out.")
    return vocabulary


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given, so that the library's defaults hold for the others."""
    return {name: value for name, value in options.items() if value is not None}
