"""The tags of a dataset and their ids, and the words as they are written."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rnnlm.errors import RnnlmError
from rnnlm.files import write_atomically
from rnnlm.text.stored import FORMAT_VERSION, as_json, check_counts, check_keys, parse_json, read_bytes
from rnnlm.text.tagged import BEGIN, END, MIDDLE, SINGLE
from rnnlm.text.tokenizers import are_strings

TAGS_FILE = "tags.json"
SPELLINGS_FILE = "spellings.json"
CALLED = "a list of tags"
"""What messages call the content of a file of tags."""
LARGEST_FILE = 64 << 20
"""Bytes of the longest file of tags."""
LARGEST_SPELLINGS = 256 << 20
"""Bytes, enough for all types that building keeps."""


class Tags:
    """The tags of the training part, the most frequent first; tag k has the id k + 1, and 0 is no known tag.

    Parameters
    ----------
    names
        The tags in the order of their ids.
    counts
        How often each stands in the training part.
    segmented
        Whether they are those of characters: B, M, E and S for the beginning, middle and end of a word, and for a
        word of a single one.
    """

    def __init__(self, names: Sequence[str], counts: Sequence[int], segmented: bool = False) -> None:
        if len(set(names)) != len(names) or len(counts) != len(names):
            raise ValueError("tags need distinct names and a count for each")
        self.names = list(names)
        self.counts = list(counts)
        self.segmented = segmented
        self._ids = {name: index for index, name in enumerate(self.names, start=1)}

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tags) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def encode(self, names: Iterable[str]) -> list[int]:
        """Return the ids of tags, from 1; 0 for one that is not known."""
        return [self._ids.get(name, 0) for name in names]

    def to_dict(self) -> dict[str, Any]:
        """Return the tags as plain data for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "tags": self.names,
            "counts": self.counts,
            "segmented": self.segmented,
        }

    @classmethod
    def from_dict(cls, data: object, source: str = TAGS_FILE) -> "Tags":
        """Return the tags that plain data from the file `source` describes; check all of it.

        Raises
        ------
        RnnlmError
            If the data is not that of tags.
        """
        data = check_keys(data, ("tags", "counts", "segmented"), CALLED, source)
        names, counts, segmented = data["tags"], data["counts"], data["segmented"]
        if not are_strings(names) or "" in names or len(set(names)) != len(names):
            raise RnnlmError(f"{source}: 'tags' must be a list of different strings of valid Unicode, none empty.")
        check_counts(counts, len(names), "tag", source)
        if not isinstance(segmented, bool) or (segmented and not {BEGIN, MIDDLE, END, SINGLE}.issuperset(names)):
            raise RnnlmError(
                f"{source}: 'segmented' must be true or false, and true only if all tags are B, M, E, S."
            )
        return cls(names, counts, segmented)

    def save(self, path: Path | str) -> None:
        """Write the tags to a JSON file, in one go; raises what `content` does."""
        write_atomically(Path(path), self.content(path))

    def content(self, path: Path | str) -> bytes:
        """Return what a file of tags holds; `path` is where it goes, for messages.

        Raises
        ------
        RnnlmError
            If it is longer than what `load` reads.
        """
        content = as_json(self.to_dict())
        if len(content) > LARGEST_FILE:
            raise RnnlmError(
                f"{path}: the tags take more than {LARGEST_FILE >> 20} MiB; choose the column that holds tags with"
                " `tag_column`."
            )
        return content

    @classmethod
    def load(cls, path: Path | str) -> "Tags":
        """Read a ``tags.json``, or that in a directory such as a dataset or a checkpoint.

        Raises
        ------
        RnnlmError
            If there is none, or it is damaged.
        """
        file = Path(path)
        file = file / TAGS_FILE if file.is_dir() else file
        return cls.from_bytes(read_bytes(file, LARGEST_FILE), str(file))

    @classmethod
    def from_bytes(cls, content: bytes, source: str) -> "Tags":
        """Read tags from what the file `source` holds; raises what `from_dict` does."""
        return cls.from_dict(parse_json(content, CALLED, source, LARGEST_FILE), source)


def save_spellings(path: Path, spellings: Sequence[str]) -> None:
    """Write words as they are written to a JSON file, in the order of their ids, in one go."""
    write_atomically(path, as_json({"format_version": FORMAT_VERSION, "spellings": list(spellings)}))


def load_spellings(path: Path) -> list[str]:
    """Read what `save_spellings` wrote.

    Raises
    ------
    RnnlmError
        If the file is not there, or is damaged.
    """
    called, source = "a list of spellings", str(path)
    data = parse_json(read_bytes(path, LARGEST_SPELLINGS), called, source, LARGEST_SPELLINGS)
    spellings = check_keys(data, ("spellings",), called, source)["spellings"]
    if not are_strings(spellings) or "" in spellings:
        raise RnnlmError(f"{path}: 'spellings' must be a list of strings of valid Unicode, none empty.")
    return spellings
