"""A dataset on disk: token ids and sentence offsets, memory-mapped, checked before use."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from rnnlm.errors import RnnlmError, shown
from rnnlm.files import NOT_YAML, explaining, parse_yaml, read_text, sha256
from rnnlm.text.tags import SPELLINGS_FILE, TAGS_FILE, Tags, load_spellings
from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE, VOCABULARY_FILE, Vocabulary

FORMAT_VERSION = 1
METADATA_FILE = "dataset.yaml"
SPLITS = ("train", "valid", "test")
OFFSET_DTYPE = np.dtype("<u8")
SPLIT_NUMBERS = ("sentences", "tokens", "characters", "unknown_tokens")

SOURCES = tuple(f"{split}.source" for split in SPLITS)
"""What stands for the splits in the names of the files of sources, where texts are pairs."""

TAGS, SPELLINGS = "tags", "spellings"
"""What there is beside the ids where tokens have tags; spellings only where they are words."""

COUNTS: tuple[tuple[str, ...], ...] = (
    *(("splits", name, key) for name in SPLITS for key in SPLIT_NUMBERS),
    *(("documents",), ("vocabulary_size",), ("unique_tokens",)),
)
"""The keys of the numbers in the metadata; those of sources are under a key of their own, without documents."""

CHUNK = 1 << 20
"""How many ids or offsets are checked at a time."""


def ids_file(split: str) -> str:
    """Return the name of the file with a split's ids."""
    return f"{split}.bin"


def offsets_file(split: str) -> str:
    """Return the name of the file with the positions where a split's sentences begin."""
    return f"{split}.offsets.bin"


def column_file(split: str, column: str) -> str:
    """Return the name of the file with a number for each of a split's ids: its tag, or its spelling."""
    return f"{split}.{column}.bin"


def id_dtype(vocabulary_size: int) -> "np.dtype[Any]":
    """Return the smallest unsigned type, little-endian, that holds the ids of a vocabulary."""
    dtype: np.dtype[Any] = np.min_scalar_type(max(vocabulary_size - 1, 0)).newbyteorder("<")
    return dtype


@dataclass(frozen=True)
class Split:
    """One of the three parts of a dataset.

    Attributes
    ----------
    name
        ``train``, ``valid`` or ``test``.
    ids
        Ids of all sentences one after the other, each ``START w1 … wn END``; memory-mapped, read-only.
    offsets
        Where each sentence begins in `ids`; the last entry is the length of `ids`.
    characters
        Characters of the text, and one for the end of each sentence.
    unknown_tokens
        Predicted tokens that are the unknown token.
    tags
        The tag of each token of `ids`: k + 1 for tag k of the dataset, 0 for none (START, END, and a tag that the
        training part does not have); memory-mapped. None where tokens have no tags.
    spellings
        How each token of `ids` is written: its place in `words`; 0 for START and END. None where tokens have no
        tags, or are characters.
    words
        The distinct words of all parts as they are written.
    source
        Where texts are pairs, their sources: sentence k of it belongs to sentence k of this part. None where they
        are not.
    """

    name: str
    ids: NDArray[Any]
    offsets: NDArray[np.uint64]
    characters: int
    unknown_tokens: int
    tags: NDArray[Any] | None = None
    spellings: NDArray[Any] | None = None
    words: list[str] | None = None
    source: "Split | None" = None

    @property
    def num_sentences(self) -> int:
        """How many sentences there are."""
        return len(self.offsets) - 1

    @property
    def num_tokens(self) -> int:
        """How many tokens are predicted: the words and the end of each sentence, never its start."""
        return len(self.ids) - self.num_sentences

    def refuse_empty(self) -> None:
        """Raise `RnnlmError` if there is nothing to be measured on."""
        if self.num_tokens == 0:
            raise RnnlmError(f"The {self.name} split of the dataset is empty; choose another with `split`.")

    def sentence(self, index: int) -> NDArray[Any]:
        """Return the ids of a sentence, START and END included; raises IndexError outside 0 … n - 1."""
        if not 0 <= index < self.num_sentences:
            raise IndexError(f"sentence {index} of {self.num_sentences}")
        return self.ids[int(self.offsets[index]) : int(self.offsets[index + 1])]


