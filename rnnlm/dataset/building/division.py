"""Which part of a dataset each sentence of a corpus belongs to: training, validation or test."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.encode import BEGINS_DOCUMENT, BEGINS_SENTENCE
from rnnlm.dataset.building.spool import Block, Spooled, SpooledSection
from rnnlm.errors import RnnlmError
from rnnlm.text.report import counted

TRAIN, VALID, TEST = 0, 1, 2
"""The parts of a dataset, as they are numbered in `SPLITS`."""


@dataclass(frozen=True)
class DivisionSettings:
    """How a corpus is divided.

    Attributes
    ----------
    valid_file, test_file
        Inputs that are the validation and the test part; the main input is then not divided for that part.
    valid_fraction, test_fraction
        Shares of the main input, by documents; 0 for none. What they leave is the training part.
    seed
        Decides which documents are chosen.
    """

    valid_file: str | None = None
    test_file: str | None = None
    valid_fraction: float = 0.05
    test_fraction: float = 0.05
    seed: int = 0

    def shares(self) -> tuple[Fraction, Fraction, Fraction]:
        """Return the exact shares of training, validation and test in the main input; refuse impossible ones."""
        valid = Fraction(0) if self.valid_file else Fraction(str(self.valid_fraction))
        test = Fraction(0) if self.test_file else Fraction(str(self.test_fraction))
        if valid < 0 or test < 0 or valid + test > 1:
            raise RnnlmError(
                f"`valid_fraction={self.valid_fraction}` and `test_fraction={self.test_fraction}`: each must be 0"
                " or more, and together they must be 1 at most."
            )
        return 1 - valid - test, valid, test


Assigned: TypeAlias = Iterator[tuple[NDArray[np.uint8], Block]]
"""The blocks of a section, each with the part that each of its segments belongs to."""


class Assignment(NamedTuple):
    """A section of the corpus, and which parts of the dataset it belongs to."""

    section: SpooledSection
    parts: Callable[[SpooledSection], Assigned]

    def __call__(self) -> Assigned:
        """Go through the blocks, from the first."""
        return self.parts(self.section)


def assign_all(spooled: Spooled, part: int) -> list[Assignment]:
    """Give a whole input to one part of the dataset."""
    return [Assignment(section, partial(_whole, part=part)) for section in spooled.sections]


def refuse_too_few_pairs(spooled: Spooled, settings: DivisionSettings) -> None:
    """Raise `RnnlmError` if there are fewer pairs, which are never cut, than parts to divide them in."""
    wanted = sum(share > 0 for share in settings.shares())
    if spooled.documents < wanted:
        raise RnnlmError(
            f"The corpus has {counted(spooled.documents, 'pair{s}')}, too few to divide in {wanted}; add some, or"
            " set `valid_fraction=0` `test_fraction=0`."
        )


def divide(spooled: Spooled, settings: DivisionSettings, between_tokens: bool) -> list[Assignment]:
    """Divide an input: by documents, chosen at random, or by position where there are too few documents.

    Of the documents of each label, each part gets its share.

    A cut by position comes at the end of a sentence. If there are too few sentences, or with `between_tokens` (a
    document is then one sentence), it comes between any two tokens. Too small an input is refused.
    """
    shares = settings.shares()
    wanted = sum(share > 0 for share in shares)
    if wanted == 1:
        return assign_all(spooled, next(part for part in (TRAIN, VALID, TEST) if shares[part]))
    if spooled.documents >= wanted:
        sizes = _sizes(spooled.documents, shares)
        _draw(spooled, _sizes_by_label(spooled.labelled, sizes), settings.seed)
        return [Assignment(section, _drawn) for section in spooled.sections]
    if between_tokens or spooled.sentences < wanted:
        if spooled.tokens < wanted:
            raise RnnlmError(
                f"The corpus has {counted(spooled.tokens, 'token{s}')}, too few to divide in {wanted}; add text,"
                " or set `valid_fraction=0` `test_fraction=0`."
            )
        cuts = _cuts(_sizes(spooled.tokens, shares))
    else:
        cuts = _cuts_at_sentence_ends(spooled, shares)
    firsts = accumulate((section.tokens for section in spooled.sections), initial=0)
    return [
        Assignment(section, partial(_by_position, cuts=cuts, first=first))
        for section, first in zip(spooled.sections, firsts, strict=False)
    ]


def _whole(section: SpooledSection, part: int) -> Assigned:
    for block in section.blocks():
        yield np.full(len(block.segments), part, np.uint8), block


def _sizes(total: int, shares: tuple[Fraction, ...]) -> list[int]:
    """Divide a number in proportion to the shares, at least 1 for each that is not 0."""
    ends = [int(total * sum(shares[: index + 1])) for index in range(3)]
    return _at_least_one([end - start for start, end in zip([0, *ends], ends, strict=False)], shares)


def _at_least_one(sizes: list[int], shares: tuple[Fraction, ...]) -> list[int]:
    for part, share in enumerate(shares):
        if share and not sizes[part]:
            sizes[sizes.index(max(sizes))] -= 1
            sizes[part] = 1
    return sizes


def _sizes_by_label(labelled: NDArray[np.int64], sizes: list[int]) -> NDArray[np.int64]:
    """Divide the documents of each label as all are divided; return how many go where, (labels, 3).

    A part gets its share of each label, rounded down, and one more of the labels that lack most of theirs, until
    it is as large as without labels. Training keeps a document of every label, so that the other parts are smaller
    than that where many labels have one document each; but none is empty that was to have some.
    """
    kept = min(1, sizes[TRAIN])
    divided: NDArray[np.int64]
    divided, lacking = np.divmod(labelled[:, None] * np.array(sizes), max(1, labelled.sum()))
    divided[:, TRAIN] = labelled - divided[:, VALID] - divided[:, TEST]
    train = divided[:, TRAIN]
    for part in (VALID, TEST):
        missing = sizes[part] - int(divided[:, part].sum())
        givers = np.flatnonzero(train > kept)
        if missing == sizes[part] > 0 == len(givers):
            givers = np.flatnonzero(train)
            givers, missing = givers[[labelled[givers].argmin()]], 1
        givers = givers[np.argsort(-lacking[givers, part], kind="stable")][:missing]
        divided[givers, part] += 1
        train[givers] -= 1
    return divided


def _cuts(sizes: list[int]) -> list[int]:
    return [sizes[0], sizes[0] + sizes[1]]


def _draw(spooled: Spooled, sizes: NDArray[np.int64], seed: int) -> None:
    """Choose documents of each label in one pass (selection sampling: Knuth, TAOCP 2, 3.4.2, algorithm S)."""
    random_number = random.Random(seed).random
    left_by_label = sizes.tolist()
    for section in spooled.sections:
        with section.file("drawn").open("wb") as file:
            for labels in section.labels_of_documents():
                parts = bytearray()
                for label in labels.tolist():
                    left = left_by_label[label]
                    choice = int(random_number() * sum(left))
                    part = TEST if choice < left[TEST] else VALID if choice < left[TEST] + left[VALID] else TRAIN
                    left[part] -= 1
                    parts.append(part)
                file.write(parts)


def _drawn(section: SpooledSection) -> Assigned:
    """Divide as documents were drawn; a section begins with a document."""
    part = np.zeros(1, np.uint8)  # of the document that goes on
    with section.file("drawn").open("rb") as file:
        for block in section.blocks():
            begins = (block.segments["begins"] & BEGINS_DOCUMENT) != 0
            drawn = np.frombuffer(file.read(int(np.count_nonzero(begins))), np.uint8)
            parts = np.concatenate([part, drawn])[np.cumsum(begins)]
            part = parts[-1:]
            yield parts, block


def _by_position(section: SpooledSection, cuts: list[int], first: int) -> Assigned:
    """Divide at positions counted in tokens, from the section's `first`; a sentence that is cut becomes two."""
    for block in section.blocks():
        segments = block.segments
        for cut in cuts:
            segments = _cut(segments, cut - first)
        starts = first + np.cumsum(segments["tokens"], dtype=np.int64) - segments["tokens"]
        parts = np.searchsorted(cuts, starts, side="right").astype(np.uint8)
        first += len(block.ids)
        yield parts, Block(segments, block.ids)


