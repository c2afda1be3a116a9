"""The first pass over a corpus: every token, as a provisional id, on disk.

Text is read and tokenized once, so that standard input works too. The types (distinct tokens) get
provisional ids in the order of their first appearance; what is known of them only at the end, such as whether
they are in the vocabulary, is applied to the spooled ids in a second pass.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.encode import BEGINS_DOCUMENT, BEGINS_SENTENCE, SEGMENT, EncodedChunk

# When there are more types than this, or more characters in them, the rarest are forgotten (counted as
# unknown), as word2vec does.
MAX_TYPES = 750_000
MAX_TYPE_CHARACTERS = 30_000_000
FORGOTTEN = 0
# How much of the spool is read back at a time.
BLOCK_SEGMENTS = 1 << 16
BLOCK_TOKENS = 1 << 20

ID = np.dtype("<u4")


class Part(NamedTuple):
    """What one input added to the spool: where it begins, and how much of everything it holds.

    `documents` are those with tokens, `empty_documents` those without.
    """

    first_segment: int
    first_token: int
    segments: int
    documents: int
    empty_documents: int
    sentences: int
    tokens: int


class Block(NamedTuple):
    """Some consecutive segments and the ids in them."""

    segments: NDArray[Any]
    ids: NDArray[np.uint32]


class Spool:
    """Provisional ids and segments of a corpus, in two files.

    Parameters
    ----------
    directory
        Where the files are made; they are removed on leaving the context.

    Attributes
    ----------
    types
        Provisional ids; 0 stands for all types that were forgotten.
    forgot_types
        Whether there were more types than are kept.
    """

    def __init__(self, directory: Path) -> None:
        self.types: dict[str, int] = {}
        self.forgot_types = False
        self._counts = np.zeros(1, np.int64)
        self._type_characters = 0
        self._paths = directory / "spool.ids", directory / "spool.segments"
        with ExitStack() as stack:  # which closes the first if the second cannot be opened
            self._ids, self._segments = (stack.enter_context(path.open("w+b")) for path in self._paths)
            self._files = stack.pop_all()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exception: object) -> None:
        self._files.close()  # both, even if the disk is full
        for path in self._paths:
            path.unlink()

    def add(self, chunks: Iterable[EncodedChunk]) -> Part:
        """Append the chunks of one input."""
        first_segment = self._segments.seek(0, os.SEEK_END) // SEGMENT.itemsize
        first_token = self._ids.seek(0, os.SEEK_END) // ID.itemsize
        segments = begun = documents = sentences = tokens = pending = 0
        for chunk in chunks:
            begins = chunk.segments["begins"]
            if len(begins):
                begins[0] |= pending
                pending = 0
            pending |= chunk.pending
            provisional = self._number(chunk.types)
            self._counts.resize(len(self.types) + 1, refcheck=False)
            self._counts[provisional] += np.bincount(chunk.ids, minlength=len(provisional))
            self._ids.write(provisional[chunk.ids].tobytes())
            self._segments.write(chunk.segments.tobytes())
            segments += len(begins)
            begun += chunk.documents
            documents += int(np.count_nonzero(begins & BEGINS_DOCUMENT))
            sentences += int(np.count_nonzero(begins & BEGINS_SENTENCE))
            tokens += len(chunk.ids)
            if len(self.types) > MAX_TYPES or self._type_characters > MAX_TYPE_CHARACTERS:
                self._forget_rare_types()
        return Part(first_segment, first_token, segments, documents, begun - documents, sentences, tokens)

    def blocks(self, part: Part) -> Iterator[Block]:
        """Read a part back, about a million tokens at a time."""
        segment, token = part.first_segment, part.first_token
        left = part.segments
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


def _read(file: BinaryIO, dtype: "np.dtype[Any]", first: int, count: int) -> NDArray[Any]:
    """Read entries of a file; afterwards the position is at the end of them."""
    file.seek(first * dtype.itemsize)
    return np.frombuffer(bytearray(file.read(count * dtype.itemsize)), dtype)
