"""Writing the parts of a dataset: the ids of their sentences, where these begin, and how many there are."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.division import Assignment
from rnnlm.dataset.building.encode import BEGINS_SENTENCE
from rnnlm.dataset.store import OFFSET_DTYPE, SPLITS, id_dtype, ids_file, offsets_file
from rnnlm.text.vocabulary import Vocabulary


@dataclass
class SplitCounts:
    """The numbers of one part: `tokens` are predictions, `characters` include one a sentence for its end."""

    sentences: int = 0
    tokens: int = 0
    characters: int = 0
    unknown_tokens: int = 0

    @property
    def unknown_rate(self) -> float:
        """The share of unknown tokens among those predicted; 0 where there are none."""
        return self.unknown_tokens / self.tokens if self.tokens else 0.0


class _SplitWriter:
    """Writes the ids and offsets of one part, and counts."""

    def __init__(self, ids: BinaryIO, offsets: BinaryIO, dtype: "np.dtype[Any]") -> None:
        self.counts = SplitCounts()
        self._ids, self._offsets, self._dtype = ids, offsets, dtype
        self._length = 0

    def add(self, segments: NDArray[Any], ids: NDArray[Any]) -> None:
        """Append segments, the first of which begins a sentence if nothing was written yet."""
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
        marked[starts] = Vocabulary.start_id
        marked[is_word] = ids
        if not self._length:  # no sentence ends before the first
            marked, starts = marked[1:], starts - 1
        self._ids.write(marked.tobytes())
        self._offsets.write((starts + self._length).astype(OFFSET_DTYPE).tobytes())
        self._length += len(marked)
        self.counts.sentences += len(starts)
        self.counts.tokens += len(ids) + len(starts)
        self.counts.characters += int(segments["characters"].sum(dtype=np.int64)) + len(starts)
        self.counts.unknown_tokens += int(np.count_nonzero(ids == Vocabulary.unknown_id))

    def end(self) -> None:
        """End the last sentence."""
        if self._length:
            self._ids.write(np.array([Vocabulary.end_id], self._dtype).tobytes())
            self._length += 1
        self._offsets.write(np.array([self._length], OFFSET_DTYPE).tobytes())


def write_splits(
    directory: Path, types: dict[str, int], vocabulary: Vocabulary, assignments: Iterable[Assignment]
) -> dict[str, SplitCounts]:
    """Write the ids of all parts; provisional ids become final ones by one look-up."""
    dtype = id_dtype(len(vocabulary))
    final_ids = np.array([Vocabulary.unknown_id, *vocabulary.encode(types)], dtype)
    with ExitStack() as stack:
        writers = []
        for split in SPLITS:
            paths = directory / ids_file(split), directory / offsets_file(split)
            ids_on_disk, offsets = (stack.enter_context(path.open("wb")) for path in paths)
            writers.append(_SplitWriter(ids_on_disk, offsets, dtype))
        for assignment in assignments:
            for labels, (segments, ids) in assignment():
                token_labels = np.repeat(labels, segments["tokens"])
                for label, writer in enumerate(writers):
                    writer.add(segments[labels == label], final_ids[ids[token_labels == label]])
        for writer in writers:
            writer.end()
    return {name: writer.counts for name, writer in zip(SPLITS, writers, strict=True)}
