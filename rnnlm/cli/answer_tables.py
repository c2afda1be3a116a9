"""Measures of classifiers, taggers, translators and forecasters as people read them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.evaluation.answers import ClassEvaluation, TagEvaluation
    from rnnlm.evaluation.classes import ClassCounts
    from rnnlm.evaluation.forecasts import Errors, ForecastEvaluation
    from rnnlm.evaluation.translations import TranslationEvaluation

MOST_CLASSES = 20
"""Of more classes than these only the most frequent have a line."""

MOST_CONFUSED = 12
"""Of more classes than these there is no table of all pairs, but the pairs that are confused most often."""


def class_lines(evaluation: "ClassEvaluation") -> list[str]:
    """Write the measures of a classifier, by label too, and which labels were taken for which."""
    counts = evaluation.counts
    lines = [
        f"accuracy       {counts.accuracy:.4f} of {counts.total:,} texts",
        f"macro F1       {counts.macro_f1:.4f}",
        f"cross-entropy  {evaluation.cross_entropy:.4f} nats a text",
    ]
    lines += [*_unseen(counts, "text", "label"), "", *_by_class(evaluation.labels, counts, "label")]
    return [*lines, "", *_confusions(evaluation.labels, counts)] if counts.has_confusion else lines


def tag_lines(evaluation: "TagEvaluation") -> list[str]:
    """Write the measures of a tagger, by tag too."""
    counts = evaluation.counts
    lines = [f"accuracy       {counts.accuracy:.4f} of {counts.total:,} tokens"]
    if evaluation.spans is not None:
        spans = evaluation.spans
        lines += [
            f"F1             {spans.f1:.4f} of {spans.true:,} {'words' if evaluation.tags.segmented else 'spans'}",
            f"precision      {spans.precision:.4f}",
            f"recall         {spans.recall:.4f}",
        ]
    lines.append(f"cross-entropy  {evaluation.cross_entropy:.4f} nats a token")
    return [*lines, *_unseen(counts, "token", "tag"), "", *_by_class(evaluation.tags.names, counts, "tag")]


def _unseen(counts: "ClassCounts", thing: str, kind: str) -> list[str]:
    """Say of how many things the true class is none of the model's."""
    from rnnlm.text.report import counted

    things = counted(counts.unseen, thing + "{s}")
    return [f"The model does not know the {kind} of {things}."] if counts.unseen else []


def translation_lines(evaluation: "TranslationEvaluation") -> list[str]:
    """Write the measures of a translator."""
    from rnnlm.evaluation.perplexity import rounded

    bleu = [] if evaluation.bleu is None else [f"BLEU           {evaluation.bleu:.2f}"]
    return [
        f"perplexity     {rounded(evaluation.perplexity)}",
        *bleu,
        f"cross-entropy  {evaluation.cross_entropy:.4f} nats a token",
        f"examples       {evaluation.examples:,}, of {evaluation.tokens:,} tokens",
    ]


def forecast_lines(evaluation: "ForecastEvaluation") -> list[str]:
    """Write the errors of a forecaster, and below them those of the baselines."""

    def row(name: str, errors: "Errors") -> tuple[str, ...]:
        mase = "-" if errors.mase is None else f"{errors.mase:.4f}"
        return name, f"{errors.rmse:.5g}", f"{errors.mae:.5g}", mase

    rows = [row("model", evaluation.errors)]
    rows += [row(name.replace("_", " "), errors) for name, errors in evaluation.baselines.items()]
    season = f", {evaluation.season} in a season" if evaluation.season > 1 else ""
    return [*_table([("", "RMSE", "MAE", "MASE"), *rows]), "", f"{evaluation.points:,} rows{season}"]


def _by_class(names: Sequence[str], counts: "ClassCounts", kind: str) -> list[str]:
    """Write precision, recall and F1 of each class, the most frequent first."""
    true, precision, recall, f1 = counts.true, counts.precision, counts.recall, counts.f1
    rows = [
        (names[k], f"{true[k]:,}", f"{precision[k]:.4f}", f"{recall[k]:.4f}", f"{f1[k]:.4f}")
        for k in (-true).argsort(kind="stable")[:MOST_CLASSES]
    ]
    lines = _table([(kind, "number", "precision", "recall", "F1"), *rows])
    left = len(names) - len(rows)
    return [*lines, f"and {left:,} more"] if left else lines


def _confusions(names: Sequence[str], counts: "ClassCounts") -> list[str]:
    """Write which classes were taken for which: all pairs of few classes, else the most frequent."""
    if len(names) <= MOST_CONFUSED:
        rows = [(name, *map(str, row)) for name, row in zip(names, counts.confusion.tolist(), strict=False)]
        return _table([("true \\ answer", *names), *rows])
    wrong = counts.confusion[:-1].copy()
    wrong[range(len(names)), range(len(names))] = 0
    most = [divmod(int(pair), len(names)) for pair in (-wrong).argsort(axis=None, kind="stable")[:MOST_CONFUSED]]
    pairs = [(names[i], names[j], str(wrong[i, j])) for i, j in most if wrong[i, j]]
    return _table([("true", "answer", "times"), *pairs]) if pairs else ["No label was taken for another."]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows under one another, the first column to the left, the others to the right."""
    rows = [[cell if len(cell) <= 24 else f"{cell[:23]}…" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
