"""``rnnlm rescore``."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path

import click

from rnnlm.cli.common import (
    FiniteRange,
    json_lines_option,
    label_option,
    load_model,
    model_option,
    print_json,
    quiet_option,
)
from rnnlm.cli.measuring import Mixture, mixture_options
from rnnlm.cli.reading import ENCODING, say_reading


@click.command()
@click.argument("nbest", type=click.Path(allow_dash=True))
@model_option
@label_option
@click.option(
    "--lm-weight",
    type=FiniteRange(min=0),
    default=1.0,
    show_default=True,
    help="Factor of the model's logarithm, where hypotheses have a score of their own.",
)
@click.option("--scores", is_flag=True, help="Print the log-probability of every hypothesis instead of the best.")
@ENCODING
@mixture_options("an ARPA n-gram model")
@json_lines_option
@quiet_option
def rescore(
    nbest: str,
    model_path: Path | None,
    label: str | None,
    lm_weight: float,
    scores: bool,
    encoding: str | None,
    mixture: Mixture,
    as_jsonl: bool,
    quiet: bool,
) -> None:
    """Choose the best hypothesis of each id in the list NBEST; - is standard input.

    A line is 'id word1 word2 ...', as for Mikolov's rnnlm, or 'id ||| words ||| ... ||| score', as from Moses:
    the last field is the score that the hypothesis has already, a logarithm, the larger the better. Lines of one
    id belong together. The best has the highest sum of this score, if any, and --lm-weight times the base-10
    logarithm of the model's probability; 'id words' is printed.

    With --scores there is a line for every hypothesis instead: the base-10 logarithm alone, as Mikolov's rnnlm
    prints it. A hypothesis is one sentence, begins from the zero state, and its end counts.

    From a pipe or a terminal an id is answered as soon as the next one comes, with --scores each line. Memory
    stays bounded. For --interpolate see 'rnnlm evaluate --help'.

    \b
    Examples:
      rnnlm rescore nbest.txt --model runs/comments > best.txt
      rnnlm rescore nbest.txt --scores > scores.txt
      rnnlm rescore moses.nbest --lm-weight 0.5 --jsonl
    """
    from rnnlm.evaluation.ngram import NgramModel
    from rnnlm.evaluation.rescoring import best, read_nbest
    from rnnlm.evaluation.rescoring import rescore as rescore_hypotheses
    from rnnlm.evaluation.scorer import TEXTS_TOGETHER
    from rnnlm.text.arrival import as_they_come
    from rnnlm.text.lines import read_lines, source_name
    from rnnlm.text.report import ReadReport

    model = load_model(model_path, quiet)
    model.vocabulary.label_start(label)  # refuses one that the model does not have
    interpolation = mixture.of(model, NgramModel.load, quiet)
    report = ReadReport()
    hypotheses = read_nbest(read_lines(nbest, report, encoding=encoding), source_name(nbest))
    parts = as_they_come(nbest, hypotheses, TEXTS_TOGETHER, lambda each: len(each.text))
    rescored = chain.from_iterable(
        rescore_hypotheses(model.scorer, part, weight=lm_weight, interpolation=interpolation, label=label)
        for part in parts
    )
    for each in rescored if scores else best(rescored):
        if as_jsonl:
            print_json({**asdict(each.hypothesis), "log10_prob": each.log10_prob, "total": each.total})
        else:
            click.echo(f"{each.log10_prob:.6f}" if scores else f"{each.hypothesis.id} {each.hypothesis.text}")
    say_reading(report, quiet)
