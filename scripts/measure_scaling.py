"""Measure how training scales over ranks on this machine, and predict how it does on others.

Usage: python scripts/measure_scaling.py [--rounds 5] [--seconds 5] [--only NAME]... [--out FILE]

Needs mpi4py and an mpiexec (pip install mpi4py mpich). Every measurement is an `rnnlm benchmark` of a
configuration of configs/bench/, in processes of their own; what is compared is measured in turn: A B C A B C ...
Prints the medians of each round's ratios, as tables in Markdown, and writes every measurement to FILE as JSON.

The prediction is the time of a step on one rank, measured here, and that of its messages by Thakur, Rabenseifner
and Gropp (2005): recursive doubling for small ones, a reduce-scatter and an allgather for large ones. It lets no
message go while something is computed.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.checks.benchmark import drawn_batch
from rnnlm.config import Config
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.ranks.joining import join
from rnnlm.ranks.ranks import OneProcess
from rnnlm.training.step import TrainingStep

PROJECT = Path(__file__).parent.parent
CONFIGURATIONS = PROJECT / "configs" / "bench"

MEASURED = ("ptb-lstm-200", "char-lstm-512", "word-gru-256")

RANKS = (2, 4, 8, 16, 32, 64)

NETWORKS = {"1 Gbit/s": (50e-6, 0.117e9), "10 Gbit/s": (15e-6, 1.17e9), "100 Gbit/s": (2e-6, 11.7e9)}
"""Seconds until a message arrives, and bytes a second: usual figures of Ethernet with TCP, and of InfiniBand."""

SMALL = 1 << 14
"""Bytes up to which a message goes by recursive doubling."""


class Counting(OneProcess):
    """Pretends to be the first of several ranks, and notes the bytes of its messages.

    Parameters
    ----------
    number
        How many there are.
    ids
        The different tokens that all of them read.
    """

    def __init__(self, number: int, ids: Ids) -> None:
        super().__init__()
        self.hosts, self.ids = [str(rank) for rank in range(number)], ids
        self.sizes: list[int] = []

    def gathered(self, value: Any) -> list[Any]:
        """Note the bytes of the numbers of rows that the ranks give."""
        self.sizes.append(self.number * sum(ids.nbytes for ids, _ in value.values()))
        return [value, {name: (self.ids, axis) for name, (_, axis) in value.items()}]

    def total(self, number: float) -> float:
        """Note eight bytes."""
        self.sizes.append(8)
        return number

    def sum(self, array: Floats) -> None:
        """Note an array."""
        self.sizes.append(array.nbytes)

    def begin_sum(self, array: Floats) -> Callable[[], object]:
        """Note an array."""
        self.sum(array)
        return lambda: None


def message_sizes(config: Config, number: int) -> list[int]:
    """Return the bytes of the messages of a step of so many ranks, each with the configuration's batch."""
    training = config.training.model_copy(update={"batch_size": config.training.batch_size * number})
    config = config.model_copy(update={"training": training})
    network, batch = drawn_batch(config)
    ranks = Counting(number, np.unique(batch.inputs))
    step = TrainingStep(network, config, ranks)
    state = step.own_state(network.initial_state(training.batch_size))
    step.take(batch, state, 0.0, np.random.default_rng(0))
    return [*ranks.sizes, 8, 8]  # and the loop's own two, the clock and the signals


def allreduce_seconds(size: int, number: int, latency: float, bandwidth: float, adding: float) -> float:
    """Predict an allreduce of `size` bytes over `number` ranks; `adding` bytes a second are added up."""
    rounds = math.ceil(math.log2(number))
    if size <= SMALL:
        return rounds * (latency + size / bandwidth + size / adding)
    share = (number - 1) / number * size
    return 2 * rounds * latency + 2 * share / bandwidth + share / adding


def program(ranks: int, *arguments: object) -> list[str]:
    launcher = [] if ranks == 1 else [str(Path(sys.executable).with_name("mpiexec")), "-n", str(ranks)]
    return [*launcher, sys.executable, *map(str, arguments)]


def speed(name: str, seconds: float, ranks: int, threads: int, batches: float) -> float:
    """Return the tokens a second of `batches` batches of a configuration at a time."""
    path = CONFIGURATIONS / f"{name}.yaml"
    size = round(Config.load(path, []).training.batch_size * batches)
    settings = [f"--set=training.batch_size={size}", f"--set=training.threads={threads}"]
    options = ["-m", "rnnlm", "benchmark", f"--config={path}", f"--seconds={seconds}", "--json", *settings]
    output = subprocess.check_output(program(ranks, *options), cwd=PROJECT)
    return float(json.loads(output)["tokens_per_second"])


