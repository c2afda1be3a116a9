"""How well each label's texts are predicted, as a table."""

from itertools import starmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.evaluation.perplexity import Evaluation

MOST_ROWS = 20
"""The most labels that have a row of their own."""

LONGEST = 60
"""Characters of a label that is shown as it is."""


def label_lines(evaluation: "Evaluation") -> list[str]:
    """Write the perplexity by label, most tokens first and the rest together; nothing without labels."""
    from rnnlm.evaluation.perplexity import LabelSums, rounded
    from rnnlm.text.report import counted

    def row(name: str, sums: LabelSums) -> str:
        return f"{sums.tokens:>12,}{rounded(sums.perplexity):>12}{sums.cross_entropy:>12.4f}  {name}"

    if not evaluation.labels:
        return []
    rows = [(_shown(name), sums) for name, sums in evaluation.labels.items()]
    rows.sort(key=lambda each: -each[1].tokens)
    if len(rows) > MOST_ROWS:
        rest = [sums for _, sums in rows[MOST_ROWS - 1 :]]
        together = LabelSums(sum(each.nats for each in rest), sum(each.tokens for each in rest))
        rows = [*rows[: MOST_ROWS - 1], (f"({counted(len(rest), 'other label{s}')})", together)]
    return ["", f"{'tokens':>12}{'perplexity':>12}{'nats':>12}  label", *starmap(row, rows)]


def _shown(label: str | None) -> str:
    """Return a label as it is shown; texts without one that the model knows have None."""
    from rnnlm.errors import shown

    if label is None:
        return "(labels that the model does not know)"
    return label if len(label) <= LONGEST and label.isprintable() else shown(label)
