"""The JSON files in which a vocabulary, tags and spellings are stored."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnnlm.errors import RnnlmError, shown
from rnnlm.files import explaining

FORMAT_VERSION = 1


def as_json(data: Mapping[str, Any]) -> bytes:
    """Return what a file with some plain data holds."""
    return f"{json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n".encode()


def read_bytes(file: Path, largest: int) -> bytes:
    """Return what a file holds, and of one that is too long a byte more than `largest`.

    Raises
    ------
    RnnlmError
        If it cannot be read.
    """
    with explaining(file, "cannot be read"), file.open("rb") as stream:
        return stream.read(largest + 1)


def parse_json(content: bytes, called: str, source: str, largest: int) -> object:
    """Return the plain data in a file.

    Parameters
    ----------
    content
        What `read_bytes` gave.
    called, source
        What the file should hold, such as "a vocabulary", and its name, for messages.
    largest
        Its bytes, at most.

    Raises
    ------
    RnnlmError
        If it is not JSON, or too long.
    """
    try:
        if len(content) > largest:
            raise ValueError(f"longer than {largest >> 20} MiB")
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RnnlmError(
            f"{source}: this is not {called} ({error}), so the file is damaged; build the dataset again."
        ) from error


def check_keys(data: object, keys: Iterable[str], called: str, source: str) -> Mapping[str, Any]:
    """Return plain data if it is of the format version that is read here, and has all keys; see `parse_json`.

    Raises
    ------
    RnnlmError
        If it does not.
    """
    if not isinstance(data, Mapping):
        raise RnnlmError(f"{source}: this is not {called}; build the dataset again.")
    for key in ("format_version", *keys):
        if key not in data:
            raise RnnlmError(f"{source}: the key {key!r} is missing; build the dataset again.")
    if data["format_version"] != FORMAT_VERSION:
        raise RnnlmError(
            f"{source}: format version {shown(data['format_version'])} is not {FORMAT_VERSION}, the one that this"
            " version of rnnlm reads; build the dataset again."
        )
    return data


def check_counts(counts: object, number: int, each: str, source: str) -> None:
    """Refuse counts that are not a list of so many whole numbers, one for `each` thing."""
    are_counts = isinstance(counts, list) and all(type(count) is int and count >= 0 for count in counts)
    if not are_counts or len(counts) != number:  # type: ignore[arg-type]
        raise RnnlmError(f"{source}: 'counts' must hold one whole number, 0 or more, for each {each}.")
