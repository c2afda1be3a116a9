"""Compare two versions of rnnlm byte by byte: what they write and print, and what they make of each other's runs.

Usage: python scripts/compare_versions.py OLD_PYTHON NEW_PYTHON

Each is the Python of an environment with that version in it. Compared are the datasets and runs that
scripts/make_old_artifacts.py makes, runs that begin with the weights of others, and some steps of the networks of
configs/bench on the sample corpus. Files that differ are listed; times may.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from make_old_artifacts import begin, commands, go_on

PROJECT = Path(__file__).parent.parent

CLOCK = {"seconds", "logged_seconds", "training_seconds", "tokens_per_second", "logs"}
"""Keys of values that are others every time: times, and the sizes of logs in which there are times."""

OF_CLOCK = {"best_sha256", "last_sha256", "training_state.json"}
"""Keys of checksums that hang on these."""


def train_bench(python: str, directory: Path) -> None:
    """Take some steps of networks of real sizes."""
    shutil.copy(PROJECT / "rnnlm" / "resources" / "sample-comments.csv", directory)
    shutil.copytree(PROJECT / "configs" / "bench", directory / "configs" / "bench")
    for level in ("char", "word"):
        commands(python, directory, f"preprocess sample-comments.csv --level={level} --out=data/{level} --json")
    for config in sorted((directory / "configs" / "bench").iterdir()):
        command = f"train --config=configs/bench/{config.name} --out=bench/{config.stem} --json"
        command += " --set=model.vocabulary_size=null --set=training.max_steps=5 --set=training.sample_tokens=5"
        command += f" --data=data/{'char' if config.stem.startswith('char') else 'word'}"
        commands(python, directory, command)


def begin_with_weights(python: str, directory: Path) -> None:
    """Make runs of the weights of others: imported, and with another vocabulary where that can be."""
    for ended in sorted((directory / "ended").iterdir()):
        name, newest = ended.name, max(ended.glob("checkpoints/step-*")).name
        config = f"--config=ended/{name}/config.yaml --json"
        steps = "--set=training.max_steps=3 --set=model.embedding_file=null"
        tuned = f"train --init-from=runs/{name} {config} --data=data/verses --out=tuned/{name} {steps}"
        imported = f"import ended/{name}/checkpoints/{newest}/model.safetensors {config} --out=imported/{name}"
        takes_other_words = "characters" not in name and name != "adaptive"
        commands(python, directory, imported, *([tuned] if takes_other_words else []))


def without_clock(value: Any) -> Any:
    """Leave out of a value read from JSON what is another every time."""
    if isinstance(value, dict):
        return {key: without_clock(of_key) for key, of_key in value.items() if key not in CLOCK | OF_CLOCK}
    return [without_clock(each) for each in value] if isinstance(value, list) else value


def content(path: Path) -> object:
    """Return what has to be the same in a file; None where there is none."""
    if not path.exists():
        return None
    if path.suffix == ".json":
        return without_clock(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".jsonl":
        return [without_clock(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return path.read_bytes()


def differences(old: Path, new: Path) -> list[str]:
    """Return the names of the files that differ."""
    files = {path.relative_to(side) for side in (old, new) for path in side.rglob("*") if path.is_file()}
    return [str(file) for file in sorted(files) if content(old / file) != content(new / file)]


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    # Not resolved: the Python of a virtual environment is a link.
    old, new = (str(Path(python).absolute()) for python in sys.argv[1:])
    with tempfile.TemporaryDirectory() as temporary:
        by_old, by_new, old_in_new, new_in_old = (Path(temporary, str(number)) for number in range(4))
        for python, directory, copy in ((old, by_old, old_in_new), (new, by_new, new_in_old)):
            begin(python, directory)
            train_bench(python, directory)
            shutil.copytree(directory, copy)
        for python, directory in ((old, by_old), (new, by_new), (new, old_in_new), (old, new_in_old)):
            go_on(python, directory)
            begin_with_weights(python, directory)
        compared = {
            "the new version": by_new,
            "old runs in the new": old_in_new,
            "new runs in the old": new_in_old,
        }
        found = {name: differences(by_old, directory) for name, directory in compared.items()}
        number = sum(path.is_file() for path in by_old.rglob("*"))
    for name, files in found.items():
        print("\n  ".join([f"{name}: {len(files)} of {number} files differ", *files]))
    sys.exit(any(found.values()))


if __name__ == "__main__":
    main()
