"""Building a dataset: text to tokens, vocabulary and ids on disk, in two passes and bounded memory."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from rnnlm.dataset.building.encode import BEGINS_SENTENCE, encode_documents
from rnnlm.dataset.building.learning import VocabularySettings, choose_words, with_punkt, with_subwords
from rnnlm.dataset.building.publish import check_destination, clear_leftovers, publish, temporary_directory
from rnnlm.dataset.building.split import TEST, TRAIN, VALID, Assignment, SplitSettings, assign_all, divide
from rnnlm.dataset.building.split_files import SplitCounts, write_splits
from rnnlm.dataset.building.spool import FORGOTTEN, Part, Spool
from rnnlm.dataset.store import FORMAT_VERSION, METADATA_FILE, SPLIT_NUMBERS
from rnnlm.errors import RnnlmError
from rnnlm.files import sha256
from rnnlm.text.documents import Piece
from rnnlm.text.lines import source_name
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import Inputs, ReaderSettings, read_documents
from rnnlm.text.report import ReadReport, counted
from rnnlm.text.scripts import refuse_unsegmented
from rnnlm.text.tokenizers import SPACE_BOUND
from rnnlm.text.vocabulary import VOCABULARY_FILE, Vocabulary

# How many kinds of skipped input the error names where nothing else is left.
MOST_REASONS = 5
# Text settings that are found in the corpus; they stand in the vocabulary alone.
LEARNED = ("punkt", "subwords")


@dataclass(frozen=True)
class BuildResult:
    """What `build_dataset` made.

    Attributes
    ----------
    path
        The dataset's directory.
    vocabulary
        Its vocabulary.
    documents
        Documents with at least one token.
    empty_documents
        Documents without, such as deleted comments, which are left out.
    unique_tokens
        Distinct tokens in the training text; at least so many where `forgot_types`.
    splits
        The numbers of ``train``, ``valid`` and ``test``.
    forgot_types
        Whether the corpus had too many distinct tokens to count the rarest.
    chosen_words
        How many words of the vocabulary, the last ones, were chosen from the training text.
    """

    path: Path
    vocabulary: Vocabulary
    documents: int
    empty_documents: int
    unique_tokens: int
    splits: dict[str, SplitCounts]
    forgot_types: bool
    chosen_words: int

    @property
    def total(self) -> SplitCounts:
        """The numbers of all parts together."""
        return SplitCounts(
            *(sum(getattr(counts, name) for counts in self.splits.values()) for name in SPLIT_NUMBERS)
        )

    @property
    def least_frequent(self) -> tuple[str, int] | None:
        """The rarest of the words chosen from the training text, and its count there; None if there is none."""
        return (self.vocabulary.tokens[-1], self.vocabulary.counts[-1]) if self.chosen_words else None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        least = self.least_frequent
        return {
            "documents": self.documents,
            "sentences": self.total.sentences,
            "tokens": self.total.tokens,
            "vocabulary_size": len(self.vocabulary),
            "unique_tokens": self.unique_tokens,
            "unknown_rate": self.total.unknown_rate,
            "least_frequent": {"token": least[0], "count": least[1]} if least else None,
            "splits": {
                name: {**asdict(counts), "unknown_rate": counts.unknown_rate}
                for name, counts in self.splits.items()
            },
        }


def build_dataset(
    inputs: Sequence[str],
    out: Path | str,
    *,
    reader: ReaderSettings | None = None,
    text: TextSettings | None = None,
    vocabulary: Vocabulary | VocabularySettings | None = None,
    split: SplitSettings | None = None,
    workers: int = 1,
    overwrite: bool = False,
    report: ReadReport | None = None,
    progress: Callable[[int], object] = lambda characters: None,
) -> BuildResult:
    """Build a dataset directory from text.

    Parameters
    ----------
    inputs
        Files, directories, or ``-`` for standard input; `Inputs` if their formats are known.
    out
        The directory to make. It appears only when it is complete.
    reader
        How the inputs are read.
    text
        How text becomes tokens; by default in the way that suits words of the inputs' formats
        (`TextSettings.choose`). Where sentences are wanted and no Punkt parameters are given, installed ones
        are taken, or Punkt is trained on the corpus. Left out where `vocabulary` brings its own.
    vocabulary
        An existing vocabulary, with its text settings, or which words a new one keeps.
    split
        How the corpus is divided; 90, 5 and 5 % by default.
    workers
        Processes that tokenize; the dataset is the same for any number.
    overwrite
        Whether a dataset that is already there is replaced.
    report
        Gathers what had to be repaired or skipped in the inputs.
    progress
        Called now and then with the number of characters processed since the last call.

    Returns
    -------
    BuildResult
        The numbers of the dataset.

    Raises
    ------
    RnnlmError
        If an input cannot be read, there is no text in it, `out` exists and may not be replaced, or the disk
        is full.
    """
    out = Path(out)
    reader, split, report = reader or ReaderSettings(), split or SplitSettings(), report or ReadReport()
    split.shares()
    if isinstance(vocabulary, Vocabulary):
        settings = vocabulary.settings
    else:
        vocabulary = vocabulary or VocabularySettings()
        vocabulary.check()
        inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs, reader, report)
        settings = text or TextSettings.choose(formats=inputs.formats)
        if vocabulary.extends is not None:
            settings = vocabulary.extends.settings
    reader = replace(reader, documents=reader.documents or settings.default_documents)
    # A sentence goes on over the ends of lines; characters are kept as they are.
    join_lines = settings.sentences and settings.level == "word"
    place = Path(os.path.realpath(out))
    clear_leftovers(place)
    check_destination(out, overwrite)

    with temporary_directory(place) as directory:
        with Spool(directory) as spool:
            pieces = read_documents(inputs, reader, report, join_lines=join_lines)
            is_new = isinstance(vocabulary, VocabularySettings) and vocabulary.extends is None
            if is_new and settings.tokenizer in SPACE_BOUND:
                pieces = refuse_unsegmented(pieces, report)
            settings, pieces = with_punkt(settings, pieces)
            if isinstance(vocabulary, VocabularySettings):
                settings, pieces = with_subwords(settings, pieces, vocabulary)

            def spooled(name: str, pieces: Iterator[Piece], reported: int = 0) -> Part:
                with closing(encode_documents(pieces, settings, workers, progress)) as chunks:
                    part = spool.add(chunks)
                if not part.tokens:
                    raise _no_text(name, part, report.messages()[reported:])
                return part

            parts = [spooled(", ".join(map(source_name, inputs)), pieces)]
            assignments = [divide(spool, parts[0], split, between_tokens=not settings.sentences)]
            for label, file in ((VALID, split.valid_file), (TEST, split.test_file)):
                if file:
                    documents = read_documents([file], reader, report, join_lines=join_lines)
                    parts.append(spooled(file, documents, reported=len(report.messages())))
                    assignments.append(assign_all(spool, parts[-1], label))
            result = _second_pass(out, directory, spool, settings, vocabulary, assignments, parts)
        _write_metadata(directory, inputs, result, reader, split)
        check_destination(out, overwrite)  # which may have come meanwhile
        publish(directory, place)
    return result


def _second_pass(
    out: Path,
    directory: Path,
    spool: Spool,
    settings: TextSettings,
    vocabulary: Vocabulary | VocabularySettings,
    assignments: Sequence[Assignment],
    parts: Sequence[Part],
) -> BuildResult:
    """Write the vocabulary, its words chosen unless they are given, and the ids of all parts."""
    type_counts, sentences = _count_training(spool, assignments)
    chosen_words = 0
    if not isinstance(vocabulary, Vocabulary):
        vocabulary, chosen_words = choose_words(spool.types, type_counts, sentences, settings, vocabulary)
    vocabulary.save(directory / VOCABULARY_FILE)
    splits = write_splits(directory, spool.types, vocabulary, assignments)
    return BuildResult(
        path=out,
        vocabulary=vocabulary,
        documents=sum(part.documents for part in parts),
        empty_documents=sum(part.empty_documents for part in parts),
        unique_tokens=int(np.count_nonzero(type_counts[FORGOTTEN + 1 :])),
        splits=splits,
        forgot_types=spool.forgot_types,
        chosen_words=chosen_words,
    )


def _no_text(name: str, part: Part, messages: Sequence[str]) -> RnnlmError:
    """Say that there is no text in an input, and what there is."""
    found = [counted(part.empty_documents, "document{s} without a token")] if part.empty_documents else []
    found += [message.removesuffix(".") for message in messages]
    more = "; ..." if len(found) > MOST_REASONS else ""
    reasons = f" ({'; '.join(found[:MOST_REASONS])}{more})" if found else ""
    return RnnlmError(f"{name}: there is no text in it{reasons}; give an input that has some.")


def _count_training(spool: Spool, assignments: Iterable[Assignment]) -> tuple[NDArray[np.int64], int]:
    """Count, in the training part, each type and the sentences."""
    counts = np.zeros(len(spool.types) + 1, np.int64)
    sentences = 0
    for assignment in assignments:
        for labels, (segments, ids) in assignment():
            chosen = labels == TRAIN
            counts += np.bincount(ids[np.repeat(chosen, segments["tokens"])], minlength=len(counts))
            sentences += int(np.count_nonzero(segments["begins"][chosen] & BEGINS_SENTENCE))
    return counts, sentences


def _write_metadata(
    directory: Path, inputs: Sequence[str], result: BuildResult, reader: ReaderSettings, split: SplitSettings
) -> None:
    """Write ``dataset.yaml``: everything about the dataset but its words."""
    text = result.vocabulary.settings
    metadata = {
        "format_version": FORMAT_VERSION,
        "level": text.level,
        "inputs": list(inputs),
        "reader": reader.to_dict(),
        "text": {key: value for key, value in text.to_dict().items() if key not in LEARNED},
        "split": asdict(split),
        "documents": result.documents,
        "vocabulary_size": len(result.vocabulary),
        "unique_tokens": result.unique_tokens,
        "splits": {name: asdict(counts) for name, counts in result.splits.items()},
        "files": {
            file.name: {"bytes": file.stat().st_size, "sha256": sha256(file)}
            for file in sorted(directory.iterdir())
        },
    }
    with (directory / METADATA_FILE).open("w", encoding="utf-8") as stream:
        yaml.safe_dump(metadata, stream, sort_keys=False, allow_unicode=True)
