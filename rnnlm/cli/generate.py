"""``rnnlm generate``."""

import contextlib
import io
import secrets
import shlex
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rnnlm.cli.common import (
    COUNT,
    PATH,
    POSITIVE,
    SHARE,
    FiniteRange,
    as_argument,
    json_lines_option,
    json_option,
    load_model,
    model_option,
    quiet_option,
    say,
)
from rnnlm.cli.main import with_options
from rnnlm.cli.reading import reading_options, refuse_reading_options, texts_of
from rnnlm.cli.samples import Samples, print_samples, training_split, with_novelty

if TYPE_CHECKING:
    from rnnlm.generation.writer import Writer
    from rnnlm.generation.writing import WritingSettings
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.text.inputs import ReaderSettings

CONTRADICTIONS = {
    "interactive": ("prompts", "as_json", "as_jsonl", "num_samples", "beam_width", "novelty"),
    "prompts": ("seed_text", "as_json"),
    "as_json": ("as_jsonl",),
    "beam_width": ("temperature", "top_k", "top_p", "greedy", "repetition_penalty", "stop", "seed"),
    "greedy": ("top_k", "top_p"),
}
"""Options by parameter name, and those that make no sense beside each."""


def _as_utf8(
    context: click.Context, parameter: click.Parameter, value: str | tuple[str, ...] | None
) -> str | tuple[str, ...] | None:
    """Refuse an argument with bytes that are not UTF-8: such text can be neither read nor printed."""
    try:
        "".join(value or "").encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter("it is not valid UTF-8.") from error
    return value


def _writing(**values: Any) -> "WritingSettings":
    from rnnlm.generation.sampling import SamplingSettings
    from rnnlm.generation.writing import WritingSettings

    sampling = SamplingSettings(**{field.name: values.pop(field.name) for field in fields(SamplingSettings)})
    return WritingSettings(sampling, **values)


writing_options = as_argument(
    "writing",
    _writing,
    click.option(
        "--max-tokens",
        type=COUNT,
        help="Words or characters after which a text is cut.  [default: 100 words, 500 characters]",
    ),
    click.option(
        "--min-tokens",
        type=click.IntRange(min=0),
        default=0,
        help="Words or characters before which the sentence does not end.",
    ),
    click.option(
        "--stop",
        multiple=True,
        metavar="TEXT",
        callback=_as_utf8,
        help="End a text before this, where it appears in what was written; a word in which it begins is left "
        "out as a whole. May be given again.",
    ),
    click.option(
        "--keep-stop",
        is_flag=True,
        help="End a text after what --stop names; a word in which that ends is kept whole.",
    ),
    click.option(
        "--ban",
        multiple=True,
        metavar="TEXT",
        callback=_as_utf8,
        help="Never write this word, or these words in a row; of characters, this string. May be given again.",
    ),
    click.option(
        "--temperature",
        type=FiniteRange(min=0),
        default=1.0,
        show_default=True,
        help="Below 1 the likely words gain, above 1 the unlikely ones; 0 is the same as --greedy.",
    ),
    click.option("--top-k", type=COUNT, help="Choose among the K most likely tokens only."),
    click.option("--top-p", type=SHARE, help="Choose among the fewest tokens whose probabilities add up to P."),
    click.option("--greedy", is_flag=True, help="Take the most likely token every time."),
    click.option(
        "--repetition-penalty",
        type=POSITIVE,
        default=1.0,
        metavar="X",
        help="Raise the probabilities of tokens that are in the text already to the power X, before all else: "
        "above 1 there is less repetition.",
    ),
    click.option("--allow-unknown", is_flag=True, help="Let the unknown token be written."),
    click.option(
        "--label",
        metavar="NAME",
        callback=_as_utf8,
        help="Label of the texts, for a model of texts with labels.  [default: drawn, as often as each was seen]",
    ),
)