def _cut(segments: NDArray[Any], position: int) -> NDArray[Any]:
    """Make a sentence begin at a position, if it is in these segments."""
    ends = np.cumsum(segments["tokens"], dtype=np.int64)
    index = int(np.searchsorted(ends, position, side="right"))
    if position < 0 or index == len(segments):
        return segments
    segments = segments.copy()
    tokens, characters = int(segments["tokens"][index]), int(segments["characters"][index])
    before = position - (int(ends[index]) - tokens)
    if before:
        segments = np.insert(segments, index, segments[index])
        share = characters * before // tokens
        segments[index]["tokens"], segments[index]["characters"] = before, share
        index += 1
        segments[index]["tokens"], segments[index]["characters"] = tokens - before, characters - share
        segments[index]["begins"] = 0
    segments[index]["begins"] |= BEGINS_SENTENCE
    return segments


def _cuts_at_sentence_ends(spooled: Spooled, shares: tuple[Fraction, ...]) -> list[int]:
    """Move the cuts to the ends of sentences, so that every part gets at least one sentence."""
    token_cuts = _cuts(_sizes(spooled.tokens, shares))
    before = [
        sum(int(np.count_nonzero(starts < cut)) for starts in _sentence_starts(spooled)) for cut in token_cuts
    ]
    sizes = _at_least_one([before[0], before[1] - before[0], spooled.sentences - before[1]], shares)
    return [_start_of_sentence(spooled, index) for index in _cuts(sizes)]


def _sentence_starts(spooled: Spooled) -> Iterator[NDArray[np.int64]]:
    first = 0
    for section in spooled.sections:
        for segments, ids in section.blocks():
            starts = first + np.cumsum(segments["tokens"], dtype=np.int64) - segments["tokens"]
            yield starts[(segments["begins"] & BEGINS_SENTENCE) != 0]
            first += len(ids)


def _start_of_sentence(spooled: Spooled, index: int) -> int:
    for starts in _sentence_starts(spooled):
        if index < len(starts):
            return int(starts[index])
        index -= len(starts)
    return spooled.tokens
