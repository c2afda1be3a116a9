"""The first pass over a corpus: every token, as a provisional id, on disk.

Text is read and tokenized once, so that standard input works too. The types (distinct tokens) get
provisional ids in the order of their first appearance; what is known of them only at the end, such as whether
they are in the vocabulary, is applied to the spooled ids in a second pass.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.encode import BEGINS_DOCUMENT, BEGINS_SENTENCE, SEGMENT, EncodedChunk
from rnnlm.errors import RnnlmError, shown

MAX_LABELS = 100_000
"""A column with more different values holds no labels."""

MAX_TYPES = 750_000
MAX_TYPE_CHARACTERS = 30_000_000
"""Where there are more types, or more characters in them, the rarest count as unknown, as in word2vec."""

FORGOTTEN = 0
"""The provisional id of all types that were forgotten."""

BLOCK_SEGMENTS = 1 << 16
BLOCK_TOKENS = 1 << 20
"""How much of the spool is read back at a time."""

ID = np.dtype("<u4")


class Block(NamedTuple):
    """Some consecutive segments and the ids in them."""

    segments: NDArray[Any]
    ids: NDArray[np.uint32]


class Spooled(NamedTuple):
    """What one input added to the spool.

    `blocks` reads it back, about a million tokens at a time; `documents` are those with tokens, `empty_documents`
    those without. `labelled` counts the former by the number of their label, 0 for none.
    """

    blocks: Callable[[], Iterator[Block]]
    documents: int
    empty_documents: int
    sentences: int
    tokens: int
    labelled: NDArray[np.int64]


class Spool:
    """Provisional ids and segments of a corpus, in two files that are open to write and to read.

    Attributes
    ----------
    types
        Provisional ids, from 1.
    labels
        The labels of documents and their numbers, from 1.
    inputs
        What was added.
    forgot_types
        Whether there were more types than are kept.
    """

    def __init__(self, ids: BinaryIO, segments: BinaryIO) -> None:
        self.types: dict[str, int] = {}
        self.labels: dict[str, int] = {}
        self.inputs: list[Spooled] = []
        self.forgot_types = False
        self._counts = np.zeros(1, np.int64)
        self._type_characters = 0
        self._ids, self._segments = ids, segments

    def begin(self) -> "Addition":
        """Begin with the next input."""
        first_segment = self._segments.seek(0, os.SEEK_END) // SEGMENT.itemsize
        first_token = self._ids.seek(0, os.SEEK_END) // ID.itemsize
        return Addition(self, partial(self._blocks, first_segment, first_token))

    def append(self, chunk: EncodedChunk) -> None:
        """Write a chunk, and put the numbers of the spool's labels in the place of its own."""
        provisional = self._number(chunk.types)
        self._counts.resize(len(self.types) + 1, refcheck=False)
        self._counts[provisional] += np.bincount(chunk.ids, minlength=len(provisional))
        self._ids.write(provisional[chunk.ids].tobytes())
        chunk.segments["label"] = self._number_labels(chunk.labels)[chunk.segments["label"]]
        self._segments.write(chunk.segments.tobytes())
        if len(self.types) > MAX_TYPES or self._type_characters > MAX_TYPE_CHARACTERS:
            self._forget_rare_types()

    def _blocks(self, segment: int, token: int, left: int) -> Iterator[Block]:
        """Read so many segments back, the first of which and its first token have these numbers."""
        while left:
            segments = _read(self._segments, SEGMENT, segment, min(left, BLOCK_SEGMENTS))
            ends = np.cumsum(segments["tokens"], dtype=np.int64)
            segments = segments[: max(1, int(np.searchsorted(ends, BLOCK_TOKENS, side="right")))]
            tokens = int(ends[len(segments) - 1])
            yield Block(segments, _read(self._ids, ID, token, tokens))
            segment += len(segments)
            token += tokens
            left -= len(segments)

    def _number(self, types: list[str]) -> NDArray[np.uint32]:
        known = self.types
        numbered_before = len(known)
        provisional = [known.setdefault(token, len(known) + 1) for token in types]
        self._type_characters += sum(
            len(token) for token, number in zip(types, provisional, strict=True) if number > numbered_before
        )
        return np.array(provisional, np.uint32)

    def _number_labels(self, labels: list[str]) -> NDArray[np.uint32]:
        """Return the number of no label and of each of some labels."""
        known = self.labels
        numbers = [known.setdefault(label, len(known) + 1) for label in labels]
        if len(known) > MAX_LABELS:
            raise RnnlmError(
                f"There are more than {MAX_LABELS:,} different labels, such as {shown(labels[-1])}; choose a"
                " column with fewer values with `label_column`."
            )
        return np.array([0, *numbers], np.uint32)

    def _forget_rare_types(self) -> None:
        """Forget the types seen fewest times, at least half of them, and renumber the rest."""
        self.forgot_types = True
        lengths = np.array([0, *map(len, self.types)])
        threshold, kept = 1, self._counts > 1
        kept[FORGOTTEN] = False
        while np.count_nonzero(kept) > MAX_TYPES // 2 or lengths[kept].sum() > MAX_TYPE_CHARACTERS // 2:
            threshold += 1
            kept &= self._counts > threshold
        renumbered = np.where(kept, np.cumsum(kept), FORGOTTEN).astype(np.uint32)
        self.types = {token: int(renumbered[old]) for token, old in self.types.items() if kept[old]}
        self._counts = np.concatenate([[0], self._counts[kept]])
        self._type_characters = int(lengths[kept].sum())
        token = 0
        while len(ids := _read(self._ids, ID, token, BLOCK_TOKENS)):
            self._ids.seek(token * ID.itemsize)
            self._ids.write(renumbered[ids].tobytes())
            token += len(ids)


