"""Make small datasets and runs with one version of rnnlm, and write down what that version makes of them.

Usage: python scripts/make_old_artifacts.py PYTHON OUT

PYTHON is that of an environment with the version in it. With commit 8b2cd84 this made tests/compatibility/made:

- data/NAME: datasets of tests/compatibility/text.txt;
- runs/NAME: a run of each tests/compatibility/configs/NAME.yaml, stopped after its max_steps;
- ended/NAME: what is in the last checkpoint where that run goes on;
- expected/NAME.json: arguments of commands with what they print of that dataset or run, and log-probabilities;
- made_with.json: what the last bits of all this depend on.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent.parent / "tests" / "compatibility"
DATASETS = {
    "characters": ["--level=char", "--valid-fraction=0.1", "--test-fraction=0.1"],
    "verses": ["--keep-lines", "--tokenizer=unicode", "--no-lowercase", "--valid-fraction=0.2"],
    "words": ["--sentences", "--vocab-size=30", "--valid-fraction=0.15", "--test-fraction=0.15"],
}
"""Options of `rnnlm preprocess` by the name of the dataset."""

LAST_STEP = 33
"""Where the runs end."""

IDS = [0, 5, 9, 3, 12, 4, 24, 7, 1]
"""What is read before each of the log-probabilities: tokens of every vocabulary."""

LOG_PROBS = """
import json, sys, rnnlm
rows = rnnlm.load(sys.argv[1]).log_probs(json.loads(sys.argv[2]))
print(json.dumps([[float(str(value)) for value in row] for row in rows]))
"""
"""Print the shortest numbers that are read again as the same bits."""


def run(python: str, directory: Path, *arguments: str) -> str:
    """Run Python in a directory and return what it prints."""
    command = [python, *arguments]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{' '.join(command)} in {directory}:\n{done.stderr}")
    return done.stdout


def commands(python: str, directory: Path, *lines: str) -> list[dict[str, Any]]:
    """Run commands of rnnlm and return each with the lines of JSON that it prints."""
    each = [f"{line} --quiet".split() for line in lines]
    printed = [run(python, directory, "-m", "rnnlm", *arguments).splitlines() for arguments in each]
    return [
        {"arguments": arguments, "printed": [json.loads(line) for line in output]}
        for arguments, output in zip(each, printed, strict=True)
    ]


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def begin(python: str, directory: Path) -> None:
    """Make the datasets, and the runs until they stop."""
    directory.mkdir()
    for name in ("text.txt", "vectors.txt"):
        shutil.copyfile(SOURCE / name, directory / name)
    shutil.copytree(SOURCE / "configs", directory / "configs")
    for name, options in DATASETS.items():
        preprocess = f"preprocess text.txt --out=data/{name} --overwrite --json {' '.join(options)}"
        expected = commands(python, directory, preprocess, f"info data/{name} --json")
        write_json(directory / "expected" / f"{name}-dataset.json", {"commands": expected})
    for config in sorted((directory / "configs").iterdir()):
        commands(python, directory, f"train --config=configs/{config.name} --out=runs/{config.stem} --json")


def go_on(python: str, directory: Path) -> None:
    """Write down what is said of each run, and train it to its end."""
    for name in sorted(os.listdir(directory / "runs")):
        model = f"--model=runs/{name}"
        expected = commands(
            python,
            directory,
            f"info runs/{name} --json",
            f"evaluate {model} --json",
            f"evaluate {model} --json --text=text.txt --dynamic=0.03",
            f"diagnose {model} --json",
            f"neighbors . {model} --json",
            f"score text.txt {model} --jsonl",
            f"generate {model} --seed=1 --num-samples=2 --max-tokens=15 --json",
            f"generate {model} --beam-width=2 --max-tokens=3 --json",
        )
        log_probs = json.loads(run(python, directory, "-c", LOG_PROBS, f"runs/{name}", json.dumps(IDS)))
        values = {"ids": IDS, "log_probs": log_probs, "commands": expected}
        write_json(directory / "expected" / f"{name}.json", values)
        shutil.copytree(directory / "runs" / name, directory / "ended" / name)
        commands(
            python, directory, f"train --resume --out=ended/{name} --set=training.max_steps={LAST_STEP} --json"
        )


def keep_last_checkpoint(ended: Path) -> None:
    """Leave nothing of a run but the tensors and the state of its last checkpoint."""
    index = json.loads((ended / "checkpoints" / "index.json").read_text(encoding="utf-8"))
    kept = (ended / "checkpoints" / index["last"]).rename(ended.with_suffix(".kept"))
    shutil.rmtree(ended)
    kept.rename(ended)
    for name in ("config.yaml", "manifest.json", "vocabulary.json"):
        (ended / name).unlink()


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    # Not resolved: the Python of a virtual environment is a link.
    python, directory = str(Path(sys.argv[1]).absolute()), Path(sys.argv[2])
    begin(python, directory)
    go_on(python, directory)
    for ended in (directory / "ended").iterdir():
        keep_last_checkpoint(ended)
    for name in ("text.txt", "vectors.txt"):
        (directory / name).unlink()
    shutil.rmtree(directory / "configs")
    made_with = run(python, directory, str(SOURCE / "surroundings.py"))
    write_json(directory / "made_with.json", json.loads(made_with))


if __name__ == "__main__":
    main()
