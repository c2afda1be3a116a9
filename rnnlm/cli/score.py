"""``rnnlm score``."""

from itertools import chain
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.common import (
    COUNT,
    json_lines_option,
    label_option,
    load_model,
    model_option,
    print_json,
    quiet_option,
    say,
)
from rnnlm.cli.measuring import Mixture, mixture_options
from rnnlm.cli.reading import reading_options, say_reading

if TYPE_CHECKING:
    from rnnlm.evaluation.scorer import Score
    from rnnlm.text.inputs import ReaderSettings


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@model_option
@label_option
@click.option("--tokens", "by_token", is_flag=True, help="Print every token.")
@click.option(
    "--batch-size", type=COUNT, default=64, show_default=True, help="Lines that are scored side by side, at most."
)
@reading_options(by_documents=False)
@mixture_options("an ARPA n-gram model")
@json_lines_option
@quiet_option
def score(
    file: str,
    model_path: Path | None,
    label: str | None,
    by_token: bool,
    batch_size: int,
    reader: "ReaderSettings",
    mixture: Mixture,
    as_jsonl: bool,
    quiet: bool,
) -> None:
    """Print how likely each line of FILE is; - is standard input.

    A line of text gives a line with its log-probability, its perplexity and the number of its words outside the
    vocabulary, with tabs between them. Logarithms are natural ones (divide by 2.302585 for base 10, as KenLM and
    SRILM have them). Every line begins from the zero state; the end of a sentence counts as a token. An empty line
    has the log-probability 0 and no perplexity (-). The sums go to stderr at the end.

    With --tokens every predicted token gives a line: its probability, the logarithm of that, and the token; for a
    word outside the vocabulary they are those of the unknown token, which stands for all such words. The
    --interpolate of 'rnnlm evaluate --text FILE' reads such a file of another model, if both models have words
    for tokens and process text alike. With characters it does not: for it FILE is one document, in which the ends
    of lines are tokens too.

    Lines from a pipe or a terminal are answered as they come. Only the longest, and those scored beside it, take
    memory, some 150 bytes a character. For --interpolate see 'rnnlm evaluate --help'.

    \b
    Examples:
      rnnlm score comments.txt --model runs/comments
      rnnlm score comments.txt --tokens --jsonl
      tail -f chat.log | rnnlm score - --quiet
    """
    from rnnlm.evaluation.ngram import NgramModel
    from rnnlm.evaluation.perplexity import perplexity, rounded
    from rnnlm.text.arrival import as_they_come
    from rnnlm.text.readers import read_texts
    from rnnlm.text.report import ReadReport, counted

    model = load_model(model_path, quiet)
    model.vocabulary.label_start(label)  # refuses one that the model does not have
    visible = model.vocabulary.visible
    interpolation = mixture.of(model, NgramModel.load, quiet)
    report = ReadReport()
    lines = tokens = unknown = 0
    log_prob = 0.0
    parts = as_they_come(file, read_texts(file, reader, report), batch_size, len)
    scores = (
        model.scorer.scores(part, batch_size=batch_size, interpolation=interpolation, label=label)
        for part in parts
    )
    for each in chain.from_iterable(scores):
        lines += 1
        tokens += len(each.tokens)
        unknown += each.unknown_tokens
        log_prob += each.log_prob
        if as_jsonl:
            print_json({"line": lines, **_as_data(each, by_token)})
        elif not by_token:
            click.echo(f"{each.log_prob:.4f}\t{rounded(each.perplexity)}\t{each.unknown_tokens}")
        elif each.tokens:
            click.echo("\n".join(f"{exp(p):.6g}\t{p:.4f}\t{visible(token)}" for token, p in each.tokens))
    say_reading(report, quiet)
    mean = perplexity(-log_prob / tokens) if tokens else None
    say(
        f"{counted(lines, 'line{s}')}, {counted(tokens, 'token{s}')}, of which {unknown:,} unknown:"
        f" log-probability {log_prob:.4f}, perplexity {rounded(mean)}",
        quiet,
    )


def _as_data(score: "Score", by_token: bool) -> dict[str, Any]:
    """Return a score as plain data for JSON."""
    return {
        "log_prob": score.log_prob,
        "perplexity": score.perplexity,
        "tokens": len(score.tokens),
        "unknown_tokens": score.unknown_tokens,
        **({"token_log_probs": score.tokens} if by_token else {}),
    }
