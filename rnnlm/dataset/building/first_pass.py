"""The first pass over a corpus: its documents are read, tokenized and spooled, then divided."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rnnlm.dataset.building.division import (
    TEST,
    VALID,
    DivisionSettings,
    assign_all,
    divide,
    refuse_too_few_pairs,
)
from rnnlm.dataset.building.encode import encode_documents
from rnnlm.dataset.building.learning import learn
from rnnlm.dataset.building.side import Side
from rnnlm.dataset.building.spool import Spooled
from rnnlm.errors import RnnlmError
from rnnlm.text.documents import Piece
from rnnlm.text.lines import source_name
from rnnlm.text.pairs import swapped
from rnnlm.text.processor import TextProcessor
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport, counted
from rnnlm.text.tagged import PairProcessor

MOST_REASONS = 5
"""How many kinds of skipped input the error names where nothing else is left."""


@dataclass(frozen=True)
class FirstPass:
    """Reads inputs into spools, one a side; the attributes are parameters of `build_dataset`."""

    reader: ReaderSettings
    report: ReadReport
    workers: int
    progress: Callable[[int], object]

    def run(self, inputs: Sequence[str], sides: Sequence[Side], division: DivisionSettings) -> list[Side]:
        """Read, learn what the settings lack, and divide; return the sides with their full settings and parts."""
        pieces = self._documents(inputs, sides)
        if not self.reader.has_tags:
            sides, pieces = self._learned(sides, pieces)
        spooled = self._add(inputs, pieces, sides)
        if self.reader.has_pairs:
            refuse_too_few_pairs(spooled[0], division)
        # Documents are drawn by their number, so both sides of a pair come into the same part.
        parts = [
            [divide(one, division, between_tokens=not side.text.sentences)]
            for one, side in zip(spooled, sides, strict=True)
        ]
        for label, name in ((VALID, division.valid_file), (TEST, division.test_file)):
            if name:
                reported, files = len(self.report.messages()), self.reader.names(name)
                spooled = self._add(files, self._documents(files, sides), sides, reported)
                for of_side, one in zip(parts, spooled, strict=True):
                    of_side.append(assign_all(one, label))
        return [replace(side, parts=tuple(of_side)) for side, of_side in zip(sides, parts, strict=True)]

    def _documents(self, inputs: Sequence[str], sides: Sequence[Side]) -> Iterator[Piece]:
        # A sentence goes on over the ends of lines; characters are kept as they are.
        text = sides[0].text
        join_lines = text.sentences and text.level == "word"
        return read_documents(inputs, self.reader, self.report, join_lines=join_lines)

    def _learned(self, sides: Sequence[Side], pieces: Iterator[Piece]) -> tuple[list[Side], Iterator[Piece]]:
        """Learn from the beginning of each side what its settings lack; all pieces are returned."""
        learned = []
        for side in sides:
            text, pieces = learn(side.text, pieces, side.vocabulary, self.report)
            learned.append(replace(side, text=text))
            if len(sides) > 1:
                pieces = swapped(pieces)
        return learned, pieces

    def _add(
        self, inputs: Sequence[str], pieces: Iterator[Piece], sides: Sequence[Side], reported: int = 0
    ) -> list[Spooled]:
        """Spool the documents of inputs; the first `reported` messages are not about these."""
        make = PairProcessor if self.reader.has_tags else TextProcessor
        processors = [make(side.text) for side in sides]
        additions = [side.spool.begin() for side in sides]
        with closing(encode_documents(pieces, processors, self.workers, self.progress)) as encoded:
            for chunks in encoded:
                for addition, chunk in zip(additions, chunks, strict=True):
                    addition.add(chunk)
        spooled = [addition.end() for addition in additions]
        if not spooled[0].tokens:
            name = ", ".join(map(source_name, inputs))
            raise _no_text(name, spooled[0].empty_documents, self.report.messages()[reported:])
        return spooled


def _no_text(name: str, empty_documents: int, messages: Sequence[str]) -> RnnlmError:
    """Say that there is no text in an input, and what there is."""
    found = [counted(empty_documents, "document{s} without a token")] if empty_documents else []
    found += [message.removesuffix(".") for message in messages]
    more = "; ..." if len(found) > MOST_REASONS else ""
    reasons = f" ({'; '.join(found[:MOST_REASONS])}{more})" if found else ""
    return RnnlmError(f"{name}: there is no text in it{reasons}; give an input that has some.")
