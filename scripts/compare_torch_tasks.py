"""Compare the training of a classifier, a tagger and a translator with PyTorch's on the CPU, in turn: A B A B ...

Usage: python scripts/compare_torch_tasks.py [--pairs 5] [--seconds 5] [--only TASK]... [--out FILE]

Needs torch (pip install torch==2.13.0). The classifier and the tagger read vectors of 100 features with a
bidirectional LSTM of 128 units in each direction, 32 texts a step; the classifier takes the maximum over the
steps. The translator's encoder and decoder are LSTMs of 512 units over vectors of 256 features, as those of
configs/translate.yaml, with dropout of 0.4 and the softmax over all words, 64 pairs a step, and the gradient is
clipped to a norm of 5. A step is forward pass, cross-entropy, backward pass and Adam; PyTorch gets packed
sequences, and sources that are turned already. Texts are as long as the questions of TREC, the sentences of the
English-LinES treebank and the English captions of Multi30k, and those of like length come together, as in `rnnlm
train`. Their words and classes are random. Every measurement runs in a process of its own; RNNLM_BACKEND chooses
our back end. Prints the medians and their ratios, and writes every measurement to FILE as JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import backend, blas
from rnnlm.config import Config
from rnnlm.models.networks import make_network, make_translation_network
from rnnlm.nn.arrays import Ids
from rnnlm.nn.batch import Batch, Pairs
from rnnlm.training.step import TrainingStep

VOCABULARY_SIZE, EMBEDDING_SIZE, HIDDEN_SIZE, BATCH_SIZE = 8000, 100, 128, 32
LEARNING_RATE = 0.001
CLASSES = {"classify": 6, "tag": 17}
PAIR_SIZES = {"embedding_size": 256, "hidden_size": 512}
SOURCE_WORDS, TARGET_WORDS, PAIRS_TOGETHER, DROPOUT, CLIP_NORM = 7878, 5894, 64, 0.4, 5.0
LENGTHS = {
    "classify": (4, 6, 7, 8, 8, 8, 9, 9, 10, 10, 11, 11, 11, 12, 13, 13, 14, 15, 16, 18, 38),
    "tag": (1, 5, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 22, 24, 26, 29, 34, 42, 98),
    "translate": (5, 9, 10, 10, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 16, 16, 17, 18, 20, 22, 42),
}
"""Tokens of a text, with the END that a classifier reads and a translator writes: the shortest, 5 % of the texts,
10 %, and so on."""

BATCHES = {"classify": 100, "tag": 100, "translate": 10}


def groups_of_lengths(task: str, size: int) -> list[Ids]:
    """Return the lengths (B,), falling, of texts of like length, in groups of so many."""
    quantiles, number = LENGTHS[task], BATCHES[task]
    shares = np.linspace(0, 1, number * size)
    lengths = np.interp(shares, np.linspace(0, 1, len(quantiles)), quantiles).round().astype(int)
    groups = [each[::-1].copy() for each in np.split(lengths, number)]
    np.random.default_rng(0).shuffle(groups)
    return groups


def batches(task: str) -> Iterator[tuple[Ids, ...]]:
    """Yield the lengths (B,), falling, and the ids (T, B) of texts, over and over; of pairs also the sources'."""
    rng = np.random.default_rng(1)
    if task != "translate":
        groups = groups_of_lengths(task, BATCH_SIZE)
        return cycle([(each, rng.integers(0, VOCABULARY_SIZE, (each[0], BATCH_SIZE))) for each in groups])
    pairs = []
    for lengths in groups_of_lengths(task, PAIRS_TOGETHER):
        # A source has two words more or less than its target.
        of_sources = np.maximum(lengths + rng.normal(0, 2, PAIRS_TOGETHER).round().astype(int), 2)
        sizes = ((lengths, TARGET_WORDS), (of_sources, SOURCE_WORDS))
        ids = [rng.integers(0, words, (each.max(), PAIRS_TOGETHER)) for each, words in sizes]
        pairs.append((lengths, ids[0], of_sources, ids[1]))
    return cycle(pairs)