@dataclass(frozen=True)
class Dataset:
    """An opened dataset.

    Attributes
    ----------
    path
        Its directory.
    vocabulary
        Its tokens and text settings.
    metadata
        What ``dataset.yaml`` holds.
    train, valid, test
        Its parts; a part may be empty.
    tags
        The tags of its tokens; None where they have none.
    source_vocabulary
        Where texts are pairs, the tokens and text settings of their sources, while `vocabulary` has those of the
        targets. None where they are not.
    """

    path: Path
    vocabulary: Vocabulary
    metadata: dict[str, Any]
    train: Split
    valid: Split
    test: Split
    tags: Tags | None = None
    source_vocabulary: Vocabulary | None = None

    @classmethod
    def open(cls, path: Path | str) -> "Dataset":
        """Open a dataset directory and check all of it: format, sizes, checksums, offsets and ids.

        Parameters
        ----------
        path
            What ``rnnlm preprocess --out`` wrote.

        Raises
        ------
        RnnlmError
            If it is not a dataset, or any of its files is damaged.
        """
        path = Path(path)
        metadata = read_metadata(path)
        check_files(path, metadata["files"], file_names(metadata["files"]))
        vocabulary = Vocabulary.load(path / VOCABULARY_FILE)
        tags = Tags.load(path / TAGS_FILE) if TAGS_FILE in metadata["files"] else None
        words = load_spellings(path / SPELLINGS_FILE) if SPELLINGS_FILE in metadata["files"] else None
        sizes = {}
        if tags is not None:
            sizes[TAGS] = len(tags) + 1
        if words is not None:
            sizes[SPELLINGS] = len(words)
        train, valid, test = (
            replace(_open_split(path, name, metadata["splits"][name], len(vocabulary), sizes), words=words)
            for name in SPLITS
        )
        if SOURCE_VOCABULARY_FILE not in metadata["files"]:
            return cls(path, vocabulary, metadata, train, valid, test, tags)
        source_vocabulary = Vocabulary.load(path / SOURCE_VOCABULARY_FILE)
        train, valid, test = (
            _with_source(path, part, metadata["source"]["splits"][part.name], len(source_vocabulary))
            for part in (train, valid, test)
        )
        return cls(path, vocabulary, metadata, train, valid, test, source_vocabulary=source_vocabulary)

    def split(self, name: str) -> Split:
        """Return the part called ``train``, ``valid`` or ``test``; refuse another name."""
        if name not in SPLITS:
            raise RnnlmError(f"{name!r} is not a part of a dataset; choose train, valid or test.")
        part: Split = getattr(self, name)
        return part


def write_metadata(path: Path, metadata: Mapping[str, Any]) -> None:
    """Write ``dataset.yaml``, closed with a line that holds the checksum of all lines before it."""
    content = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True).encode()
    (path / METADATA_FILE).write_bytes(content + _seal(content))


def _seal(content: bytes) -> bytes:
    return f"sha256: {hashlib.sha256(content).hexdigest()}\n".encode()


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Read and check ``dataset.yaml`` alone, whatever has become of the files that it describes.

    Raises
    ------
    RnnlmError
        If there is no dataset, or the file is damaged.
    """
    path = Path(path)
    return read_described(path, partial(_check_text, path))


def _check_text(path: Path, metadata: Mapping[str, Any]) -> None:
    """Refuse the description of a dataset that is not one of text, or not whole."""
    if metadata.get("kind") == "series":
        raise RnnlmError(
            f"{path / METADATA_FILE}: a dataset of a series, not of text; name one of text, or set "
            "task.name=forecast."
        )
    files = metadata.get("files")
    has_sources = isinstance(files, Mapping) and SOURCE_VOCABULARY_FILE in files
    of_sources = [("source", *keys) for keys in COUNTS if keys != ("documents",)] if has_sources else []
    for keys in (
        *(
            ("files", name, key)
            for name in file_names(files if isinstance(files, Mapping) else ())
            for key in ("bytes", "sha256")
        ),
        *COUNTS,
        *of_sources,
    ):
        if not _is_valid(metadata, keys):
            raise damaged(path / METADATA_FILE, f"has no valid {'.'.join(keys)}")


def read_described(path: Path, check: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Read ``dataset.yaml`` of whatever kind of dataset, and check it.

    `check` refuses what is not whole, before the checksum does: it can say more.

    Raises
    ------
    RnnlmError
        If there is no dataset, or the file is damaged.
    """
    metadata, text = read_unchecked(path)
    check(metadata)
    # Datasets of early versions have no such line.
    if "sha256" in metadata:
        content = text[: text.rfind("sha256: ")].encode()
        if text.encode() != content + _seal(content):
            raise damaged(path / METADATA_FILE, "does not have the checksum that its last line names")
    return metadata


def read_unchecked(path: Path) -> tuple[dict[str, Any], str]:
    """Read ``dataset.yaml`` if it is one of this version, and return what it says, and its text."""
    file = path / METADATA_FILE
    try:
        with explaining(file, "cannot be read"):
            if not path.exists():
                raise RnnlmError(
                    f"{path}: no such directory; name a dataset, or make one with 'rnnlm preprocess'."
                )
            if not file.is_file():
                raise RnnlmError(
                    f"{path}: this is not a dataset (it has no {METADATA_FILE}); make one with 'rnnlm preprocess'."
                )
            text = read_text(file)
        metadata = parse_yaml(text)
    except NOT_YAML as error:
        raise damaged(file, "is not YAML") from error
    if not isinstance(metadata, dict) or "format_version" not in metadata:
        raise damaged(file, "has no format_version")
    if metadata["format_version"] != FORMAT_VERSION:
        raise RnnlmError(
            f"{file}: format version {shown(metadata['format_version'])} is not {FORMAT_VERSION}, the one that"
            " this version of rnnlm reads; build the dataset again."
        )
    return metadata, text


