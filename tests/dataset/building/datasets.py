"""What the tests of building share."""

from pathlib import Path

from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.text.processor import TextSettings
from rnnlm.text.tokenizers import CHARACTERS

WORDS = TextSettings("whitespace", lowercase=False)
LETTERS = TextSettings(CHARACTERS, lowercase=False)
ALL_TRAIN = DivisionSettings(valid_fraction=0, test_fraction=0)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def sentences(dataset: Dataset, split: str) -> list[list[str]]:
    """Return the sentences of a split as tokens, without START and END, which are checked."""
    part = dataset.split(split)
    decoded = [dataset.vocabulary.decode(part.sentence(k)) for k in range(part.num_sentences)]
    for sentence in decoded:
        assert sentence[0] == dataset.vocabulary.start_token
        assert sentence[-1] == dataset.vocabulary.end_token
    return [sentence[1:-1] for sentence in decoded]


def files_of(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(path.iterdir())}
