"""A damaged file is refused by name, or means exactly what it meant before."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnlm.dataset.series import SeriesDataset
from rnnlm.dataset.store import SPLITS, Dataset
from rnnlm.errors import RnnlmError
from rnnlm.storage.checkpoint import load_checkpoint
from rnnlm.storage.run_directory import RunDirectory

Read = Callable[[Path], Any]


def read_checkpoint(path: Path) -> Any:
    checkpoint = load_checkpoint(path)
    tensors = {**checkpoint.tensors, **checkpoint.state_tensors}
    return (
        checkpoint.config,
        checkpoint.files,
        checkpoint.state,
        {name: (value.shape, str(value.dtype), value.tobytes()) for name, value in tensors.items()},
    )


def read_dataset(path: Path) -> Any:
    dataset = Dataset.open(path)
    keys = (
        "format_version",
        "level",
        "documents",
        "vocabulary_size",
        "unique_tokens",
        "splits",
        "source",
        "files",
    )
    parts = [dataset.split(name) for name in SPLITS]
    parts += [part.source for part in parts if part.source is not None]
    return (
        (dataset.vocabulary, dataset.source_vocabulary),
        {key: dataset.metadata.get(key) for key in keys},
        dataset.tags,
        [
            (
                *(None if array is None else array.tobytes() for array in (part.tags, part.spellings)),
                *(part.ids.tobytes(), part.offsets.tobytes(), part.words, part.characters, part.unknown_tokens),
            )
            for part in parts
        ],
    )


def read_series(path: Path) -> Any:
    dataset = SeriesDataset.open(path)
    keys = ("format_version", "kind", "series", "splits", "files")
    return dataset.series.info, dataset.series.values.tobytes(), {key: dataset.metadata[key] for key in keys}


def read_index(path: Path) -> Any:
    run = RunDirectory(path.parent)
    return run.checkpoints.find("best").name, run.checkpoints.find("last").name


def damaged(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Return a damaged version of a file; `other` is the file of that name in another run or dataset."""
    start = rng.randrange(len(content))
    stop = start + rng.choice([1, 1, 4, 64, 512])
    before, inside, after = content[:start], content[start:stop], content[stop:]
    flipped = bytes([inside[0] ^ 1 << rng.randrange(8)]) + inside[1:]
    digit = rng.choice([b"0", b"1", b"9"]) + inside[1:]
    versions = [before + changed + after for changed in (flipped, digit, b"", inside * 2, bytes(len(inside)))]
    versions += [before, before + other[start:], other, b"", rng.randbytes(len(content))]
    versions += [content + more for more in (b"\0", b"\n", b"documents: 7\n", rng.randbytes(9), content)]
    return rng.choice(versions)


def refusals(path: Path, others: Path, read: Read, number: int) -> list[bool]:
    """Damage each file of a directory `number` times; return whether it was refused."""
    rng = random.Random(0)
    whole = read(path)
    refused = []
    for file in sorted(file for file in path.iterdir() if file.is_file()):
        content, like = file.read_bytes(), others / file.name
        other = like.read_bytes() if like.exists() else content[::-1]
        for _ in range(number):
            file.write_bytes(damaged(rng, content, other))
            try:
                found, message = read(path), ""
            except RnnlmError as error:
                found, message = None, str(error)
            assert found == whole or file.name in message, (file.read_bytes(), message)
            assert "\n" not in message
            refused.append(bool(message))
        file.write_bytes(content)
    assert read(path) == whole
    return refused


KINDS = [
    "checkpoint",
    "dataset",
    "index",
    "classifier",
    "tagger",
    "tags",
    "translator",
    "pairs",
    "forecaster",
    "series",
]


@pytest.mark.parametrize("number", [20, pytest.param(700, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_refused_by_name(
    kind: str,
    number: int,
    word_run: Path,
    char_run: Path,
    label_run: Path,
    tag_run: Path,
    translator_run: Path,
    series_run: Path,
    series_dataset: Path,
    word_dataset: Path,
    tag_dataset: Path,
    pair_dataset: Path,
    char_dataset: Path,
    tmp_path: Path,
) -> None:
    datasets = {"dataset": word_dataset, "tags": tag_dataset, "pairs": pair_dataset, "series": series_dataset}
    readers = {"index": read_index, "series": read_series} | dict.fromkeys(
        ("dataset", "tags", "pairs"), read_dataset
    )
    read: Read = readers.get(kind, read_checkpoint)
    if kind in datasets:
        path, others = shutil.copytree(datasets[kind], tmp_path / "data"), char_dataset
    else:
        run, other = RunDirectory(tmp_path / "run"), RunDirectory(char_run)
        runs = {
            **{"classifier": label_run, "tagger": tag_run},
            **{"translator": translator_run, "forecaster": series_run},
        }
        shutil.copytree(runs.get(kind, word_run), run.path)
        path, others = run.checkpoints.directory, other.checkpoints.directory
        if kind != "index":
            path, others = run.checkpoints.find("best"), other.checkpoints.find("last")
    refused = refusals(path, others, read, number)
    # What is not refused is a line end too many, or the digit that stood there.
    assert sum(refused) > 0.8 * len(refused)
