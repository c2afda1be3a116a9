"""Between the two passes over a corpus: every token, as a provisional id, on disk.

Text is read and tokenized once, so that standard input works too. Each section of the corpus is spooled by itself,
by whatever process reads it: its types (distinct tokens) get numbers of its own, in the order of their first
appearance. The tables of all sections are then merged, in the order of the corpus, and each section gets a file
that says which provisional id stands for each of its numbers. What is known of types only at the end, such as
whether they are in the vocabulary, is applied to the spooled numbers in a second pass.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.encode import BEGINS_DOCUMENT, BEGINS_SENTENCE, SEGMENT, EncodedChunk
from rnnlm.errors import RnnlmError, shown

MAX_LABELS = 100_000
"""A column with more different values holds no labels."""

MAX_TYPES = 600_000
MAX_TYPE_CHARACTERS = 30_000_000
"""Where there are more types, or more characters in them, the rarest count as unknown, as in word2vec.

From 699,051 on a dictionary of Python's takes twice the memory.
"""

TYPES_AT_ONCE = 50_000
"""How many types of a section are merged at a time."""

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


class Types:
    """Types, numbered from 1 in the order of their first appearance, and how often each was seen.

    Attributes
    ----------
    numbers
        The number of each type.
    counts
        How often each number was seen; 0 stands for forgotten types.
    forgot
        Whether there were more than are kept.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.counts = np.zeros(1, np.int64)
        self.forgot = False
        self._characters = 0

    def add(self, types: Sequence[str], counts: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Return the numbers of different types, which were seen so often."""
        known = self.numbers
        numbered_before = len(known)
        numbers = [known.setdefault(token, len(known) + 1) for token in types]
        self._characters += sum(
            len(token) for token, number in zip(types, numbers, strict=True) if number > numbered_before
        )
        self.counts.resize(len(known) + 1, refcheck=False)
        self.counts[numbers] += counts
        return np.array(numbers, np.uint32)

    def forget_rarest(self) -> NDArray[np.uint32] | None:
        """Where there are too many, forget those seen fewest times, at least half of them, and renumber the rest.

        Returns the new number of each old one, or None if all are kept.
        """
        if len(self.numbers) <= MAX_TYPES and self._characters <= MAX_TYPE_CHARACTERS:
            return None
        self.forgot = True
        lengths = np.array([0, *map(len, self.numbers)])
        threshold, kept = 1, self.counts > 1
        kept[FORGOTTEN] = False
        while np.count_nonzero(kept) > MAX_TYPES // 2 or lengths[kept].sum() > MAX_TYPE_CHARACTERS // 2:
            threshold += 1
            kept &= self.counts > threshold
        renumbered = np.where(kept, np.cumsum(kept), FORGOTTEN).astype(np.uint32)
        left = [token for token, is_kept in zip(self.numbers, kept[1:].tolist(), strict=True) if is_kept]
        self.numbers = {}  # so that there are never two large tables
        self.numbers = {token: number for number, token in enumerate(left, start=1)}
        self.counts = np.concatenate([[0], self.counts[kept]])
        self._characters = int(lengths[kept].sum())
        return renumbered


class SpooledSection(NamedTuple):
    """What one section of the corpus added: files of one name, and numbers.

    `documents` are those with tokens, `empty_documents` those without. `forgot_types` says whether there were too
    many types in the section alone.
    """

    path: Path
    documents: int
    empty_documents: int
    sentences: int
    tokens: int
    forgot_types: bool

    def file(self, kind: str) -> Path:
        """Return the file of a kind, such as ``ids``."""
        return self.path.with_name(f"{self.path.name}.{kind}")

    def blocks(self) -> Iterator[Block]:
        """Read back about a million tokens at a time: the section's own ids, and labels of the whole corpus."""
        with self.file("ids").open("rb") as file:
            for segments in self._many_segments():
                ends = np.cumsum(segments["tokens"], dtype=np.int64)
                while len(segments):
                    few = max(1, int(np.searchsorted(ends, BLOCK_TOKENS, side="right")))
                    tokens = int(ends[few - 1])
                    yield Block(segments[:few], np.frombuffer(bytearray(file.read(tokens * ID.itemsize)), ID))
                    segments, ends = segments[few:], ends[few:] - tokens

    def labels_of_documents(self) -> Iterator[NDArray[np.uint32]]:
        """Read back the label of each document with tokens, some at a time."""
        for segments in self._many_segments():
            yield segments["label"][(segments["begins"] & BEGINS_DOCUMENT) != 0]

    def _many_segments(self) -> Iterator[NDArray[Any]]:
        labels: NDArray[np.uint32] = np.load(self.file("labels.npy"), allow_pickle=False)
        with self.file("segments").open("rb") as file:
            while data := file.read(BLOCK_SEGMENTS * SEGMENT.itemsize):
                segments = np.frombuffer(bytearray(data), SEGMENT)
                segments["label"] = labels[segments["label"]]
                yield segments

    def provisional_ids(self) -> NDArray[np.uint32]:
        """Return which id of the whole corpus each of the section's own ids stands for."""
        numbers: NDArray[np.uint32] = np.load(self.file("numbers.npy"), allow_pickle=False)
        return numbers


class SectionSpool:
    """A section of the corpus on its way to the disk: provisional ids and segments in two open files."""

    def __init__(self, path: Path, ids: BinaryIO, segments: BinaryIO) -> None:
        self._path, self._ids, self._segments = path, ids, segments
        self._types = Types()
        self._labels: dict[str, int] = {}
        self._labelled = np.zeros(1, np.int64)
        self._begun = self._documents = self._sentences = self._tokens = self._pending = 0

    def add(self, chunk: EncodedChunk) -> None:
        """Append a chunk."""
        segments = chunk.segments
        begins = segments["begins"]
        if len(begins):
            begins[0] |= self._pending
            self._pending = 0
        self._pending |= chunk.pending
        numbers = self._types.add(chunk.types, np.bincount(chunk.ids, minlength=len(chunk.types)))
        self._ids.write(numbers[chunk.ids].tobytes())
        segments["label"] = _numbered(self._labels, chunk.labels)[segments["label"]]
        self._segments.write(segments.tobytes())
        renumbered = self._types.forget_rarest()
        if renumbered is not None:
            self._renumber(renumbered)
        of_documents = segments["label"][(begins & BEGINS_DOCUMENT) != 0]
        self._labelled.resize(len(self._labels) + 1, refcheck=False)
        self._labelled += np.bincount(of_documents, minlength=len(self._labelled))
        self._begun += chunk.documents
        self._documents += len(of_documents)
        self._sentences += int(np.count_nonzero(begins & BEGINS_SENTENCE))
        self._tokens += len(chunk.ids)

    def end(self) -> SpooledSection:
        """Write the tables of types and labels, and return what was added."""
        section = SpooledSection(
            self._path,
            self._documents,
            self._begun - self._documents,
            self._sentences,
            self._tokens,
            self._types.forgot,
        )
        _save_texts(section.file("types"), self._types.numbers)
        _save_texts(section.file("labels"), self._labels)
        save(section.file("counts.npy"), self._types.counts)
        save(section.file("labelled.npy"), self._labelled)
        return section

    def _renumber(self, renumbered: NDArray[np.uint32]) -> None:
        token = 0
        while len(ids := _read(self._ids, ID, token, BLOCK_TOKENS)):
            self._ids.seek(token * ID.itemsize)
            self._ids.write(renumbered[ids].tobytes())
            token += len(ids)


@contextmanager
def spooling(paths: Sequence[Path]) -> Iterator[list[SectionSpool]]:
    """Give a spool for each side of a section; its files have the path's name and suffixes."""
    with ExitStack() as stack:
        yield [
            SectionSpool(
                path,
                stack.enter_context(path.with_name(f"{path.name}.ids").open("w+b")),
                stack.enter_context(path.with_name(f"{path.name}.segments").open("w+b")),
            )
            for path in paths
        ]


class Spooled(NamedTuple):
    """What one input added to the spool: its sections, and its documents by the number of their label."""

    sections: Sequence[SpooledSection]
    labelled: NDArray[np.int64]

    @property
    def documents(self) -> int:
        """Documents with tokens."""
        return sum(section.documents for section in self.sections)

    @property
    def empty_documents(self) -> int:
        """Documents without."""
        return sum(section.empty_documents for section in self.sections)

    @property
    def sentences(self) -> int:
        """Sentences."""
        return sum(section.sentences for section in self.sections)

    @property
    def tokens(self) -> int:
        """Tokens."""
        return sum(section.tokens for section in self.sections)


class Spool:
    """What is known of all sections of a corpus.

    Attributes
    ----------
    name
        What the names of its files begin with.
    types
        Provisional ids, from 1.
    labels
        The labels of documents and their numbers, from 1.
    inputs
        What was added.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.labels: dict[str, int] = {}
        self.inputs: list[Spooled] = []
        self.directory, self.name = directory, name
        self._types = Types()
        self._sections: list[SpooledSection] = []

    @property
    def types(self) -> dict[str, int]:
        """Provisional ids, from 1."""
        return self._types.numbers

    @property
    def forgot_types(self) -> bool:
        """Whether there were more types than are kept."""
        return self._types.forgot or any(section.forgot_types for section in self._sections)

    def paths(self, number: int) -> list[Path]:
        """Return where so many more sections go."""
        first = len(self._sections)
        return [self.directory / f"{self.name}{first + index}" for index in range(number)]

    def add(self, sections: Sequence[SpooledSection]) -> Spooled:
        """Merge the tables of the sections of the next input."""
        labelled = np.zeros(1, np.int64)
        for section in sections:
            self._add_types(section)
            labels = _numbered(self.labels, [label for some in _texts(section.file("labels")) for label in some])
            save(section.file("labels.npy"), labels)
            labelled.resize(len(self.labels) + 1, refcheck=False)
            labelled[labels] += np.load(section.file("labelled.npy"), allow_pickle=False)
        self.inputs.append(Spooled(sections, labelled))
        return self.inputs[-1]

    def _add_types(self, section: SpooledSection) -> None:
        """Merge a section's table of types, and write which provisional ids its numbers stand for."""
        counts = np.load(section.file("counts.npy"), allow_pickle=False)
        numbers = np.array([FORGOTTEN], np.uint32)
        for types in _texts(section.file("types")):
            first = len(numbers)
            numbers = np.append(numbers, self._types.add(types, counts[first : first + len(types)]))
            renumbered = self._types.forget_rarest()
            if renumbered is not None:
                numbers = renumbered[numbers]
                for earlier in self._sections:
                    save(earlier.file("numbers.npy"), renumbered[earlier.provisional_ids()])
        save(section.file("numbers.npy"), numbers)
        self._sections.append(section)


@contextmanager
def new_spools(directory: Path, number: int = 1) -> Iterator[list[Spool]]:
    """Make so many spools in a directory, and remove their files when the ``with`` block has ended well."""
    inside = directory / "spool"
    inside.mkdir()
    yield [Spool(inside, "ab"[index]) for index in range(number)]
    shutil.rmtree(inside)


def _numbered(known: dict[str, int], labels: Sequence[str]) -> NDArray[np.uint32]:
    """Return the number of no label and of each of some labels, which become known."""
    numbers = [known.setdefault(label, len(known) + 1) for label in labels]
    if len(known) > MAX_LABELS:
        raise RnnlmError(
            f"There are more than {MAX_LABELS:,} different labels, such as {shown(labels[-1])}; choose a"
            " column with fewer values with `label_column`."
        )
    return np.array([0, *numbers], np.uint32)


def _save_texts(file: Path, texts: Iterable[str]) -> None:
    """Write texts as JSON, some in each line."""
    with file.open("w", encoding="ascii") as stream:
        left = iter(texts)
        while some := list(islice(left, TYPES_AT_ONCE)):
            stream.write(f"{json.dumps(some)}\n")


def _texts(file: Path) -> Iterator[list[str]]:
    """Read texts back, some at a time."""
    with file.open(encoding="ascii") as stream:
        yield from map(json.loads, stream)


def save(file: Path, array: NDArray[Any]) -> None:
    """Write an array."""
    with file.open("wb") as stream:
        np.save(stream, array)


def _read(file: BinaryIO, dtype: "np.dtype[Any]", first: int, count: int) -> NDArray[Any]:
    """Read entries of a file; afterwards the position is at the end of them."""
    file.seek(first * dtype.itemsize)
    return np.frombuffer(bytearray(file.read(count * dtype.itemsize)), dtype)
