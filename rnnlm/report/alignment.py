"""A page of where a translator looks while it writes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnlm.files import explaining, write_atomically
from rnnlm.models.translator import Alignment
from rnnlm.report.markup import escape
from rnnlm.report.page import page

CELL, CHARACTER = 24, 10
"""Pixels of a cell, and of a character beside the cells."""

FAINT = 0.005
"""A place that counts less than this is left blank."""


def write_page(path: Path, alignments: Sequence[Alignment]) -> None:
    """Write the `render` of some alignments to a file.

    Raises
    ------
    RnnlmError
        If it cannot be written.
    """
    with explaining(path, "cannot be written"):
        write_atomically(path, render(alignments))


def render(alignments: Sequence[Alignment]) -> str:
    """Return a page with a picture for each translation, as `draw` draws it; all text is escaped."""
    figures = [
        f"<figure>\n<figcaption>{escape(each.translated.text)}</figcaption>\n{draw(each)}\n</figure>"
        for each in alignments
        if each.source
    ]
    note = (
        '<p class="note">A row is a word that was written, a column one that was read. The darker a place is, the '
        "more what was read there counted.</p>"
    )
    return page("Attention", {"Where the translator looked": "\n".join([note, *figures])})


def draw(alignment: Alignment) -> str:
    """Draw an alignment as SVG: a row for each token that was written, a column for each that was read."""
    left, top = (CHARACTER * (1 + max(map(len, tokens))) for tokens in (alignment.target, alignment.source))
    width, height = left + CELL * len(alignment.source), top + CELL * len(alignment.target)
    # A column's name is upright, and the page's style, where there is none, black.
    return "\n".join(
        [
            f'<svg class="alignment" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="13" fill="currentColor">',
            *_names(alignment, left, top),
            *_cells(alignment, left, top),
            "</svg>",
        ]
    )


def _names(alignment: Alignment, left: int, top: int) -> Iterator[str]:
    for k, token in enumerate(alignment.source):
        x, y = left + CELL * k + CELL // 2 + 4, top - 6
        yield f'<text transform="translate({x} {y}) rotate(-90)">{escape(token)}</text>'
    for k, token in enumerate(alignment.target):
        yield f'<text x="{left - 6}" y="{top + CELL * k + CELL // 2 + 4}" text-anchor="end">{escape(token)}</text>'


def _cells(alignment: Alignment, left: int, top: int) -> Iterator[str]:
    size = f'width="{CELL - 1}" height="{CELL - 1}"'
    for row, of_token in enumerate(alignment.weights.tolist()):
        for column, weight in enumerate(of_token):
            if weight >= FAINT:
                words = f"{alignment.target[row]}, {alignment.source[column]}: {weight:.0%}"
                yield (
                    f'<rect x="{left + CELL * column}" y="{top + CELL * row}" {size} fill="#1d5fbf" '
                    f'fill-opacity="{weight:.2f}"><title>{escape(words)}</title></rect>'
                )
