"""Building a dataset: text to tokens, vocabulary and ids on disk, in two passes and bounded memory."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.dataset.building.counting import count_parts
from rnnlm.dataset.building.crew import Crew
from rnnlm.dataset.building.division import TRAIN, DivisionSettings
from rnnlm.dataset.building.first_pass import FirstPass
from rnnlm.dataset.building.learning import (
    VocabularySettings,
    choose_words,
    settings_of,
    unseen_labels,
)
from rnnlm.dataset.building.publish import new_dataset
from rnnlm.dataset.building.side import Side
from rnnlm.dataset.building.spool import FORGOTTEN, Spool, new_spools
from rnnlm.dataset.building.tagging import TaggedTypes
from rnnlm.dataset.building.write_splits import SplitCounts, write_splits
from rnnlm.dataset.store import (
    FORMAT_VERSION,
    SOURCES,
    SPLIT_NUMBERS,
    write_metadata,
)
from rnnlm.files import fingerprint
from rnnlm.text.processor import PAIRS, TextSettings
from rnnlm.text.readers import Inputs, ReaderSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.tags import Tags
from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE, Vocabulary

LEARNED = ("punkt", "subwords")
"""Text settings that are found in the corpus; the vocabulary alone holds them."""


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
    unseen_labels
        By the name of a part, how many of its sentences have labels that the vocabulary lacks, and these labels.
    tags
        The tags of the tokens; None where they have none.
    source
        Where texts are pairs, the same of their sources; all else is of the targets. None where they are not.
    """

    path: Path
    vocabulary: Vocabulary
    documents: int
    empty_documents: int
    unique_tokens: int
    splits: dict[str, SplitCounts]
    forgot_types: bool
    chosen_words: int
    unseen_labels: dict[str, tuple[int, list[str]]]
    tags: Tags | None = None
    source: "BuildResult | None" = None

    @property
    def total(self) -> SplitCounts:
        """The numbers of all parts together."""
        return SplitCounts(
            *(sum(getattr(counts, name) for counts in self.splits.values()) for name in SPLIT_NUMBERS)
        )

    @property
    def least_frequent(self) -> tuple[str, int] | None:
        """The rarest of the words chosen from the training text, and its count there; None if there is none."""
        last = self.vocabulary.first_label_id - 1
        return (self.vocabulary.tokens[last], self.vocabulary.counts[last]) if self.chosen_words else None

    @property
    def labels(self) -> dict[str, int]:
        """The sentences of the training text by their label, the most frequent first."""
        return self.vocabulary.label_counts

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
            **({"labels": self.labels} if self.vocabulary.labels else {}),
            **({"tags": len(self.tags)} if self.tags is not None else {}),
            **({"source": self.source.to_dict()} if self.source is not None else {}),
            "splits": {
                name: {**counts.to_dict(), "unknown_rate": counts.unknown_rate}
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
    source_vocabulary: Vocabulary | VocabularySettings | None = None,
    tags: Tags | None = None,
    division: DivisionSettings | None = None,
    crew: Crew | None = None,
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
    reader, text
        How the inputs are read, and how text becomes tokens: by default as suits words in the inputs' formats
        (`TextSettings.choose`). Punkt's parameters, where sentences lack them, are NLTK's installed ones, else
        learned from the corpus.
    vocabulary, source_vocabulary
        An existing vocabulary, whose text settings hold, or which words a new one keeps. The second is that of the
        sources of pairs, by default like that of the targets.
    tags
        Tags that a model knows, for text whose tokens have some; None for those of the training part.
    division
        How the corpus is divided; 90, 5 and 5 % by default.
    crew
        The processes that share the work; None for this one alone. The dataset is the same for any number.
    overwrite
        Whether a dataset that is already there is replaced.
    report
        Gathers what had to be repaired or skipped in the inputs.
    progress
        Called now and then with the number of characters processed since the last call.

    Raises
    ------
    RnnlmError
        If an input cannot be read or has no text, `out` may not be replaced, or the disk is full.
    """
    out, report, reader, crew = Path(out), report or ReadReport(), reader or ReaderSettings(), crew or Crew()
    vocabulary, division = _checked(vocabulary or VocabularySettings(), division or DivisionSettings())
    inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs, reader, report)
    reader, text = _fitting(reader, settings_of(vocabulary) or text or _suiting_text(inputs, reader))
    with new_dataset(out, overwrite) as directory, crew.at_work_in(directory):
        with new_spools(directory, 2 if reader.has_pairs else 1) as spools:
            sides = _sides(spools, text, vocabulary, source_vocabulary)
            sides = FirstPass(reader, report, crew, progress).run(inputs, sides, division)
            result = _second_pass(sides, reader, crew, tags, directory, out)
        write_metadata(directory, _metadata(directory, inputs, result, reader, division))
    return result


def _sides(
    spools: Sequence[Spool],
    text: TextSettings,
    vocabulary: Vocabulary | VocabularySettings,
    source_vocabulary: Vocabulary | VocabularySettings | None,
) -> list[Side]:
    """Return the sides of a corpus that has as many spools: the only one, or the targets and the sources."""
    sides = [Side(spools[0], text, vocabulary)]
    if len(spools) > 1:
        if isinstance(vocabulary, VocabularySettings):
            new = replace(vocabulary, extends=None)
        else:
            new = VocabularySettings()
        vocabulary = source_vocabulary or new
        text = settings_of(vocabulary) or replace(text, subwords=None)  # which are learned for each side
        text.check_format(PAIRS)
        sides.append(Side(spools[1], text, vocabulary, vocabulary_file=SOURCE_VOCABULARY_FILE, names=SOURCES))
    return sides


def _suiting_text(inputs: Inputs, reader: ReaderSettings) -> TextSettings:
    return TextSettings.choose(formats=inputs.formats, labelled=reader.label_column is not None)


def _checked(
    vocabulary: Vocabulary | VocabularySettings, division: DivisionSettings
) -> tuple[Vocabulary | VocabularySettings, DivisionSettings]:
    division.shares()
    if isinstance(vocabulary, VocabularySettings):
        vocabulary.check()
    return vocabulary, division


def _fitting(reader: ReaderSettings, text: TextSettings) -> tuple[ReaderSettings, TextSettings]:
    """Return how documents are read where tokens are made like this; refuse what documents cannot have."""
    text.check_format(reader.format)
    if reader.has_tags or reader.has_pairs:
        return reader, text
    return replace(reader, documents=reader.documents or text.default_documents), text


def _second_pass(
    sides: Sequence[Side], reader: ReaderSettings, crew: Crew, tags: Tags | None, directory: Path, out: Path
) -> BuildResult:
    """Write the vocabulary, its words chosen unless they are given, and the ids of all parts; tags likewise.

    The first side is the result, and that of the sources is in it.
    """
    side, *sources = sides
    spool, text, assignments, vocabulary = side.spool, side.text, side.parts, side.vocabulary
    counted = count_parts(spool, assignments, crew)
    type_counts, sentences = counted.types, counted.sentences[TRAIN]
    types, chosen_words = spool.types, 0
    tagged = TaggedTypes.of(spool, type_counts, text, tags) if reader.has_tags else None
    if tagged is not None:
        types, type_counts = tagged.words, tagged.word_counts(type_counts)
    if isinstance(vocabulary, VocabularySettings):
        vocabulary, chosen_words = choose_words(types, type_counts, int(sentences.sum()), text, vocabulary)
    if not vocabulary.labels:
        counts = dict(zip(spool.labels, sentences[1:].tolist(), strict=True))
        vocabulary = vocabulary.with_labels({label: count for label, count in counts.items() if count})
    vocabulary.save(directory / side.vocabulary_file)
    splits = write_splits(directory, spool, vocabulary, assignments, counted, crew, tagged, side.names)
    if tagged is not None:
        tagged.save(directory)
    return BuildResult(
        path=out,
        vocabulary=vocabulary,
        documents=sum(spooled.documents for spooled in spool.inputs),
        empty_documents=sum(spooled.empty_documents for spooled in spool.inputs),
        unique_tokens=int(np.count_nonzero(type_counts[FORGOTTEN + 1 :])),
        splits=splits,
        forgot_types=spool.forgot_types,
        chosen_words=chosen_words,
        unseen_labels=unseen_labels(spool, counted.sentences, vocabulary),
        tags=tagged.tags if tagged is not None else None,
        source=_second_pass(sources, reader, crew, tags, directory, out) if sources else None,
    )


def _metadata(
    directory: Path, inputs: Sequence[str], result: BuildResult, reader: ReaderSettings, division: DivisionSettings
) -> dict[str, Any]:
    """Return everything about the dataset but its words."""
    text = result.vocabulary.settings
    return {
        "format_version": FORMAT_VERSION,
        "level": text.level,
        "inputs": list(inputs),
        "reader": reader.to_dict(),
        "text": {key: value for key, value in text.to_dict().items() if key not in LEARNED},
        "split": asdict(division),
        "documents": result.documents,
        **_numbers(result),
        **({"source": _numbers(result.source)} if result.source is not None else {}),
        "files": {file.name: fingerprint(file) for file in sorted(directory.iterdir())},
    }


def _numbers(result: BuildResult) -> dict[str, Any]:
    return {
        "vocabulary_size": len(result.vocabulary),
        "unique_tokens": result.unique_tokens,
        "splits": {name: counts.to_dict() for name, counts in result.splits.items()},
    }
