"""Pairs of texts, a source and its target: with a tab between them on a line, or in two parallel files."""

from collections.abc import Iterator

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.documents import Piece
from rnnlm.text.lines import PIECE_SIZE, Lines
from rnnlm.text.report import counted

FORM = "give each line a source, a tab and its target, or two files whose lines belong together"


def pair_pieces(lines: Lines) -> Iterator[Piece]:
    """Yield the pairs of a file with a source, a tab and its target a line.

    An empty line is a pair of empty texts.

    Raises
    ------
    RnnlmError
        If a line has no tab, more than one, or more than 65,536 characters.
    """
    for number, line in enumerate(_lines(lines), start=1):
        sides = line.split("\t") if line.strip() else ["", ""]
        if len(sides) == 1:
            raise RnnlmError(f"{lines.source}: line {number:,} has no tab ({shown(line)}); {FORM}.")
        if len(sides) > 2:
            raise RnnlmError(
                f"{lines.source}: line {number:,} has {len(sides) - 1} tabs ({shown(line)}); leave one, between a"
                " source and its target."
            )
        yield Piece(sides[1], True, source=sides[0])


def parallel_pieces(sources: Lines, targets: Lines) -> Iterator[Piece]:
    """Yield the pairs of two files, each line of one with the line of that number of the other.

    Where one is damaged and what comes before is kept, the other is read no further.

    Raises
    ------
    RnnlmError
        If one has more lines than the other, or a line has more than 65,536 characters.
    """
    pairs = 0
    of_sources, of_targets = _lines(sources), _lines(targets)
    for source in of_sources:
        target = next(of_targets, None)
        if target is None:
            break
        pairs += 1
        yield Piece(target, True, source=source)
    else:
        if next(of_targets, None) is None:
            return
        sources, targets = targets, sources
    if not targets.is_cut:
        raise RnnlmError(
            f"{targets.source}: it has {counted(pairs, 'line{s}')}, but {sources.source} has more; give two"
            " files whose lines belong together."
        )


def are_parallel(first: Lines) -> bool:
    """Return whether the first of two files has sources alone: no tab in its first line. No line is taken."""
    return "\t" not in next(first.first_parts(), "")


def swapped(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield pairs with the source in the place of the target, and the other way round."""
    return (piece._replace(text=piece.source or "", source=piece.text) for piece in pieces)


def _lines(lines: Lines) -> Iterator[str]:
    """Yield the lines without their ends; refuse one that is too long."""
    for number, parts in lines.grouped():
        line = next(parts).removesuffix("\n")
        if next(parts, None) is not None:
            raise RnnlmError(
                f"{lines.source}: line {number:,} has more than {PIECE_SIZE:,} characters, too many for a pair of"
                " sentences; leave it out."
            )
        yield line
