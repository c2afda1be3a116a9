"""Hold the configurations that `rnnlm config --for` chooses against random ones with the same budget.

Usage: python scripts/compare_choices.py [--seconds 180] [--random 30] [--threads 1] --out FILE.jsonl DATA...

DATA are datasets of text (`rnnlm preprocess`). For each, the chosen configuration and so many random ones are
trained for so many seconds, and the best validation loss of each is written to FILE, one line a training; what it
has already is not done again. Seconds are of the processor, evaluation not counted: beside other programs the
comparison is as fair as on an idle machine, only longer. The random ones are what a person might try: see
`random_configuration`. Then a table is printed: the loss chosen, the best, the median and the worst of the random
ones, and how many of these are better than the one chosen.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from rnnlm.choosing.begin import choose
from rnnlm.choosing.facts import Budget, Facts
from rnnlm.config import Config, TrainingConfig
from rnnlm.dataset.store import Dataset
from rnnlm.training import loop
from rnnlm.training.begin import begin_run

CHOSEN = "chosen"


def random_configuration(facts: Facts, seconds: float, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Draw what a person might try: each key by itself, sizes and rates evenly by their logarithm."""

    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    units = 8 * round(between(32, 512) / 8)
    embedding = units if facts.has_words else int(rng.choice([16, 32, 64]))
    optimizer = str(rng.choice(["sgd", "adam"]))
    model = {
        "cell": str(rng.choice(["lstm", "gru"])),
        "embedding_size": embedding,
        "hidden_size": units,
        "num_layers": int(rng.choice([1, 1, 2])),
        "bias": True,
        "dropout": round(float(rng.uniform(0, 0.6)), 2),
        "tie_weights": facts.has_words,
    }
    if facts.vocabulary_size > 3200 and rng.random() < 0.5:
        model["softmax_samples"] = 1600
    training = {
        "batching": str(rng.choice(["stream", "sentences"])) if facts.sentences > 100 else "stream",
        "batch_size": int(rng.choice([4, 8, 16, 32, 64])),
        "bptt_steps": int(rng.choice([10, 20, 35, 64])),
        "epochs": 1000,
        "max_seconds": seconds,
    }
    rate = between(0.3, 3) if optimizer == "sgd" else between(0.0005, 0.01)
    return {
        "data": {"path": facts.path},
        "model": model,
        "training": training,
        "optimizer": {"name": optimizer, "learning_rate": round(rate, 4), "clip_norm": 5.0},
        "schedule": {"name": str(rng.choice(["linear", "cosine", "constant"]))},
    }


def configurations(path: str, arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Yield the names and values of what is trained on a dataset; the one chosen last."""
    facts = Facts.of(Dataset.open(path))
    for number in range(arguments.random):
        rng = np.random.default_rng([arguments.seed, number])
        yield f"random {number}", random_configuration(facts, arguments.seconds, rng)
    if not arguments.only_random:
        computed = TrainingConfig(threads=arguments.threads)
        yield CHOSEN, choose(path, Budget(arguments.seconds), computed=computed).sections


def train(values: dict[str, dict[str, Any]], threads: int) -> dict[str, Any]:
    """Train once, and say what came of it."""
    common = {"threads": threads, "sample_tokens": 0, "log_every": 1_000_000}
    config = Config.model_validate({**values, "training": {**values["training"], **common}})
    with tempfile.TemporaryDirectory() as directory:
        trainer = begin_run(config, Path(directory) / "run", resume=False, quiet=True)
        summary = trainer.run()
    if trainer.signals.received is not None:
        raise KeyboardInterrupt
    return {
        "loss": summary["best"]["valid_loss"],
        "last_loss": summary["last"]["valid_loss"],
        "epochs": summary["epochs"],
        "steps": summary["steps"],
    }


def read(file: Path) -> list[dict[str, Any]]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a row of Markdown for each dataset."""
    yield "| dataset | chosen | best | median | worst | better than the one chosen |"
    yield "|---|---|---|---|---|---|"
    for data in dict.fromkeys(result["data"] for result in results):
        losses = {each["name"]: each["loss"] for each in results if each["data"] == data}
        chosen = losses.pop(CHOSEN, None)
        random = sorted(losses.values())
        if random and chosen is not None:
            numbers = (chosen, random[0], statistics.median(random), random[-1])
            better = sum(loss < chosen for loss in random)
            yield f"| {data} | {' | '.join(f'{n:.3f}' for n in numbers)} | {better} of {len(random)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help="datasets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--random", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-random", action="store_true", help="leave the chosen configuration out")
    arguments = parser.parse_args()
    loop.time = SimpleNamespace(perf_counter=time.process_time)  # type: ignore[attr-defined]
    done = {(result["data"], result["name"]) for result in read(arguments.out)}
    for data in arguments.data:
        for name, values in configurations(data, arguments):
            if (data, name) in done:
                continue
            result = {"data": data, "name": name, **train(values, arguments.threads), "values": values}
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            print(f"{data}: {name}: {result['loss']:.3f}", flush=True)
    print("\n".join(table(read(arguments.out))))


if __name__ == "__main__":
    main()