def rnnlm_step(task: str) -> Callable[[Ids, Ids], None]:
    model = {"cell": "lstm", "embedding_size": EMBEDDING_SIZE, "hidden_size": HIDDEN_SIZE, "bidirectional": True}
    optimizer = {"name": "adam", "learning_rate": LEARNING_RATE}
    config = Config.model_validate(
        {"task": {"name": task}, "model": {**model, "bias": True}, "optimizer": optimizer}
    )
    network = make_network(config, VOCABULARY_SIZE, num_classes=CLASSES[task])
    training_step, state, rng = TrainingStep(network, config), network.initial_state(1), np.random.default_rng(0)

    def step(lengths: Ids, ids: Ids) -> None:
        mask = np.ones((1, len(lengths)), bool) if task == "classify" else np.arange(len(ids))[:, None] < lengths
        batch = Batch(ids, rng.integers(0, CLASSES[task], mask.shape), mask, lengths=lengths)
        training_step.take(batch, state, LEARNING_RATE, rng)

    return step


def rnnlm_translation_step(task: str) -> Callable[[Ids, Ids, Ids, Ids], None]:
    config = Config.model_validate(
        {
            "task": {"name": task, "reverse_source": True},
            "model": {"cell": "lstm", **PAIR_SIZES, "bias": True, "dropout": DROPOUT},
            "optimizer": {"name": "adam", "learning_rate": LEARNING_RATE, "clip_norm": CLIP_NORM},
        }
    )
    network = make_translation_network(config, SOURCE_WORDS, TARGET_WORDS)
    training_step, state, rng = TrainingStep(network, config), network.initial_state(1), np.random.default_rng(0)

    def step(lengths: Ids, ids: Ids, source_lengths: Ids, source: Ids) -> None:
        mask, targets = np.arange(len(ids))[:, None] < lengths, rng.integers(0, TARGET_WORDS, ids.shape)
        training_step.take(Batch(Pairs(ids, source, source_lengths), targets, mask), state, LEARNING_RATE, rng)

    return step


def torch_step(task: str) -> Callable[[Ids, Ids], None]:
    import torch
    from torch.nn.utils import rnn

    embedding = torch.nn.Embedding(VOCABULARY_SIZE, EMBEDDING_SIZE)
    lstm = torch.nn.LSTM(EMBEDDING_SIZE, HIDDEN_SIZE, bidirectional=True)
    output = torch.nn.Linear(2 * HIDDEN_SIZE, CLASSES[task])
    modules = torch.nn.ModuleList([embedding, lstm, output])
    optimizer = torch.optim.Adam(modules.parameters(), lr=LEARNING_RATE)

    def logits(lengths: Any, ids: Any) -> Any:
        packed, _ = lstm(rnn.pack_padded_sequence(embedding(ids), lengths))
        if task == "tag":
            return output(packed.data)
        y, _ = rnn.pad_packed_sequence(packed, padding_value=-torch.inf)
        return output(y.amax(dim=0))

    def step(lengths: Ids, ids: Ids) -> None:
        optimizer.zero_grad(set_to_none=True)
        predicted = logits(torch.from_numpy(lengths), torch.from_numpy(ids))
        targets = torch.randint(0, CLASSES[task], predicted.shape[:1])
        loss = torch.nn.functional.cross_entropy(predicted, targets)
        loss.backward()
        loss.item()
        optimizer.step()

    return step


