"""Compare rnnlm's speed with PyTorch's on the CPU, both in turn: A B A B ...

Usage: python scripts/compare_torch.py [--pairs 5] [--seconds 5] [--threads 2] [--only NAME]... [--out FILE]

Needs torch (pip install torch==2.13.0). The networks are those of configs/bench/: a training step is forward pass,
cross-entropy, backward pass, clipping and plain SGD, with the hidden state carried from window to window.
Evaluation is the cross-entropy of windows as `rnnlm evaluate` cuts them; generation is timed for the character
networks in one stream and in 64, PyTorch's a loop over tokens; both with PyTorch in ``torch.inference_mode()``.
Every measurement runs in a process of its own, so that its peak memory is its own. Prints the medians and their
ratios, for training also the ratio if rnnlm did its arithmetic at the peak of the machine's BLAS ("at peak"), and
writes every measurement to FILE as JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import blas
from rnnlm.checks.benchmark import benchmark
from rnnlm.config import Config
from rnnlm.evaluation.scoring import SIDE_BY_SIDE, WINDOW
from rnnlm.generation.bans import Bans
from rnnlm.generation.sampler import Sampler, sample_ids
from rnnlm.generation.writing import WritingSettings
from rnnlm.models.networks import make_network
from rnnlm.nn.batch import Batch

CONFIGURATIONS = Path(__file__).parent.parent / "configs" / "bench"
STREAMS = (1, 64)
WARM_UP_STEPS = 3


def network_names() -> list[str]:
    return sorted(path.stem for path in CONFIGURATIONS.glob("*.yaml"))


def comparisons() -> list[str]:
    """Name what is compared: ``train NETWORK``, ``evaluate NETWORK`` and ``generate NETWORK STREAMS``."""
    names = network_names()
    generated = [f"generate {name} {streams}" for name in names if name.startswith("char") for streams in STREAMS]
    return [f"{task} {name}" for task in ("train", "evaluate") for name in names] + generated


def load(name: str) -> Config:
    return Config.load(CONFIGURATIONS / f"{name}.yaml", [])


def rnnlm_train(config: Config, seconds: float) -> dict[str, float]:
    speed = benchmark(config, seconds)
    return {"tokens_per_second": speed.tokens_per_second, "utilization": speed.utilization}


def rnnlm_evaluate(config: Config, seconds: float) -> dict[str, float]:
    assert config.model.vocabulary_size is not None
    network = make_network(config, config.model.vocabulary_size)
    shape = (WINDOW + 1, SIDE_BY_SIDE)
    ids = np.random.default_rng(0).integers(0, network.vocabulary_size, shape)
    batch = Batch(ids[:-1], ids[1:], np.ones((WINDOW, SIDE_BY_SIDE), bool))
    state = network.initial_state(SIDE_BY_SIDE)

    def evaluate(windows: int) -> int:
        nonlocal state
        for _ in range(windows):
            _, state = network.losses(batch, state)
        return windows * batch.num_tokens

    return {"tokens_per_second": rate(evaluate, 1, seconds)}


def rnnlm_generate(config: Config, streams: int, seconds: float) -> dict[str, float]:
    assert config.model.vocabulary_size is not None
    network = make_network(config, config.model.vocabulary_size)

    def generate(tokens: int) -> int:
        rngs = [np.random.default_rng(seed) for seed in range(streams)]
        # The end is not chosen, so that all streams are written to their full length.
        sample_ids(Sampler(network, [0], WritingSettings(min_tokens=tokens), Bans(network, ()), rngs), tokens)
        return tokens * streams

    return {"tokens_per_second": rate(generate, 100, seconds)}


def torch_modules(config: Config) -> Any:
    """Make the embedding, recurrent and output modules of a configuration."""
    import torch

    torch.manual_seed(0)
    model = config.model
    assert model.vocabulary_size is not None
    assert model.embedding_size is not None
    recurrent = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[model.cell]
    return torch.nn.ModuleList(
        [
            torch.nn.Embedding(model.vocabulary_size, model.embedding_size),
            recurrent(model.embedding_size, model.hidden_size, model.num_layers),
            torch.nn.Linear(model.hidden_size, model.vocabulary_size),
        ]
    )


def torch_train(config: Config, seconds: float) -> dict[str, float]:
    import torch

    modules = torch_modules(config)
    encoder, recurrent, decoder = modules
    training, optimizer = config.training, torch.optim.SGD(modules.parameters(), lr=0.1)
    clip_norm = config.optimizer.clip_norm
    assert clip_norm is not None
    ids = torch.randint(0, decoder.out_features, (training.bptt_steps + 1, training.batch_size))
    state = None

    def step() -> None:
        nonlocal state
        optimizer.zero_grad(set_to_none=True)
        output, state = recurrent(encoder(ids[:-1]), state)
        loss = torch.nn.functional.cross_entropy(decoder(output).flatten(0, 1), ids[1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), clip_norm)
        optimizer.step()
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()

    for _ in range(WARM_UP_STEPS):
        step()
    steps, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        step()
        steps += 1
    tokens = steps * training.bptt_steps * training.batch_size
    return {"tokens_per_second": tokens / (time.perf_counter() - started)}


def torch_evaluate(config: Config, seconds: float) -> dict[str, float]:
    import torch

    encoder, recurrent, decoder = torch_modules(config)
    ids = torch.randint(0, decoder.out_features, (WINDOW + 1, SIDE_BY_SIDE))
    state = None

    @torch.inference_mode()
    def evaluate(windows: int) -> int:
        nonlocal state
        for _ in range(windows):
            output, state = recurrent(encoder(ids[:-1]), state)
            torch.nn.functional.cross_entropy(decoder(output).flatten(0, 1), ids[1:].flatten())
        return windows * ids[1:].numel()

    return {"tokens_per_second": rate(evaluate, 1, seconds)}


def torch_generate(config: Config, streams: int, seconds: float) -> dict[str, float]:
    import torch

    encoder, recurrent, decoder = torch_modules(config)

    @torch.inference_mode()
    def generate(tokens: int) -> int:
        ids, state = torch.zeros((1, streams), dtype=torch.long), None
        for _ in range(tokens):
            output, state = recurrent(encoder(ids), state)
            probabilities = torch.softmax(decoder(output[0]), dim=1)
            ids = torch.multinomial(probabilities, 1).T
        return tokens * streams

    return {"tokens_per_second": rate(generate, 100, seconds)}


def rate(work: Callable[[int], int], steps: int, seconds: float) -> float:
    """Return tokens per second of `work`, which takes so many steps at a time and returns the tokens of them."""
    work(steps)
    tokens, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        tokens += work(steps)
    return tokens / (time.perf_counter() - started)


def measure(side: str, what: str, seconds: float, threads: int) -> dict[str, float]:
    """Measure one side of a comparison in this process."""
    if side == "torch":
        import torch

        torch.set_num_threads(threads)
    else:
        blas.set_threads(threads)
    task, name, *streams = what.split()
    config = load(name)
    if task == "train":
        return {"rnnlm": rnnlm_train, "torch": torch_train}[side](config, seconds)
    if task == "evaluate":
        return {"rnnlm": rnnlm_evaluate, "torch": torch_evaluate}[side](config, seconds)
    return {"rnnlm": rnnlm_generate, "torch": torch_generate}[side](config, int(streams[0]), seconds)


def measure_apart(side: str, what: str, seconds: float, threads: int) -> dict[str, float]:
    """Measure in a process of its own, and add its peak memory in MB."""
    # As on a user's machine: no variable of a build environment chooses the kernels of either side.
    environment = {name: value for name, value in os.environ.items() if name not in blas.forcing_variables()}
    arguments = [sys.executable, __file__, "--side", side, "--only", what]
    arguments += ["--seconds", str(seconds), "--threads", str(threads)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        found: dict[str, float] = json.loads(process.stdout.read() or "{}")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{what}: {side} failed")
    return found | {"peak_megabytes": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="measurements of each side")
    parser.add_argument("--seconds", type=float, default=5, help="length of a measurement")
    parser.add_argument("--threads", type=int, default=2, help="threads of each side")
    parser.add_argument("--only", action="append", choices=comparisons(), help="compare this; may be repeated")
    parser.add_argument("--out", type=Path, help="JSON file for every measurement")
    parser.add_argument("--side", choices=["rnnlm", "torch"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(measure(arguments.side, arguments.only[0], arguments.seconds, arguments.threads)))
        return

    results = {}
    print(f"{'tokens/s, median':30}{'rnnlm':>10}{'torch':>10}{'ratio':>8}{'at peak':>9}{'MB':>8}{'MB':>8}")
    for what in arguments.only or comparisons():
        sides: dict[str, list[dict[str, float]]] = {"rnnlm": [], "torch": []}
        for _ in range(arguments.pairs):
            for side, found in sides.items():
                found.append(measure_apart(side, what, arguments.seconds, arguments.threads))

        def median(side: str, key: str, sides: dict[str, list[dict[str, float]]] = sides) -> float:
            return statistics.median(each[key] for each in sides[side])

        ours, theirs = median("rnnlm", "tokens_per_second"), median("torch", "tokens_per_second")
        pairs = zip(sides["rnnlm"], sides["torch"], strict=True)
        ratio = statistics.median(a["tokens_per_second"] / b["tokens_per_second"] for a, b in pairs)
        results[what] = {"ratio": ratio, **sides}
        at_peak = f"{ratio / median('rnnlm', 'utilization'):9.2f}" if what.startswith("train") else " " * 9
        memory = f"{median('rnnlm', 'peak_megabytes'):8.0f}{median('torch', 'peak_megabytes'):8.0f}"
        print(f"{what:30}{ours:10.0f}{theirs:10.0f}{ratio:8.2f}{at_peak}{memory}", flush=True)
    trained = [each["ratio"] for what, each in results.items() if what.startswith("train")]
    if trained:
        print(f"geometric mean of the training ratios: {statistics.geometric_mean(trained):.2f}")  # type: ignore[arg-type]
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
