"""The options of ``rnnlm preprocess`` that belong together, and which of them exclude one another."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from rnnlm.cli.common import (
    COUNT,
    PATH,
    FiniteRange,
    as_argument,
    load_source_vocabulary,
    load_vocabulary,
    say,
)
from rnnlm.cli.main import with_options
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.dataset.building.division import DivisionSettings
    from rnnlm.dataset.building.learning import VocabularySettings
    from rnnlm.dataset.building.series import SeriesSettings
    from rnnlm.text.inputs import InputFile, ReaderSettings
    from rnnlm.text.processor import TextSettings
    from rnnlm.text.vocabulary import Vocabulary

RECORDS = frozenset(("csv", "json", "jsonl", "parquet"))


Given: TypeAlias = dict[str, Any]
"""The options of a kind that were given, so that the library's defaults hold for the others."""


def given(**options: Any) -> Given:
    """Leave out the options that were not given."""
    return {name: value for name, value in options.items() if value is not None}


text_options = as_argument(
    "text",
    given,
    click.option("--level", type=click.Choice(["word", "char"]), help="What a token is.  [default: word]"),
    click.option(
        "--tokenizer",
        type=click.Choice(["nltk", "tweet", "whitespace", "unicode", "jieba", "bpe"]),
        help="How text is cut into words; whitespace is for text that is tokenized already, unicode for any"
        " language, jieba for Chinese, bpe for parts of words.  [default: nltk]",
    ),
    click.option(
        "--join",
        type=click.Choice(["space", "none"]),
        help="With --tokenizer whitespace: how words are joined again; none is for scripts without spaces."
        "  [default: space]",
    ),
    click.option(
        "--keep-lines",
        is_flag=True,
        default=None,
        help="Take the ends of lines for tokens, for poems and lyrics; words only.",
    ),
    click.option(
        "--lowercase/--no-lowercase",
        default=None,
        help="Put text in lower case.  [default: on for words, off for characters]",
    ),
    click.option(
        "--sentences/--no-sentences",
        default=None,
        help="Split documents into sentences.  [default: on for words if all inputs are csv or jsonl, without"
        " --keep-lines and --label-column]",
    ),
    click.option(
        "--clean/--no-clean",
        default=None,
        help="Reddit clean-up: entities, markdown, deleted comments.  [default: on if all inputs are csv or"
        " jsonl]",
    ),
)


def chosen_text(options: Given, formats: Collection[str], labelled: bool) -> "TextSettings":
    """Return how text becomes tokens where the inputs have these formats, and labels or not."""
    from rnnlm.text.processor import TextSettings

    try:
        return TextSettings.choose(formats=formats, labelled=labelled, **options)
    except RnnlmError as error:
        raise click.UsageError(with_options(str(error))) from error


vocabulary_options = as_argument(
    "vocabulary",
    given,
    click.option(
        "--vocab-size",
        "size",
        type=click.IntRange(min=4),
        metavar="N",
        help="Most tokens in the vocabulary, the three special ones included.  [default: 8000]",
    ),
    click.option(
        "--min-count",
        type=COUNT,
        metavar="N",
        help="Leave out words seen fewer times; with --extend-vocab, of those it would add.  [default: 1]",
    ),
    click.option(
        "--vocab",
        "vocabulary",
        type=PATH,
        help="Reuse the vocabulary, the tags and the way of processing text of a dataset, run or checkpoint.",
    ),
    click.option(
        "--extend-vocab",
        type=COUNT,
        metavar="N",
        help="With --vocab: add the N most frequent words that it lacks, to go on training with train"
        " --init-from.",
    ),
    click.option("--unknown-token", metavar="TOKEN", help="Stands for other words.  [default: UNKNOWN_TOKEN]"),
    click.option("--start-token", metavar="TOKEN", help="Begins a sentence.  [default: SENTENCE_START]"),
    click.option("--end-token", metavar="TOKEN", help="Ends a sentence.  [default: SENTENCE_END]"),
)


def chosen_vocabulary(options: Given, text: Given) -> "Vocabulary | VocabularySettings":
    """Return a vocabulary that is reused, if no option contradicts it, or which words a new one keeps."""
    from rnnlm.dataset.building.learning import VocabularySettings
    from rnnlm.text.vocabulary import SpecialTokens

    wanted = dict(options)
    path, added = wanted.pop("vocabulary", None), wanted.pop("extend_vocab", None)
    if path is None:
        if added:
            raise click.UsageError("--extend-vocab adds words to the vocabulary of --vocab; give that too.")
        names = {name: wanted.pop(f"{name}_token", None) for name in ("unknown", "start", "end")}
        return VocabularySettings(**wanted, special=SpecialTokens(**given(**names)))
    old = load_vocabulary(path)
    min_count = wanted.pop("min_count", 1) if added else 1
    contradictions = old.contradictions(**text, vocab_size=wanted.pop("size", None), **wanted)
    if contradictions:
        option = contradictions[0].replace("_", "-")
        raise click.UsageError(f"--{option} is fixed by the vocabulary of {path}; leave it out.")
    return VocabularySettings(len(old) + added, min_count, extends=old) if added else old


