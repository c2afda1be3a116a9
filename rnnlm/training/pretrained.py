"""Word vectors from GloVe and word2vec text files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import open_lines
from rnnlm.nn.arrays import Floats
from rnnlm.text.report import counted
from rnnlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class LoadedVectors:
    """What `load_vectors` found: words found, words missing, the most frequent first, and lines without a vector.

    Whether a line's numbers are numbers is looked at only for words of the vocabulary.
    """

    found: int
    missing: list[str]
    bad_lines: int

    def __str__(self) -> str:
        examples = f", such as {', '.join(self.missing[:5])}" if self.missing else ""
        bad = f"; {counted(self.bad_lines, 'line{s} without a vector')} skipped" if self.bad_lines else ""
        return f"{counted(self.found, 'vector{s}')} found, {len(self.missing):,} drawn at random{examples}{bad}"


def load_vectors(path: str | Path, vocabulary: Vocabulary, table: Floats, seed: int = 0) -> LoadedVectors:
    """Put the vectors of a text file into an embedding table.

    A line holds a word and its numbers, separated by spaces; a first line with the two counts of word2vec is
    passed over. Words that the file lacks are drawn from a normal distribution with the mean and spread of those
    it has.

    Parameters
    ----------
    path
        The file, gzip-compressed if its name ends in ``.gz``.
    vocabulary
        Whose words are looked for.
    table : (V, E)
        The vectors of its first V tokens, changed in place.
    seed
        Seed of the words drawn.

    Raises
    ------
    RnnlmError
        If the file cannot be read, its vectors have another size than the table's, or it has none of the words.
    """
    ids = {token: index for index, token in enumerate(vocabulary.tokens[: len(table)])}
    size = table.shape[1]
    found: set[int] = set()
    bad_lines = 0
    sizes = Counter[int]()
    no_vectors: set[int] = set()  # sizes whose first line has no numbers
    for fields in _lines(Path(path)):
        length = len(fields) - 1
        if length not in sizes and _numbers(fields[1:]) is None:
            no_vectors.add(length)
        sizes[length] += 1
        # A few of GloVe's words have spaces in them: the vector is what stands last.
        word, numbers = " ".join(fields[:-size]), fields[-size:]
        index = ids.get(word)
        if not word:
            bad_lines += 1
        elif index is not None and index not in found:
            vector = _numbers(numbers)
            if vector is None:
                bad_lines += 1
            else:
                table[index] = vector
                found.add(index)
    usual = max(sizes, key=lambda length: sizes[length], default=0)
    if usual != size or not found:
        raise _misfit(path, size, usual, has_vectors=usual >= min(size, 2) and usual not in no_vectors)
    missing = [index for index in range(len(table)) if index not in found]
    known = table[sorted(found)]
    rng = np.random.default_rng(seed)
    table[missing] = rng.normal(known.mean(), known.std(), (len(missing), size))
    return LoadedVectors(len(found), [vocabulary.tokens[index] for index in missing], bad_lines)


def _misfit(path: str | Path, size: int, usual: int, has_vectors: bool) -> RnnlmError:
    """Say why a file does not fit whose lines usually have as many numbers as `usual`."""
    if not has_vectors:
        advice = "give a file whose lines hold a word and its numbers, with spaces between"
        return RnnlmError(f"{path}: it has no vectors; {advice}.")
    if usual != size:
        return RnnlmError(f"{path}: its vectors have {usual} numbers; set model.embedding_size={usual}.")
    return RnnlmError(f"{path}: it has a vector for none of the vocabulary's words; use another file.")


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each line that is not empty, without the two counts with which word2vec begins."""
    with open_lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.decode(errors="replace").rstrip().split(" ")
            if fields != [""] and (number > 1 or len(fields) != 2):
                yield fields


def _numbers(fields: list[str]) -> Floats | None:
    """Return the fields as finite numbers; None where one is not."""
    try:
        vector = np.array(fields, np.float64)
    except ValueError:
        return None
    return vector if np.all(np.isfinite(vector)) else None
