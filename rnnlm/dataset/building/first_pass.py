"""The first pass over a corpus: its documents are read, tokenized and spooled, then divided."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from rnnlm.dataset.building.division import TEST, VALID, Assignment, DivisionSettings, assign_all, divide
from rnnlm.dataset.building.encode import encode_documents
from rnnlm.dataset.building.learning import VocabularySettings, learn
from rnnlm.dataset.building.spool import Spool, Spooled
from rnnlm.errors import RnnlmError
from rnnlm.text.documents import Piece
from rnnlm.text.lines import source_name
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport, counted
from rnnlm.text.tagged import PairProcessor
from rnnlm.text.vocabulary import Vocabulary

MOST_REASONS = 5
"""How many kinds of skipped input the error names where nothing else is left."""


@dataclass(frozen=True)
class FirstPass:
    """Reads inputs into a spool; the other attributes are parameters of `build_dataset`."""

    spool: Spool
    reader: ReaderSettings
    text: TextSettings
    report: ReadReport
    workers: int
    progress: Callable[[int], object]

    def run(
        self, inputs: Sequence[str], vocabulary: Vocabulary | VocabularySettings, division: DivisionSettings
    ) -> tuple[TextSettings, list[Assignment]]:
        """Read, learn what the settings lack, and divide; return the full settings and the parts of the inputs."""
        text, pieces = self.text, self._documents(inputs)
        if not self.reader.has_tags:
            text, pieces = learn(text, pieces, vocabulary, self.report)
        spooled = self._add(inputs, pieces, text)
        assignments = [divide(spooled, division, between_tokens=not text.sentences)]
        for label, file in ((VALID, division.valid_file), (TEST, division.test_file)):
            if file:
                reported = len(self.report.messages())
                spooled = self._add([file], self._documents([file]), text, reported)
                assignments.append(assign_all(spooled, label))
        return text, assignments

    def _documents(self, inputs: Sequence[str]) -> Iterator[Piece]:
        # A sentence goes on over the ends of lines; characters are kept as they are.
        join_lines = self.text.sentences and self.text.level == "word"
        return read_documents(inputs, self.reader, self.report, join_lines=join_lines)

    def _add(
        self, inputs: Sequence[str], pieces: Iterator[Piece], text: TextSettings, reported: int = 0
    ) -> Spooled:
        """Spool the documents of inputs; the first `reported` messages are not about these."""
        processor = PairProcessor(text) if self.reader.has_tags else TextProcessor(text)
        with closing(encode_documents(pieces, processor, self.workers, self.progress)) as chunks:
            spooled = self.spool.add(chunks)
        if not spooled.tokens:
            name = ", ".join(map(source_name, inputs))
            raise _no_text(name, spooled.empty_documents, self.report.messages()[reported:])
        return spooled


def _no_text(name: str, empty_documents: int, messages: Sequence[str]) -> RnnlmError:
    """Say that there is no text in an input, and what there is."""
    found = [counted(empty_documents, "document{s} without a token")] if empty_documents else []
    found += [message.removesuffix(".") for message in messages]
    more = "; ..." if len(found) > MOST_REASONS else ""
    reasons = f" ({'; '.join(found[:MOST_REASONS])}{more})" if found else ""
    return RnnlmError(f"{name}: there is no text in it{reasons}; give an input that has some.")
