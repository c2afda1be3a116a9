"""Writing the parts of a dataset: the ids of their sentences, where these begin, and how many there are.

Every process writes what it has of a part at its place, which is known from what was counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.counting import Counted
from rnnlm.dataset.building.crew import Crew, Progress
from rnnlm.dataset.building.division import Assignment
from rnnlm.dataset.building.encode import BEGINS_SENTENCE
from rnnlm.dataset.building.spool import Spool, save
from rnnlm.dataset.building.tagging import TaggedTypes
from rnnlm.dataset.store import OFFSET_DTYPE, SPLITS, TAGS, column_file, id_dtype, ids_file, offsets_file
from rnnlm.text.vocabulary import Vocabulary


@dataclass
class SplitCounts:
    """The numbers of one part.

    `tokens` are predictions, `characters` include one a sentence for its end; `unknown_tags` is None where tokens
    have no tags.
    """

    sentences: int = 0
    tokens: int = 0
    characters: int = 0
    unknown_tokens: int = 0
    unknown_tags: int | None = None

    @property
    def unknown_rate(self) -> float:
        """The share of unknown tokens among those predicted; 0 where there are none."""
        return self.unknown_tokens / self.tokens if self.tokens else 0.0

    def to_dict(self) -> dict[str, int]:
        """Return the numbers as plain data."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def add(self, other: "SplitCounts") -> None:
        """Add the numbers of more of the part."""
        self.sentences += other.sentences
        self.tokens += other.tokens
        self.characters += other.characters
        self.unknown_tokens += other.unknown_tokens
        if other.unknown_tags is not None:
            self.unknown_tags = (self.unknown_tags or 0) + other.unknown_tags


class _Files(NamedTuple):
    """The files of one part of a dataset, open to be written at some place."""

    ids: BinaryIO
    offsets: BinaryIO
    columns: Mapping[str, BinaryIO]


@contextmanager
def _opened(directory: Path, name: str, columns: Sequence[str], mode: str) -> Iterator[_Files]:
    with ExitStack() as stack:

        def opened(file: str) -> BinaryIO:
            return cast("BinaryIO", stack.enter_context((directory / file).open(mode)))

        beside = {column: opened(column_file(name, column)) for column in columns}
        yield _Files(opened(ids_file(name)), opened(offsets_file(name)), beside)


class _SplitWriter:
    """Writes the ids and offsets of one part from a place on, its tags and spellings if it has any, and counts.

    So many sentences and tokens of the part come `before`.
    """

    def __init__(
        self,
        files: _Files,
        start_ids: NDArray[Any],
        columns: Mapping[str, "np.dtype[Any]"],
        before: NDArray[np.int64],
    ) -> None:
        sentences, tokens = before.tolist()
        self.counts = SplitCounts(unknown_tags=0 if TAGS in columns else None)
        self._files, self._columns = files, columns
        self._start_ids, self._dtype = start_ids, start_ids.dtype
        # Each sentence has a START and an END, but the last one has no END yet.
        self._length = max(tokens + 2 * sentences - 1, 0)
        files.ids.seek(self._length * self._dtype.itemsize)
        files.offsets.seek(sentences * OFFSET_DTYPE.itemsize)
        for column, dtype in columns.items():
            files.columns[column].seek(self._length * dtype.itemsize)

    def add(self, segments: NDArray[Any], ids: NDArray[Any], columns: Mapping[str, NDArray[Any]]) -> None:
        """Append segments, the first of which begins a sentence if nothing was written yet.

        `columns` has a number for each of the ids: its tag, its spelling.
        """
        if not len(segments):
            return
        begins = (segments["begins"] & BEGINS_SENTENCE) != 0
        # Before a sentence come the END of the one before it and its own START.
        ends = np.cumsum(segments["tokens"] + np.where(begins, 2, 0), dtype=np.int64)
        starts = (ends - segments["tokens"])[begins] - 1
        marked = np.empty(ends[-1], self._dtype)
        is_word = np.ones(len(marked), bool)
        is_word[starts] = is_word[starts - 1] = False
        marked[starts - 1] = Vocabulary.end_id
        marked[starts] = self._start_ids[segments["label"][begins]]
        marked[is_word] = ids
        if not self._length:  # no sentence ends before the first
            marked, is_word, starts = marked[1:], is_word[1:], starts - 1
        self._files.ids.write(marked.tobytes())
        self._files.offsets.write((starts + self._length).astype(OFFSET_DTYPE).tobytes())
        for column, values in columns.items():
            beside = np.zeros(len(marked), self._columns[column])
            beside[is_word] = values
            self._files.columns[column].write(beside.tobytes())
        if self.counts.unknown_tags is not None:
            self.counts.unknown_tags += int(np.count_nonzero(columns[TAGS] == 0))
        self._length += len(marked)
        self.counts.sentences += len(starts)
        self.counts.tokens += len(ids) + len(starts)
        self.counts.characters += int(segments["characters"].sum(dtype=np.int64)) + len(starts)
        self.counts.unknown_tokens += int(np.count_nonzero(ids == Vocabulary.unknown_id))

    def end(self) -> None:
        """End the last sentence."""
        if self._length:
            self._files.ids.write(np.array([Vocabulary.end_id], self._dtype).tobytes())
            for column, dtype in self._columns.items():
                self._files.columns[column].write(np.zeros(1, dtype).tobytes())
            self._length += 1
        self._files.offsets.write(np.array([self._length], OFFSET_DTYPE).tobytes())