class Addition:
    """An input on its way into a spool.

    Parameters
    ----------
    spool
        Where it goes; nothing else may be added until `end`.
    blocks
        Reads back as many of its segments as it is told.
    """

    def __init__(self, spool: Spool, blocks: Callable[[int], Iterator[Block]]) -> None:
        self._spool, self._read_back = spool, blocks
        self._segments = self._begun = self._documents = self._sentences = self._tokens = self._pending = 0
        self._labelled = np.zeros(1, np.int64)

    def add(self, chunk: EncodedChunk) -> None:
        """Append a chunk."""
        begins = chunk.segments["begins"]
        if len(begins):
            begins[0] |= self._pending
            self._pending = 0
        self._pending |= chunk.pending
        self._spool.append(chunk)
        self._labelled.resize(len(self._spool.labels) + 1, refcheck=False)
        of_documents = chunk.segments["label"][(begins & BEGINS_DOCUMENT) != 0]
        self._labelled += np.bincount(of_documents, minlength=len(self._labelled))
        self._segments += len(begins)
        self._begun += chunk.documents
        self._documents += len(of_documents)
        self._sentences += int(np.count_nonzero(begins & BEGINS_SENTENCE))
        self._tokens += len(chunk.ids)

    def end(self) -> Spooled:
        """Return what was added."""
        spooled = Spooled(
            partial(self._read_back, self._segments),
            self._documents,
            self._begun - self._documents,
            self._sentences,
            self._tokens,
            self._labelled,
        )
        self._spool.inputs.append(spooled)
        return spooled


@contextmanager
def new_spools(directory: Path, number: int = 1) -> Iterator[list[Spool]]:
    """Make so many spools in a directory, and remove them when the ``with`` block has ended well."""
    paths = [directory / f"spool{index}.{kind}" for index in range(number) for kind in ("ids", "segments")]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("w+b")) for path in paths]
        yield [Spool(*pair) for pair in zip(files[::2], files[1::2], strict=True)]
    for path in paths:
        path.unlink()


def _read(file: BinaryIO, dtype: "np.dtype[Any]", first: int, count: int) -> NDArray[Any]:
    """Read entries of a file; afterwards the position is at the end of them."""
    file.seek(first * dtype.itemsize)
    return np.frombuffer(bytearray(file.read(count * dtype.itemsize)), dtype)