def compare(names: list[str], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Measure one rank, two ranks and two threads in turn."""
    found = []
    for round_ in range(rounds):
        for name in names:
            found.append(
                {
                    "round": round_,
                    "name": name,
                    "one rank": speed(name, seconds, 1, 1, 1),
                    "two ranks": speed(name, seconds, 2, 1, 2),
                    "two threads": speed(name, seconds, 1, 2, 2),
                    "two ranks, same batch": speed(name, seconds, 2, 1, 1),
                    "two threads, same batch": speed(name, seconds, 1, 2, 1),
                }
            )
    return found


def start_up(rounds: int) -> list[dict[str, float]]:
    """Time a training of no step, in one process and on two ranks."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        data, config = Path(folder) / "data", Path(folder) / "config.yaml"
        config.write_text("training: {max_steps: 0, threads: 1}")
        subprocess.run(
            program(1, "-m", "rnnlm", "preprocess", f"--out={data}", "--quiet"), check=True, cwd=PROJECT
        )
        for round_ in range(rounds):
            seconds = {}
            for ranks in (1, 2):
                out = Path(folder) / f"run-{ranks}-{round_}"
                options = [f"--config={config}", f"--data={data}", f"--out={out}", "--quiet"]
                started = time.perf_counter()
                command = program(ranks, "-m", "rnnlm", "train", *options)
                subprocess.run(command, check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)
                seconds[f"{ranks} ranks"] = time.perf_counter() - started
            found.append(seconds)
    return found


def messages() -> None:
    """Print, as one of two ranks, the seconds of an allreduce of eight bytes, and of one of 16 MB."""
    ranks, large = join(), np.ones(1 << 22, np.float32)
    seconds = []
    for send, times in ((lambda: ranks.total(1), 300), (lambda: ranks.sum(large), 10)):
        each = []
        for _ in range(times):
            ranks.total(0)
            started = time.perf_counter()
            send()
            each.append(time.perf_counter() - started)
        seconds.append(statistics.median(each))
    if ranks.is_first:
        print(json.dumps(seconds))


def predicted(name: str, seconds: float, adding: float) -> dict[str, Any]:
    """Predict the efficiency of a configuration on several machines with cores like this one's, two in each."""
    config = Config.load(CONFIGURATIONS / f"{name}.yaml", [])
    tokens = config.training.batch_size * config.training.bptt_steps
    step = tokens / speed(name, seconds, 1, 2, 1)
    sizes = {number: message_sizes(config, number) for number in RANKS}
    efficiency = {
        network: {
            number: step
            / (step + sum(allreduce_seconds(size, number, latency, bandwidth, adding) for size in sizes[number]))
            for number in RANKS
        }
        for network, (latency, bandwidth) in NETWORKS.items()
    }
    return {
        "name": name,
        "step": step,
        "bytes": sum(sizes[2]),
        "messages": len(sizes[2]),
        "efficiency": efficiency,
    }


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def report(found: dict[str, Any]) -> str:
    """Return the tables."""

    def median(name: str, one: str, other: str) -> str:
        ratios = [each[one] / each[other] for each in found["compared"] if each["name"] == name]
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"

    names = list(dict.fromkeys(each["name"] for each in found["compared"]))
    pairs = {
        "two ranks ÷ one, same batch a rank": ("two ranks", "one rank"),
        "two ranks ÷ two threads, twice the batch": ("two ranks", "two threads"),
        "two ranks ÷ two threads, the batch": ("two ranks, same batch", "two threads, same batch"),
    }
    rows = [[name, *(median(name, *pair) for pair in pairs.values())] for name in names]
    parts = [table(["", *pairs], rows)]
    each = found["start-up"]
    alone, together = (statistics.median(times[f"{ranks} ranks"] for times in each) for ranks in (1, 2))
    latency, large = found["messages"]
    parts.append(f"A training of no step: {alone:.2f} s in one process, {together:.2f} s on two ranks.")
    parts.append(f"Between two ranks here: {1e6 * latency:.1f} µs for 8 bytes, {1e3 * large:.1f} ms for 16 MB.")
    head = ["", "step, ms", "MB", "network", *map(str, RANKS)]
    rows = [
        [each["name"], f"{1e3 * each['step']:.0f}", f"{each['bytes'] / 1e6:.1f}", network]
        + [f"{share:.2f}" for share in shares.values()]
        for each in found["predicted"]
        for network, shares in each["efficiency"].items()
    ]
    return "\n\n".join([*parts, table(head, rows)])


def main() -> None:
    names = sorted(path.stem for path in CONFIGURATIONS.glob("*.yaml"))
    parser = argparse.ArgumentParser(description="Measure and predict how training scales over ranks.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", action="append", choices=names, help="of the networks that are measured")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--messages", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.messages:
        messages()
        return
    pair = subprocess.check_output(program(2, __file__, "--messages"))
    latency, large = json.loads(pair)
    # Between two ranks of one machine an allreduce copies and adds 16 MB; memory limits both.
    adding = (1 << 24) / large
    found = {
        "compared": compare(options.only or list(MEASURED), options.rounds, options.seconds),
        "start-up": start_up(options.rounds),
        "messages": [latency, large],
        "predicted": [predicted(name, options.seconds, adding) for name in options.only or names],
    }
    print(report(found))
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