def file_names(files: Collection[str] = (TAGS_FILE, SPELLINGS_FILE, SOURCE_VOCABULARY_FILE)) -> list[str]:
    """List the files of a dataset beside its metadata.

    Those of tags, spellings and sources are among them if `files` has the list or vocabulary of these.
    """
    names = [VOCABULARY_FILE, *(name(split) for split in SPLITS for name in (ids_file, offsets_file))]
    if SOURCE_VOCABULARY_FILE in files:
        names += [
            SOURCE_VOCABULARY_FILE,
            *(name(source) for source in SOURCES for name in (ids_file, offsets_file)),
        ]
    for file, column in ((TAGS_FILE, TAGS), (SPELLINGS_FILE, SPELLINGS)):
        if file in files:
            names += [file, *(column_file(split, column) for split in SPLITS)]
    return names


def _is_valid(value: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if keys[-1] == "sha256":
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_files(path: Path, files: Mapping[str, Any], names: Collection[str]) -> None:
    """Compare the files of a dataset with their fingerprints; refuse one that is missing or damaged."""
    for name in names:
        file, expected = path / name, files[name]
        with explaining(file, "cannot be read"):
            if not file.is_file():
                raise damaged(file, "is missing")
            size = file.stat().st_size
            if size != expected["bytes"]:
                raise damaged(
                    file, f"has {size:,} bytes, not the {expected['bytes']:,} that {METADATA_FILE} names"
                )
            if sha256(file) != expected["sha256"]:
                raise damaged(file, f"does not have the checksum that {METADATA_FILE} names")


def _open_split(
    path: Path, name: str, numbers: Mapping[str, int], vocabulary_size: int, sizes: Mapping[str, int]
) -> Split:
    """Open a part, or its sources; `sizes` says how many numbers there are in each column beside the ids."""
    ids = _map(path / ids_file(name), id_dtype(vocabulary_size))
    offsets = _map(path / offsets_file(name), OFFSET_DTYPE)
    _check_offsets(path / offsets_file(name), offsets, len(ids))
    _check_largest(path / ids_file(name), ids, vocabulary_size, "ids that are not in the vocabulary")
    columns: dict[str, Any] = {
        column: _open_column(path, name, column, size, len(ids)) for column, size in sizes.items()
    }
    split = Split(name, ids, offsets, numbers["characters"], numbers["unknown_tokens"], **columns)
    if (split.num_sentences, split.num_tokens) != (numbers["sentences"], numbers["tokens"]):
        raise damaged(path / METADATA_FILE, f"does not count the {name} sentences and tokens that there are")
    return split


def _with_source(path: Path, part: Split, numbers: Mapping[str, int], vocabulary_size: int) -> Split:
    """Open the sources of a part."""
    name = SOURCES[SPLITS.index(part.name)]
    source = _open_split(path, name, numbers, vocabulary_size, {})
    if source.num_sentences != part.num_sentences:
        raise damaged(path / offsets_file(name), "does not have as many sentences as the targets")
    return replace(part, source=source)


def _open_column(path: Path, name: str, column: str, size: int, length: int) -> NDArray[Any]:
    """Open the tags or spellings of a part that has so many ids."""
    file = path / column_file(name, column)
    numbers = _map(file, id_dtype(size))
    if len(numbers) != length:
        raise damaged(file, f"has {len(numbers):,} entries, not one for each of the {length:,} ids")
    _check_largest(file, numbers, size, f"numbers of {column} that there are not")
    return numbers


def _check_largest(file: Path, ids: NDArray[Any], size: int, what: str) -> None:
    for start in range(0, len(ids), CHUNK):
        if ids[start : start + CHUNK].max() >= size:
            raise damaged(file, f"holds {what}")


def _map(file: Path, dtype: "np.dtype[Any]") -> NDArray[Any]:
    with explaining(file, "cannot be read"):
        if file.stat().st_size % dtype.itemsize:
            raise damaged(file, f"is not a whole number of {dtype.itemsize}-byte entries")
        if file.stat().st_size == 0:  # which cannot be mapped
            return np.frombuffer(b"", dtype)
        return np.memmap(file, dtype, mode="r")


def _check_offsets(file: Path, offsets: NDArray[np.uint64], length: int) -> None:
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != length:
        raise damaged(file, "does not span the ids")
    for start in range(0, len(offsets) - 1, CHUNK):
        part = offsets[start : start + CHUNK + 1]
        # The shortest sentence is START w END.
        if np.any(part[1:] < part[:-1] + np.uint64(3)):
            raise damaged(file, "does not name sentences in order")


def damaged(file: Path, what: str) -> RnnlmError:
    """Return the error that names a damaged file of a dataset."""
    return RnnlmError(f"{file}: this file {what}, so the dataset is damaged; build it again.")
