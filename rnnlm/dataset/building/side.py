"""What a corpus has one of, and a corpus of pairs two: of the targets, and of the sources."""

from collections.abc import Sequence
from dataclasses import dataclass

from rnnlm.dataset.building.division import Assignment
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.building.spool import Spool
from rnnlm.dataset.store import SPLITS
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import VOCABULARY_FILE, Vocabulary


@dataclass(frozen=True)
class Side:
    """One side of a corpus on its way into a dataset.

    Attributes
    ----------
    spool
        Where its tokens are between the two passes.
    text
        How its text becomes tokens; what the settings lack is learned in the first pass.
    vocabulary
        An existing one, or which words a new one keeps.
    parts
        The parts of its inputs, found in the first pass.
    vocabulary_file
        The name of the file with its vocabulary.
    names
        What stands for the splits in the names of its other files.
    """

    spool: Spool
    text: TextSettings
    vocabulary: Vocabulary | VocabularySettings
    parts: tuple[Assignment, ...] = ()
    vocabulary_file: str = VOCABULARY_FILE
    names: Sequence[str] = SPLITS
