"""Writing the parts of a dataset: the ids of their sentences, where these begin, and how many there are."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.division import Assignment
from rnnlm.dataset.building.encode import BEGINS_SENTENCE
from rnnlm.dataset.building.spool import Spool
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


class _SplitWriter:
    """Writes the ids and offsets of one part, its tags and spellings if it has any, and counts."""

    def __init__(
        self, ids: BinaryIO, offsets: BinaryIO, start_ids: NDArray[Any], columns: Mapping[str, BinaryIO]
    ) -> None:
        self.counts = SplitCounts(unknown_tags=0 if TAGS in columns else None)
        self._ids, self._offsets = ids, offsets
        self._start_ids, self._dtype = start_ids, start_ids.dtype
        self._columns = columns
        self._length = 0

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
        self._ids.write(marked.tobytes())
        self._offsets.write((starts + self._length).astype(OFFSET_DTYPE).tobytes())
        for column, values in columns.items():
            beside = np.zeros(len(marked), values.dtype)
            beside[is_word] = values
            self._columns[column].write(beside.tobytes())
        if self.counts.unknown_tags is not None:
            self.counts.unknown_tags += int(np.count_nonzero(columns[TAGS] == 0))
        self._length += len(marked)
        self.counts.sentences += len(starts)
        self.counts.tokens += len(ids) + len(starts)
        self.counts.characters += int(segments["characters"].sum(dtype=np.int64)) + len(starts)
        self.counts.unknown_tokens += int(np.count_nonzero(ids == Vocabulary.unknown_id))

    def end(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """End the last sentence; `columns` has the types of what stands beside the ids."""
        if self._length:
            self._ids.write(np.array([Vocabulary.end_id], self._dtype).tobytes())
            for column, values in columns.items():
                self._columns[column].write(np.zeros(1, values.dtype).tobytes())
            self._length += 1
        self._offsets.write(np.array([self._length], OFFSET_DTYPE).tobytes())


def write_splits(
    directory: Path,
    spool: Spool,
    vocabulary: Vocabulary,
    assignments: Iterable[Assignment],
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
    with ExitStack() as stack:
        writers = []
        for split in names:
            paths = directory / ids_file(split), directory / offsets_file(split)
            ids_on_disk, offsets = (stack.enter_context(path.open("wb")) for path in paths)
            beside = {
                column: stack.enter_context((directory / column_file(split, column)).open("wb"))
                for column in columns
            }
            writers.append(_SplitWriter(ids_on_disk, offsets, start_ids, beside))
        for assignment in assignments:
            for parts, (segments, ids) in assignment():
                token_parts = np.repeat(parts, segments["tokens"])
                for part, writer in enumerate(writers):
                    chosen = ids[token_parts == part]
                    values = {column: look_up[chosen] for column, look_up in columns.items()}
                    writer.add(segments[parts == part], final_ids[chosen], values)
        for writer in writers:
            writer.end(columns)
    return {name: writer.counts for name, writer in zip(SPLITS, writers, strict=True)}
