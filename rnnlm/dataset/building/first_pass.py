"""The first pass over a corpus: its documents are read, tokenized and spooled, then divided."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from rnnlm.dataset.building.crew import Crew, Progress
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
from rnnlm.dataset.building.spool import Spooled, SpooledSection, spooling
from rnnlm.errors import RnnlmError
from rnnlm.text.documents import Piece
from rnnlm.text.fields import Conditions
from rnnlm.text.inputs import Inputs
from rnnlm.text.pairs import swapped
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.readers import ReaderSettings, names_of, read_section
from rnnlm.text.report import ReadReport, counted
from rnnlm.text.sections import Section, sections
from rnnlm.text.tagged import PairProcessor

MOST_REASONS = 5
"""How many kinds of skipped input the error names where nothing else is left."""


class _Reading(NamedTuple):
    """The pieces of a section, and what is noted while they are read."""

    pieces: Iterator[Piece]
    report: ReadReport
    conditions: Conditions


class _Job(NamedTuple):
    """A section to be spooled, for each side in a place; a pipe has perhaps begun to be read."""

    section: Section
    paths: list[Path]
    begun: _Reading | None = None


class _Done(NamedTuple):
    """A section that is spooled, what was noted while it was read, and how many characters it had."""

    sides: list[SpooledSection]
    report: ReadReport
    conditions: Conditions
    characters: int


class _SectionError(RnnlmError):
    """An error of a section; what was noted until then may be the reason."""

    report: ReadReport


@dataclass(frozen=True)
class _Spooling:
    """Reads, tokenizes and spools a section; texts become tokens as the settings of each side say."""

    reader: ReaderSettings
    texts: tuple[TextSettings, ...]

    def __call__(self, job: _Job, workers: int, progress: Progress) -> _Done:
        pieces, report, conditions = job.begun or self.read([job.section])
        make = PairProcessor if self.reader.has_tags else TextProcessor
        processors = [make(text) for text in self.texts]
        characters = 0
        try:
            with (
                spooling(job.paths) as spools,
                closing(encode_documents(pieces, processors, workers, progress)) as encoded,
            ):
                for chunks in encoded:
                    for spool, chunk in zip(spools, chunks, strict=True):
                        spool.add(chunk)
                        characters += chunk.characters
                return _Done([spool.end() for spool in spools], report, conditions, characters)
        except RnnlmError as error:
            failed = _SectionError(str(error))
            failed.report = report
            raise failed from error

    def read(self, parts: Sequence[Section]) -> _Reading:
        """Begin to read sections."""
        report, conditions = ReadReport(), Conditions(self.reader.where)
        # A sentence goes on over the ends of lines; characters are kept as they are.
        join_lines = self.texts[0].sentences and self.texts[0].level == "word"
        each = (read_section(part, self.reader, report, conditions, join_lines=join_lines) for part in parts)
        return _Reading(chain.from_iterable(each), report, conditions)


@dataclass(frozen=True)
class FirstPass:
    """Reads inputs into spools, one a side; the attributes are parameters of `build_dataset`."""

    reader: ReaderSettings
    report: ReadReport
    crew: Crew
    progress: Progress

    def run(self, inputs: Inputs, sides: Sequence[Side], division: DivisionSettings) -> list[Side]:
        """Read, learn what the settings lack, and divide; return the sides with their full settings and parts."""
        found, begun = sections(inputs, self.reader), None
        if not self.reader.has_tags:
            sides, begun = self._learned(found, sides)
        if all(section.can_be_read_again for section in found):
            begun = None
        spooled = self._add(inputs, found, sides, begun)
        if self.reader.has_pairs:
            refuse_too_few_pairs(spooled[0], division)
        # Documents are drawn by their number, so both sides of a pair come into the same part.
        parts = [
            divide(one, division, between_tokens=not side.text.sentences)
            for one, side in zip(spooled, sides, strict=True)
        ]
        for label, name in ((VALID, division.valid_file), (TEST, division.test_file)):
            if name:
                files = Inputs(self.reader.names(name), self.reader, self.report)
                spooled = self._add(files, sections(files, self.reader), sides)
                for of_side, one in zip(parts, spooled, strict=True):
                    of_side += assign_all(one, label)
        return [replace(side, parts=tuple(of_side)) for side, of_side in zip(sides, parts, strict=True)]

    def _learned(self, found: Sequence[Section], sides: Sequence[Side]) -> tuple[list[Side], _Reading]:
        """Learn from the beginning of each side what its settings lack; a pipe is read on from there."""
        reading = self._spooling(sides).read(found)
        pieces, learned = reading.pieces, []
        try:
            for side in sides:
                text, pieces = learn(side.text, pieces, side.vocabulary, self.report)
                learned.append(replace(side, text=text))
                if len(sides) > 1:
                    pieces = swapped(pieces)
        except RnnlmError:
            self.report.join(reading.report)
            raise
        return learned, reading._replace(pieces=pieces)

    def _add(
        self, inputs: Inputs, found: Sequence[Section], sides: Sequence[Side], begun: _Reading | None = None
    ) -> list[Spooled]:
        """Spool the sections of inputs; the only one, of a pipe, has perhaps begun to be read."""
        paths = zip(*(side.spool.paths(len(found)) for side in sides), strict=True)
        jobs = [_Job(section, list(each), begun) for section, each in zip(found, paths, strict=True)]
        sizes = [section.size for section in found]
        reported = len(self.report.messages()) if sides[0].spool.inputs else 0  # of other inputs
        try:
            results = self.crew.map(
                self._spooling(sides), jobs, sizes, self.progress, lambda done: self.progress(done.characters)
            )
        except _SectionError as error:
            self.report.join(error.report)
            raise
        conditions = Conditions(self.reader.where)
        for done in results:
            self.report.join(done.report)
            conditions.join(done.conditions)
        conditions.check_found(names_of(inputs))
        spooled = [side.spool.add([done.sides[index] for done in results]) for index, side in enumerate(sides)]
        if not spooled[0].tokens:
            raise _no_text(names_of(inputs), spooled[0].empty_documents, self.report.messages()[reported:])
        return spooled

    def _spooling(self, sides: Sequence[Side]) -> _Spooling:
        return _Spooling(self.reader, tuple(side.text for side in sides))


def _no_text(name: str, empty_documents: int, messages: Sequence[str]) -> RnnlmError:
    """Say that there is no text in an input, and what there is."""
    found = [counted(empty_documents, "document{s} without a token")] if empty_documents else []
    found += [message.removesuffix(".") for message in messages]
    more = "; ..." if len(found) > MOST_REASONS else ""
    reasons = f" ({'; '.join(found[:MOST_REASONS])}{more})" if found else ""
    return RnnlmError(f"{name}: there is no text in it{reasons}; give an input that has some.")
