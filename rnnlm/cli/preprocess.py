"""``rnnlm preprocess``: text to a dataset."""

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import json_option, print_json, quiet_option, say

if TYPE_CHECKING:
    from rnnlm.dataset.build import BuildResult
    from rnnlm.text.processor import TextSettings

SAMPLE_CORPUS = "sample-comments.csv"


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("--out", type=click.Path(path_type=Path), help="Dataset directory.  [default: data/NAME OF INPUT]")
@click.option("--level", type=click.Choice(["word", "char"]), help="What a token is.  [default: word]")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["auto", "csv", "jsonl", "txt"]),
    default="auto",
    show_default=True,
    help="Format of the inputs; auto goes by the file names and takes unknown ones for txt.",
)
@click.option(
    "--documents",
    type=click.Choice(["line", "paragraph", "file"]),
    help="What one document of a txt file is.  [default: line for words, file for characters]",
)
@click.option(
    "--text-column",
    metavar="NAME",
    help="CSV column (the first row names them) or JSON field with the text."
    "  [default: body, else text, else the only one]",
)
@click.option(
    "--tokenizer",
    type=click.Choice(["nltk", "tweet", "whitespace"]),
    help="How text is cut into words; whitespace is for text that is tokenized already.  [default: nltk]",
)
@click.option(
    "--vocab-size",
    type=click.IntRange(min=4),
    metavar="N",
    help="Most tokens in the vocabulary, the three special ones included.  [default: 8000]",
)
@click.option(
    "--min-count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Leave out words seen fewer times.  [default: 1]",
)
@click.option(
    "--vocab",
    type=click.Path(path_type=Path),
    help="Reuse the vocabulary, and its way of processing text, of a dataset, run or checkpoint.",
)
@click.option("--unknown-token", metavar="TOKEN", help="Stands for other words.  [default: UNKNOWN_TOKEN]")
@click.option("--start-token", metavar="TOKEN", help="Begins a sentence.  [default: SENTENCE_START]")
@click.option("--end-token", metavar="TOKEN", help="Ends a sentence.  [default: SENTENCE_END]")
@click.option(
    "--lowercase/--no-lowercase",
    default=None,
    help="Put text in lower case.  [default: on for words, off for characters]",
)
@click.option(
    "--sentences/--no-sentences",
    default=None,
    help="Split documents into sentences.  [default: on for words from csv and jsonl]",
)
@click.option(
    "--clean/--no-clean",
    default=None,
    help="Reddit clean-up: entities, markdown, deleted comments.  [default: on for csv and jsonl]",
)
@click.option("--valid", "valid_file", metavar="FILE", help="Validation text, instead of a share of the input.")
@click.option("--test", "test_file", metavar="FILE", help="Test text, instead of a share of the input.")
@click.option(
    "--valid-fraction",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of the documents for validation.",
)
@click.option(
    "--test-fraction",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of the documents for the test.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which documents are chosen.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that tokenize."
)
@click.option("--overwrite", is_flag=True, help="Replace the dataset in --out.")
@json_option
@quiet_option
def preprocess(
    inputs: tuple[str, ...],
    out: Path | None,
    level: str | None,
    file_format: str,
    documents: str | None,
    text_column: str | None,
    tokenizer: str | None,
    vocab_size: int | None,
    min_count: int | None,
    vocab: Path | None,
    unknown_token: str | None,
    start_token: str | None,
    end_token: str | None,
    lowercase: bool | None,
    sentences: bool | None,
    clean: bool | None,
    valid_file: str | None,
    test_file: str | None,
    valid_fraction: float,
    test_fraction: float,
    seed: int,
    workers: int,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Turn text into a dataset: clean, tokenize, build the vocabulary, split.

    INPUT: files or directories, or - for standard input: .csv .tsv .jsonl .ndjson .txt, each also .gz .bz2
    .xz .zst. Without any, the sample corpus that comes with rnnlm.

    \b
    Examples:
      rnnlm preprocess comments.csv
      rnnlm preprocess book.txt --level char --out data/book
      zcat dump.gz | rnnlm preprocess - --format jsonl --out data/dump
    """
    from tqdm import tqdm

    from rnnlm.dataset.build import VocabularySettings, build_dataset, check_destination
    from rnnlm.dataset.split import SplitSettings
    from rnnlm.text.processor import TextSettings
    from rnnlm.text.readers import ReaderSettings, ReadReport, find_files, format_of
    from rnnlm.text.tokenizers import CHARACTERS
    from rnnlm.text.vocabulary import SpecialTokens, Vocabulary

    if level == "char" and tokenizer:
        raise click.UsageError("--tokenizer is for words; leave it out with --level char.")
    with ExitStack() as stack:
        if not inputs:
            sample = stack.enter_context(as_file(files("rnnlm.resources") / SAMPLE_CORPUS))
            inputs = (str(sample),)
        out = out or Path("data", _stem(inputs[0]))
        check_destination(out, overwrite)
        vocabulary: Vocabulary | VocabularySettings
        if vocab:
            vocabulary = Vocabulary.load(vocab)
            text = vocabulary.settings
            fixed = {
                "--level": (level, text.level),
                "--tokenizer": (tokenizer, text.tokenizer),
                "--lowercase": (lowercase, text.lowercase),
                "--sentences": (sentences, text.sentences),
                "--clean": (clean, text.clean),
                "--vocab-size": (vocab_size, len(vocabulary)),
                "--min-count": (min_count, None),
                "--unknown-token": (unknown_token, vocabulary.unknown_token),
                "--start-token": (start_token, vocabulary.start_token),
                "--end-token": (end_token, vocabulary.end_token),
            }
            for option, (given, actual) in fixed.items():
                if given is not None and given != actual:
                    raise click.UsageError(f"{option} is fixed by the vocabulary of {vocab}; leave it out.")
        else:
            words = level != "char"
            first_format = format_of(find_files(inputs[:1])[0]) if file_format == "auto" else file_format
            records = first_format in ("csv", "jsonl")
            text = TextSettings(
                tokenizer=(tokenizer or "nltk") if words else CHARACTERS,
                lowercase=words if lowercase is None else lowercase,
                sentences=words and records if sentences is None else sentences,
                clean=records if clean is None else clean,
            )
            special = SpecialTokens()
            vocabulary = VocabularySettings(
                size=vocab_size or 8000,
                min_count=min_count or 1,
                special=SpecialTokens(
                    special.unknown if unknown_token is None else unknown_token,
                    special.start if start_token is None else start_token,
                    special.end if end_token is None else end_token,
                ),
            )
        documents = documents or ("line" if text.level == "word" else "file")
        say(f"Reading {', '.join(inputs)}, writing {out}.", quiet)
        say(f"Text settings: {_as_options(text, documents)}", quiet)
        report = ReadReport()
        with tqdm(
            desc="Processing", unit=" characters", unit_scale=True, disable=quiet or None, leave=False
        ) as bar:
            result = build_dataset(
                inputs,
                out,
                reader=ReaderSettings(file_format, documents, text_column),
                text=text,
                vocabulary=vocabulary,
                split=SplitSettings(valid_file, test_file, valid_fraction, test_fraction, seed),
                workers=workers,
                overwrite=overwrite,
                report=report,
                progress=bar.update,
            )
    for message in (*report.messages(), *_summary(result)):
        say(message, quiet)
    if as_json:
        print_json(result.to_dict())
    else:
        total = result.total
        click.echo(
            f"{out}: {result.documents:,} documents, {total.sentences:,} sentences, {total.tokens:,} tokens"
        )


def _stem(name: str) -> str:
    """Name a dataset after an input."""
    from rnnlm.text.readers import STDIN, format_of, strip_compression

    if name == STDIN:
        return "stdin"
    path = Path(name).resolve()
    if path.is_dir():
        return path.name
    plain = strip_compression(path.name)
    return Path(plain).stem if format_of(plain) else plain


def _as_options(text: "TextSettings", documents: str) -> str:
    """Write settings as the options that would give them."""
    tokenizer = f" --tokenizer {text.tokenizer}" if text.level == "word" else ""
    switches = "".join(
        f" --{'' if getattr(text, name) else 'no-'}{name}" for name in ("lowercase", "sentences", "clean")
    )
    return f"--level {text.level}{tokenizer}{switches} --documents {documents}"


def _summary(result: "BuildResult") -> Iterator[str]:
    """Say what the vocabulary covers."""
    at_least = "at least " if result.forgot_types else ""
    yield f"Found {at_least}{result.unique_tokens:,} unique tokens in the training text."
    yield f"The vocabulary has {len(result.vocabulary):,} tokens, the special ones included."
    if result.least_frequent:
        token, count = result.least_frequent
        times = "once" if count == 1 else f"{count:,} times"
        yield f"The least frequent word in it is {token!r}, which appeared {times}."
    rates = [f"{name} {part.unknown_rate:.2%}" for name, part in result.splits.items() if part.tokens]
    yield f"Unknown tokens: {', '.join(rates)}."
