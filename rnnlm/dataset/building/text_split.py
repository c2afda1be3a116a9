"""A text as a part of a dataset, for as long as it is needed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset, Split
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.vocabulary import Vocabulary


@contextmanager
def text_split(
    path: str | Path,
    vocabulary: Vocabulary,
    reader: ReaderSettings | None = None,
    report: ReadReport | None = None,
) -> Iterator[Split]:
    """Process a text file of any format as a vocabulary's training text was, for as long as the context lasts.

    The ids are on disk, in a temporary dataset: memory does not grow with the text, and it is measured exactly as
    if it had been preprocessed. Parameters and errors are those of `build_dataset`.
    """
    with tempfile.TemporaryDirectory() as directory:
        out, everything = Path(directory, "dataset"), DivisionSettings(valid_fraction=0, test_fraction=1)
        build_dataset([str(path)], out, reader=reader, vocabulary=vocabulary, division=everything, report=report)
        yield Dataset.open(out).test
