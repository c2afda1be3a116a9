"""``rnnlm preprocess``: text to a dataset."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.common import FiniteRange, json_option, print_json, quiet_option, say
from rnnlm.cli.preprocess_choices import (
    given,
    refuse_options_without_effect,
    refuse_what_has_no_lines,
    say_of_mixture,
    text_and_vocabulary,
)
from rnnlm.cli.preprocess_summary import as_options, summary
from rnnlm.cli.reading import reading_options, say_reading
from rnnlm.errors import RnnlmError
from rnnlm.resources import SAMPLE_CORPUS

if TYPE_CHECKING:
    from rnnlm.dataset.building.build import BuildResult
    from rnnlm.text.inputs import ReaderSettings


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=click.Path(allow_dash=True))
@click.option("--out", type=click.Path(path_type=Path), help="Dataset directory.  [default: data/NAME OF INPUT]")
@click.option("--level", type=click.Choice(["word", "char"]), help="What a token is.  [default: word]")
@reading_options()
@click.option(
    "--tokenizer",
    type=click.Choice(["nltk", "tweet", "whitespace", "unicode", "jieba", "bpe"]),
    help="How text is cut into words; whitespace is for text that is tokenized already, unicode for any language,"
    " jieba for Chinese, bpe for parts of words.  [default: nltk]",
)
@click.option(
    "--join",
    type=click.Choice(["space", "none"]),
    help="With --tokenizer whitespace: how words are joined again; none is for scripts without spaces."
    "  [default: space]",
)
@click.option(
    "--keep-lines", is_flag=True, help="Take the ends of lines for tokens, for poems and lyrics; words only."
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
    help="Leave out words seen fewer times; with --extend-vocab, of those it would add.  [default: 1]",
)
@click.option(
    "--vocab",
    type=click.Path(path_type=Path),
    help="Reuse the vocabulary, and its way of processing text, of a dataset, run or checkpoint.",
)
@click.option(
    "--extend-vocab",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --vocab: add the N most frequent words that it lacks, to go on training with train --init-from.",
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
    help="Split documents into sentences.  [default: on for words if all inputs are csv or jsonl, without"
    " --keep-lines]",
)
@click.option(
    "--clean/--no-clean",
    default=None,
    help="Reddit clean-up: entities, markdown, deleted comments.  [default: on if all inputs are csv or jsonl]",
)
@click.option("--valid", "valid_file", type=click.Path(), help="Validation text, instead of a share of the input.")
@click.option("--test", "test_file", type=click.Path(), help="Test text, instead of a share of the input.")
@click.option(
    "--valid-fraction",
    type=FiniteRange(0, 1),
    help="Share of the documents for validation.  [default: 0.05]",
)
@click.option(
    "--test-fraction",
    type=FiniteRange(0, 1),
    help="Share of the documents for the test.  [default: 0.05]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which documents are chosen.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that tokenize."
)
@click.option(
    "--write-text",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write train.txt, valid.txt and test.txt: tokens with spaces between them, unknown words replaced, a"
    " sentence a line, for lmplz and others.",
)
@click.option("--overwrite", is_flag=True, help="Replace the dataset in --out, and the files of --write-text.")
@json_option
@quiet_option
def preprocess(
    inputs: tuple[str, ...],
    out: Path | None,
    level: str | None,
    reader: "ReaderSettings",
    tokenizer: str | None,
    join: str | None,
    keep_lines: bool,
    vocab_size: int | None,
    min_count: int | None,
    vocab: Path | None,
    extend_vocab: int | None,
    unknown_token: str | None,
    start_token: str | None,
    end_token: str | None,
    lowercase: bool | None,
    sentences: bool | None,
    clean: bool | None,
    valid_file: str | None,
    test_file: str | None,
    valid_fraction: float | None,
    test_fraction: float | None,
    seed: int,
    workers: int,
    write_text: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Turn text into a dataset: clean, tokenize, build the vocabulary, split.

    INPUT: files or directories, or - for standard input: .csv .tsv .json .jsonl .ndjson .txt, each also .gz .bz2
    .xz .zst .zip, and .parquet; other names are fine too, because the content of a file decides. Without any, the
    sample corpus that comes with rnnlm.

    \b
    Examples:
      rnnlm preprocess comments.csv
      rnnlm preprocess book.txt --level char --out data/book
      rnnlm preprocess RC_2026-01.zst --where subreddit=askscience --workers 2
      zcat dump.gz | rnnlm preprocess - --format jsonl --out data/dump
    """
    from rnnlm.dataset.building.publish import check_destination
    from rnnlm.dataset.building.split import SplitSettings
    from rnnlm.dataset.store import Dataset
    from rnnlm.dataset.write_text import check_text_destination
    from rnnlm.dataset.write_text import write_text as save_text
    from rnnlm.text.lines import source_name
    from rnnlm.text.readers import Inputs
    from rnnlm.text.report import ReadReport, counted

    if level == "char" and tokenizer:
        raise click.UsageError("--tokenizer is for words; leave it out with --level char.")
    if join and not vocab and tokenizer != "whitespace":
        raise click.UsageError("--join is for --tokenizer whitespace; the others need none; leave it out.")
    if keep_lines:
        refuse_what_has_no_lines(level, reader.documents, sentences)
    if extend_vocab and not vocab:
        raise click.UsageError("--extend-vocab adds words to the vocabulary of --vocab; give that too.")
    for part, file, fraction in (("valid", valid_file, valid_fraction), ("test", test_file, test_fraction)):
        if file and fraction:
            raise click.UsageError(f"--{part} is all of the {part} part; leave --{part}-fraction out.")
    with ExitStack() as stack:
        stack.enter_context(_ended_by_sigterm())
        if not inputs:
            inputs = (str(SAMPLE_CORPUS),)
        out = out or Path("data", _stem(inputs[0]))
        check_destination(out, overwrite)
        if write_text:
            check_text_destination(write_text, out, overwrite)
        report = ReadReport()
        read = Inputs(inputs, reader, report)
        formats = read.formats
        # A pipe can be opened only once: when it is read.
        others = [file for file in (valid_file, test_file) if file and file != "-" and not Path(file).is_fifo()]
        all_formats = {*formats, *Inputs(others, reader, report).formats}
        refuse_options_without_effect(all_formats, reader)
        text, vocabulary = text_and_vocabulary(
            formats,
            level,
            vocab,
            extend_vocab,
            processing={
                "tokenizer": tokenizer,
                "lowercase": lowercase,
                "sentences": sentences,
                "clean": clean,
                "join": join,
                "keep_lines": keep_lines or None,
            },
            choice={"vocab_size": vocab_size, "min_count": min_count},
            special={"unknown_token": unknown_token, "start_token": start_token, "end_token": end_token},
        )
        documents = reader.documents or text.default_documents
        fractions = given(valid_fraction=valid_fraction, test_fraction=test_fraction)
        say(f"Reading {', '.join(map(source_name, inputs))}, writing {out}.", quiet)
        say(f"Text settings: {as_options(text, documents if 'txt' in all_formats else None)}", quiet)
        unsaid = [name for name, value in (("clean", clean), ("sentences", sentences)) if value is None]
        if unsaid and not vocab:
            say_of_mixture(read.files, unsaid, quiet)
        try:
            result = _build_with_progress(
                read,
                out,
                quiet,
                reader=replace(reader, documents=documents),
                text=text,
                vocabulary=vocabulary,
                split=SplitSettings(valid_file, test_file, **fractions, seed=seed),
                workers=workers,
                overwrite=overwrite,
                report=report,
            )
        except RnnlmError:
            say_reading(report, quiet)  # which may be the reason
            raise
        if write_text:
            save_text(Dataset.open(out), write_text, overwrite)
            say(f"Wrote {write_text}: train.txt, valid.txt, test.txt.", quiet)
    say_reading(report, quiet)
    for message in summary(result, sentences is None):
        say(message, quiet)
    if as_json:
        print_json(result.to_dict())
    else:
        total = result.total
        click.echo(
            f"{out}: {counted(result.documents, 'document{s}')}, {counted(total.sentences, 'sentence{s}')},"
            f" {counted(total.tokens, 'token{s}')}"
        )


def _build_with_progress(inputs: Sequence[str], out: Path, quiet: bool, **options: Any) -> "BuildResult":
    """Build the dataset and show how many characters are done."""
    from tqdm import tqdm

    from rnnlm.dataset.building.build import build_dataset

    with tqdm(desc="Processing", unit=" characters", unit_scale=True, disable=quiet or None, leave=False) as bar:
        return build_dataset(inputs, out, **options, progress=bar.update)


def _stem(name: str) -> str:
    """Name a dataset after an input."""
    from rnnlm.text.formats import format_of, strip_compression
    from rnnlm.text.lines import STDIN

    if name == STDIN:
        return "stdin"
    path = Path(name).resolve()
    if path.is_dir():
        return path.name
    plain = strip_compression(path.name)
    return Path(plain).stem if format_of(plain) else plain


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does, everything cleaned up, with exit code 143."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # some senders send it twice: the clean-up goes on
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