def torch_translation_step(task: str) -> Callable[[Ids, Ids, Ids, Ids], None]:
    import torch
    from torch.nn import functional
    from torch.nn.utils import rnn

    E, H = PAIR_SIZES["embedding_size"], PAIR_SIZES["hidden_size"]
    embeddings = [torch.nn.Embedding(words, E) for words in (SOURCE_WORDS, TARGET_WORDS)]
    encoder, decoder = torch.nn.LSTM(E, H), torch.nn.LSTM(E, H)
    output = torch.nn.Linear(H, TARGET_WORDS)
    modules = torch.nn.ModuleList([*embeddings, encoder, decoder, output])
    optimizer = torch.optim.Adam(modules.parameters(), lr=LEARNING_RATE)

    def packed(side: int, ids: Ids, lengths: Ids) -> Any:
        vectors = functional.dropout(embeddings[side](torch.from_numpy(ids)), DROPOUT)
        return rnn.pack_padded_sequence(vectors, torch.from_numpy(lengths), enforce_sorted=side == 1)

    def step(lengths: Ids, ids: Ids, source_lengths: Ids, source: Ids) -> None:
        optimizer.zero_grad(set_to_none=True)
        _, state = encoder(packed(0, source, source_lengths))
        hidden, _ = decoder(packed(1, ids, lengths), state)
        predicted = output(functional.dropout(hidden.data, DROPOUT))
        targets = torch.randint(0, TARGET_WORDS, predicted.shape[:1])
        loss = functional.cross_entropy(predicted, targets, reduction="sum") / len(lengths)
        loss.backward()
        loss.item()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), CLIP_NORM)
        optimizer.step()

    return step


STEPS: dict[str, tuple[Callable[[str], Callable[..., None]], Callable[[str], Callable[..., None]]]] = {
    "rnnlm": (rnnlm_step, rnnlm_translation_step),
    "torch": (torch_step, torch_translation_step),
}
"""What makes the training steps of texts, and of pairs."""


def measure(side: str, task: str, seconds: float) -> float:
    """Return the tokens per second of one side of a comparison, measured in this process, on two cores."""
    if side == "torch":
        import torch

        torch.set_num_threads(2)
    else:
        backend.choose("auto", 2, bidirectional=task != "translate")
    step, of_task = STEPS[side][task == "translate"](task), batches(task)
    for _ in range(BATCHES[task]):
        step(*next(of_task))
    tokens, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(BATCHES[task]):  # all of them, as long ones take longer
            lengths, *others = next(of_task)
            step(lengths, *others)
            tokens += int(lengths.sum())
    return tokens / (time.perf_counter() - started)


def measure_apart(side: str, task: str, seconds: float) -> float:
    """Measure in a process of its own."""
    # As on a user's machine: no variable of a build environment chooses the kernels of either side.
    environment = {name: value for name, value in os.environ.items() if name not in blas.forcing_variables()}
    arguments = [sys.executable, __file__, "--side", side, "--only", task]
    arguments += ["--seconds", str(seconds)]
    return float(subprocess.run(arguments, stdout=subprocess.PIPE, text=True, env=environment, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="measurements of each side")
    parser.add_argument("--seconds", type=float, default=5, help="length of a measurement, at least")
    parser.add_argument("--only", action="append", choices=list(LENGTHS), help="compare this; may be repeated")
    parser.add_argument("--out", type=Path, help="JSON file for every measurement")
    parser.add_argument("--side", choices=["rnnlm", "torch"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(measure(arguments.side, arguments.only[0], arguments.seconds))
        return
    results = {}
    print(f"{'tokens/s, median':20}{'rnnlm':>10}{'torch':>10}{'ratio':>8}")
    for task in arguments.only or LENGTHS:
        sides: dict[str, list[float]] = {"rnnlm": [], "torch": []}
        for _ in range(arguments.pairs):
            for side, found in sides.items():
                found.append(measure_apart(side, task, arguments.seconds))
        ratio = statistics.median(ours / theirs for ours, theirs in zip(*sides.values(), strict=True))
        results[task] = {"ratio": ratio, **sides}
        print(
            f"{task:20}" + "".join(f"{statistics.median(each):10.0f}" for each in sides.values()) + f"{ratio:8.2f}"
        )
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