class _Place(NamedTuple):
    """A section and the parts that it belongs to, and what stands before it, (parts, 2); see `Counted`."""

    assignment: Assignment
    before: NDArray[np.int64]


class _LookUps(NamedTuple):
    """What becomes of provisional ids and labels: files of arrays, which every process reads."""

    directory: Path
    columns: tuple[str, ...]

    def save(self, ids: NDArray[Any], start_ids: NDArray[Any], columns: Mapping[str, NDArray[Any]]) -> None:
        """Write the final ids, those that begin sentences with each label, and what stands beside the ids."""
        for name, array in {"ids": ids, "starts": start_ids, **columns}.items():
            save(self._file(name), array)

    def load(self, name: str) -> NDArray[Any]:
        """Read one: ``ids``, ``starts`` or a column; only what is used of it comes into memory."""
        array: NDArray[Any] = np.load(self._file(name), mmap_mode="r", allow_pickle=False)
        return array

    def _file(self, name: str) -> Path:
        return self.directory / f"final.{name}.npy"


@dataclass(frozen=True)
class _Writing:
    """Writes one section to all parts of a dataset, whose files have these names."""

    directory: Path
    names: Sequence[str]
    look_ups: _LookUps

    def __call__(self, place: _Place, workers: int, progress: Progress) -> list[SplitCounts]:
        (section, _), before = place
        provisional, start_ids = section.provisional_ids(), np.array(self.look_ups.load("starts"))
        final_ids = self.look_ups.load("ids")[provisional]
        columns = {column: self.look_ups.load(column)[provisional] for column in self.look_ups.columns}
        dtypes = {column: values.dtype for column, values in columns.items()}
        with ExitStack() as stack:
            writers = []
            for name, of_part in zip(self.names, before, strict=True):
                files = stack.enter_context(_opened(self.directory, name, self.look_ups.columns, "r+b"))
                writers.append(_SplitWriter(files, start_ids, dtypes, of_part))
            for parts, (segments, ids) in place.assignment():
                token_parts = np.repeat(parts, segments["tokens"])
                for part, writer in enumerate(writers):
                    chosen = ids[token_parts == part]
                    values = {column: look_up[chosen] for column, look_up in columns.items()}
                    writer.add(segments[parts == part], final_ids[chosen], values)
        return [writer.counts for writer in writers]


def write_splits(
    directory: Path,
    spool: Spool,
    vocabulary: Vocabulary,
    assignments: Sequence[Assignment],
    counted: Counted,
    crew: Crew,
    tagged: TaggedTypes | None = None,
    names: Sequence[str] = SPLITS,
) -> dict[str, SplitCounts]:
    """Write the ids of all parts; provisional ids become final ones by one look-up, and so do labels.

    `names` are those that the files of the parts have.

    Where tokens have tags, provisional ids are those of pairs, which `tagged` takes apart, and tags and spellings
    are looked up likewise.
    """
    dtype = id_dtype(len(vocabulary))
    words = spool.types if tagged is None else tagged.words
    final_ids = np.array([Vocabulary.unknown_id, *vocabulary.encode(words)], dtype)
    start_ids = np.array([Vocabulary.start_id, *map(vocabulary.start_of, spool.labels)], dtype)
    columns: dict[str, NDArray[Any]] = {}
    if tagged is not None:
        final_ids, columns = final_ids[tagged.word_of], tagged.columns()
    look_ups = _LookUps(spool.directory, tuple(columns))
    look_ups.save(final_ids, start_ids, columns)
    dtypes = {column: values.dtype for column, values in columns.items()}
    splits: dict[str, SplitCounts] = {}
    for split, name, before in zip(SPLITS, names, counted.before[-1], strict=True):
        with _opened(directory, name, look_ups.columns, "wb") as files:
            end = _SplitWriter(files, start_ids, dtypes, before)
            end.end()
        splits[split] = end.counts
    places = [_Place(*each) for each in zip(assignments, counted.before[:-1], strict=True)]
    sizes = [assignment.section.tokens for assignment in assignments]
    for counts in crew.map(_Writing(directory, names, look_ups), places, sizes):
        for split, more in zip(SPLITS, counts, strict=True):
            splits[split].add(more)
    return splits