@click.command()
@click.argument("words", nargs=-1, metavar="", type=click.UNPROCESSED)
@model_option
@click.option("--seed-text", default="", callback=_as_utf8, help="How the text begins.  [default: a new sentence]")
@click.option(
    "--prompts",
    type=click.Path(allow_dash=True),
    help="Continue each line of a text file, - for standard input; an empty line is a new sentence. With --jsonl, "
    "one JSON object a sample.",
)
@click.option("--interactive", is_flag=True, help="Write together with the model, line by line; /help says how.")
@click.option(
    "--num-samples",
    type=COUNT,
    help="How many texts.  [default: 5; with --greedy or --prompts 1, with --beam-width all]",
)
@writing_options
@click.option(
    "--beam-width",
    type=COUNT,
    metavar="N",
    help="Search for the most likely texts, keeping N at each step; the best comes first. Nothing is drawn.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="The same seed gives the same text, whatever the number of samples and the other lines of --prompts.",
)
@click.option(
    "--novelty",
    is_flag=True,
    help="After each text, print the share of its words in sequences of 8 or more that are in the training text "
    "(of parts of words, 12; of characters, 40), and the longest such sequence.",
)
@click.option("--data", type=PATH, help="Dataset for --novelty.  [default: the one the model was trained on]")
@json_option
@reading_options(by_documents=False)
@json_lines_option
@quiet_option
@click.pass_context
def generate(
    context: click.Context,
    words: tuple[str, ...],
    model_path: Path | None,
    seed_text: str,
    prompts: str | None,
    reader: "ReaderSettings",
    interactive: bool,
    num_samples: int | None,
    writing: "WritingSettings",
    beam_width: int | None,
    seed: int | None,
    novelty: bool,
    data: Path | None,
    as_json: bool,
    as_jsonl: bool,
    quiet: bool,
) -> None:
    """Write text with a trained model, one sample a line; a single one appears as it is written.

    --novelty looks at what was added to --seed-text. Texts are then printed when all are written, with --prompts
    some 64 at a time.

    \b
    Examples:
      rnnlm generate --seed-text "I think"
      rnnlm generate --model runs/comments --seed-text "i think that" --num-samples 10 --temperature 0.8
      rnnlm generate --model runs/book --max-tokens 2000 --top-p 0.95 --seed 1
      rnnlm generate --model runs/book --seed-text "KING:" --stop $'\\n\\n' --num-samples 1
      rnnlm generate --seed-text "i think" --beam-width 10 --min-tokens 5
      rnnlm generate --stop . --keep-stop --ban never --ban "of course"
      rnnlm generate --model runs/comments --novelty
      rnnlm generate --prompts beginnings.txt --jsonl --seed 1 > continued.jsonl
      rnnlm generate --model runs/subreddits --label askscience
      rnnlm generate --interactive
    """
    if words:
        text = " ".join([seed_text, *words]).lstrip()
        raise click.UsageError(f"Give the text to go on from as --seed-text {shlex.quote(text)}.")
    _check_contradictions(context)
    if not prompts:
        refuse_reading_options(reader, "--prompts FILE")
    _check_numbers(writing, num_samples, beam_width)

    model = load_model(model_path, quiet)
    never = [text for text in writing.ban if not model.writer.can_write(text)]
    if never:
        say(f"Not in the vocabulary, so never written: {', '.join(never)}", quiet)
    if interactive:
        writing = _with_label(model, writing, seed, quiet)
        _converse(model.writer, seed_text, writing, seed, quiet)
        return

    split = training_split(model, data, quiet) if novelty else None
    takes_likeliest = writing.sampling.takes_likeliest
    number = num_samples or (1 if takes_likeliest or prompts else 5)
    # Lines of the same text are not to go on alike, as they do with one seed.
    is_chosen = seed is None and not (takes_likeliest or beam_width or prompts)
    if is_chosen:
        seed = secrets.randbelow(1 << 32)

    def written() -> Samples:
        for beginning in texts_of(prompts, reader, quiet) if prompts else [seed_text]:
            _say_unknown(model, beginning, quiet)
            if beam_width is None:
                samples = model.samples(beginning, number, writing=writing, seed=seed)
            else:
                samples = model.writer.beam_search(beginning, beam_width, writing=writing)[:num_samples]
            yield from ((beginning, sample.to_dict()) for sample in samples)

    if number == 1 and not (prompts or beam_width or split or as_json or as_jsonl):
        _say_unknown(model, seed_text, quiet)
        writing = _with_label(model, writing, seed, quiet)
        for piece in model.stream(seed_text, writing=writing, seed=seed):
            click.echo(piece, nl=False)
        click.echo()
    else:
        results = written() if split is None else with_novelty(model, split, written())
        # Texts of several lines need more than a line end between them.
        gap = "\n" if model.vocabulary.settings.level == "char" else ""
        print_samples(results, gap, as_json, as_jsonl, quiet or writing.label is not None)
    if is_chosen:
        say(f"The same again: --seed {seed}", quiet)


def _check_contradictions(context: click.Context) -> None:
    """Refuse options that were given together and make no sense so."""
    options = {parameter.name: parameter.opts[0] for parameter in context.command.params}

    def given(name: str) -> bool:
        return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

    def refuse(one: str, others: Iterable[str]) -> None:
        for other in filter(given, others):
            raise click.UsageError(f"{one} and {options[other]} do not go together; leave one of them out.")

    for name, others in CONTRADICTIONS.items():
        if given(name):
            refuse(options[name], others)
    if context.params["temperature"] == 0:
        refuse("--temperature 0", CONTRADICTIONS["greedy"])
    elif context.params["greedy"]:
        refuse("--greedy", ["temperature"])
    for name, needed in (("keep_stop", "stop"), ("data", "novelty")):
        if given(name) and not given(needed):
            raise click.UsageError(f"{options[name]} is for {options[needed]}; give that too.")


def _check_numbers(writing: "WritingSettings", num_samples: int | None, beam_width: int | None) -> None:
    """Refuse numbers that contradict each other."""
    if beam_width and num_samples and num_samples > beam_width:
        raise click.UsageError(f"--num-samples {num_samples}: --beam-width {beam_width} finds no more than that.")
    if writing.max_tokens is not None and writing.min_tokens > writing.max_tokens:
        raise click.UsageError(
            f"--min-tokens {writing.min_tokens}: it is above --max-tokens {writing.max_tokens}."
        )


def _converse(writer: "Writer", seed_text: str, writing: "WritingSettings", seed: int | None, quiet: bool) -> None:
    """Write together with whoever types at the terminal."""
    from rnnlm.generation.interactive import HELP, Session, converse

    # Lines can be edited where the platform knows how, and what is not valid UTF-8 is taken.
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    say(HELP, quiet)
    session = Session(writer, seed_text, writing=writing, seed=seed)
    converse(session, input, lambda text: click.echo(text, nl=False), with_options)


def _with_label(
    model: "LanguageModel", writing: "WritingSettings", seed: int | None, quiet: bool
) -> "WritingSettings":
    """Return the settings with the label that is drawn where none was given, and say which it is."""
    label = model.writer.first_label(writing, seed)
    if label != writing.label:
        say(f"Label: {label}", quiet)
    return replace(writing, label=label)


def _say_unknown(model: "LanguageModel", text: str, quiet: bool) -> None:
    unknown = model.writer.seed_text(text).unknown_words
    if unknown:
        unknown_token = model.vocabulary.unknown_token
        say(f"Not in the vocabulary, read as {unknown_token}: {', '.join(dict.fromkeys(unknown))}", quiet)
