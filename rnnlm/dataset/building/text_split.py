"""A text as a part of a dataset, for as long as it is needed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.tags import Tags
from rnnlm.text.vocabulary import Vocabulary


@contextmanager
def text_split(
    path: str | Path,
    vocabulary: Vocabulary,
    reader: ReaderSettings | None = None,
    report: ReadReport | None = None,
    tags: Tags | None = None,
    source_vocabulary: Vocabulary | None = None,
) -> Iterator[Split]:
    """Process a text file of any format as a vocabulary's training text was, for as long as the context lasts.

    The ids are on disk, in a temporary dataset: memory does not grow with the text, and it is measured exactly as
    if it had been preprocessed. Parameters and errors are those of `build_dataset`; a vocabulary that has labels
    needs those of the text, tags need a text whose tokens have some, and a vocabulary of sources needs pairs.
    """
    column = None if reader is None else reader.label_column
    if vocabulary.labels and column is None:
        raise RnnlmError(f"{path}: the model's texts have labels; name the column with these as `label_column`.")
    if column is not None and not vocabulary.labels:
        raise RnnlmError(f"`label_column={column}`: the model has no labels; leave it out.")
    if tags is not None and (reader is None or not reader.has_tags):
        form = "segmented" if tags.segmented else "tagged"
        raise RnnlmError(f"{path}: the model's tokens have tags; give a text that has, with `format={form}`.")
    if source_vocabulary is not None and (reader is None or not reader.has_pairs):
        raise RnnlmError(f"{path}: the model translates; give a text of pairs, with `format=pairs`.")
    with tempfile.TemporaryDirectory() as directory:
        out, everything = Path(directory, "dataset"), DivisionSettings(valid_fraction=0, test_fraction=1)
        build_dataset(
            [str(path)] if reader is None else reader.names(str(path)),
            out,
            reader=reader,
            vocabulary=vocabulary,
            source_vocabulary=source_vocabulary or vocabulary,  # for sources that the model does not read, any
            tags=tags,
            division=everything,
            report=report,
        )
        yield Dataset.open(out).test