def chosen_source_vocabulary(options: Given) -> "Vocabulary | VocabularySettings | None":
    """Return the same for the sources of pairs; None for a new vocabulary like that of the targets."""
    from rnnlm.dataset.building.learning import VocabularySettings

    old = load_source_vocabulary(options["vocabulary"]) if "vocabulary" in options else None
    if old is None or "extend_vocab" not in options:
        return old
    return VocabularySettings(len(old) + options["extend_vocab"], options.get("min_count", 1), extends=old)


def _division(
    valid_file: str | None,
    test_file: str | None,
    valid_fraction: float | None,
    test_fraction: float | None,
    seed: int,
) -> "DivisionSettings":
    from rnnlm.dataset.building.division import DivisionSettings

    for part, file, fraction in (("valid", valid_file, valid_fraction), ("test", test_file, test_fraction)):
        if file and fraction:
            raise click.UsageError(f"--{part} is all of the {part} part; leave --{part}-fraction out.")
    fractions = given(valid_fraction=valid_fraction, test_fraction=test_fraction)
    return DivisionSettings(valid_file, test_file, **fractions, seed=seed)


division_options = as_argument(
    "division",
    _division,
    click.option(
        "--valid",
        "valid_file",
        type=click.Path(),
        help="Validation text, instead of a share of the input; SOURCE,TARGET are two files of pairs.",
    ),
    click.option(
        "--test", "test_file", type=click.Path(), help="Test text, instead of a share of the input; as --valid."
    ),
    click.option(
        "--valid-fraction", type=FiniteRange(0, 1), help="Share of the documents for validation.  [default: 0.05]"
    ),
    click.option(
        "--test-fraction", type=FiniteRange(0, 1), help="Share of the documents for the test.  [default: 0.05]"
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Decides which documents are chosen."),
)


def refuse_options_of_the_other_kind(
    is_series: bool,
    series: "SeriesSettings",
    text: Given,
    reader: "ReaderSettings",
    workers: int,
    write_text: Path | None,
) -> None:
    """Refuse options for text where a series is read, and those for a series where text is."""
    if is_series:
        given_for_text = [
            *text,
            *(name for name in ("documents", "text_column", "label_column", "where") if getattr(reader, name)),
            *(["workers"] if workers > 1 else []),
            *(["write_text"] if write_text else []),
        ]
        for name in given_for_text:
            option = {"size": "vocab-size", "vocabulary": "vocab"}.get(name, name.replace("_", "-"))
            raise click.UsageError(f"--{option} is for text, but a series is read; leave it out.")
        return
    for name, value in vars(series).items():
        if value is not None:
            option = name.replace("_", "-")
            raise click.UsageError(
                f"--{option} is for a series, but text is read; leave it out, or set --format series."
            )


def refuse_options_without_effect(formats: Collection[str], reader: "ReaderSettings", text: Given) -> None:
    """Refuse what none of the formats that are read has, and documents that are lines where these are tokens."""
    if text.get("keep_lines") and reader.documents == "line":
        raise click.UsageError("--keep-lines keeps nothing of --documents line; choose paragraph or file.")
    found = ", ".join(sorted(formats))
    for option, is_given, kinds, named in (
        ("--documents", reader.documents, {"txt"}, "txt"),
        ("--text-column", reader.text_column, RECORDS, "csv and jsonl"),
        ("--label-column", reader.label_column, RECORDS, "csv and jsonl"),
        ("--where", reader.where, RECORDS, "csv and jsonl"),
        ("--delimiter", reader.delimiter != "auto", {"csv"}, "csv"),
        ("--quoting or --no-quoting", reader.quoting is not None, {"csv"}, "csv"),
        ("--no-header", not reader.header, {"csv"}, "csv"),
    ):
        if is_given and kinds.isdisjoint(formats):
            raise click.UsageError(f"{option} is for {named}, but {found} is read; leave it out, or set --format.")


def say_of_mixture(files: Sequence["InputFile"], text: Given, quiet: bool) -> None:
    """Say that records are taken as they are where they are read together with plain text."""
    unsaid = [f"--no-{name}" for name in ("clean", "sentences") if name not in text]
    plain = [file.name for file in files if file.format == "txt"]
    if unsaid and plain and len(plain) < len(files):
        say(
            f"{plain[0]} is plain text and other inputs are records: without your choice, all are read with"
            f" {' '.join(unsaid)}.",
            quiet,
        )
