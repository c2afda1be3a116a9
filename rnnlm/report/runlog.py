"""What a run wrote down while it trained."""

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnlm.config import Config
from rnnlm.dataset.store import SPLITS, read_metadata
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.perplexity import TASKS_OF_PERPLEXITY
from rnnlm.files import sha256
from rnnlm.storage.checkpoint_index import CheckpointIndex
from rnnlm.storage.logs import METRICS, SAMPLES
from rnnlm.storage.run_directory import CHECKPOINTS, CONFIG, ENVIRONMENT, RunDirectory
from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE, VOCABULARY_FILE, Vocabulary
from rnnlm.training.progress import Evaluated, rank, results
from rnnlm.tuning.record import Trial, TuningRecord


@dataclass(frozen=True)
class Measurement:
    """A line of ``metrics.jsonl``; NaN stands for what the line does not have.

    `measures` are what the evaluation of a task has beside the loss, such as ``accuracy``.
    """

    split: str
    step: float
    epoch: float
    tokens: float
    loss: float
    perplexity: float
    learning_rate: float
    grad_norm: float
    tokens_per_second: float
    seconds: float
    measures: dict[str, float]

    def value(self, key: str) -> float:
        """Return a number of the line, one of the measures or of the others; NaN if it does not have it."""
        return getattr(self, key) if key in _NUMBERS else self.measures.get(key, math.nan)


_NUMBERS = [each.name for each in fields(Measurement) if each.name not in ("split", "measures")]


@dataclass(frozen=True)
class Sample:
    """A text drawn during training, or an example of what the model answers to one."""

    step: float
    text: str


@dataclass(frozen=True)
class RunLog:
    """The logs of a run, and what it was made with.

    Attributes
    ----------
    label
        A short name, different from those of the runs beside it.
    path
        Its directory.
    config, environment, vocabulary, source_vocabulary
        What it was made with; None in place of the vocabulary of a model of numbers, and of that of the sources of
        a model that is no translator.
    measurements
        The lines of ``metrics.jsonl``, at least one.
    samples
        The texts drawn, or the examples answered, at its evaluations.
    unknown_rates
        The share of unknown tokens by the split of the dataset; empty where the dataset is no longer there.
    trials
        The short runs by which its configuration was tuned, if it was.
    """

    label: str
    path: Path
    config: Config
    environment: dict[str, Any]
    vocabulary: Vocabulary | None
    source_vocabulary: Vocabulary | None
    measurements: list[Measurement]
    samples: list[Sample]
    unknown_rates: dict[str, float]
    trials: list[Trial] = field(default_factory=list)

    @property
    def last(self) -> Measurement:
        """The last line on training or validation."""
        return self.measurements[-1]

    @property
    def evaluations(self) -> list[Measurement]:
        """The lines on the validation split."""
        return [line for line in self.measurements if line.split == "valid"]

    @property
    def task(self) -> str:
        """What it learns, as ``task.name`` says it."""
        return self.config.task.name

    @cached_property
    def measures(self) -> list[str]:
        """The names of what its evaluations are judged by beside the loss, that which chooses the best first.

        That is the perplexity of a model that writes, and the task's own measures of others, which are known from
        the first evaluation on.
        """
        if self.task in TASKS_OF_PERPLEXITY:
            return ["perplexity"]
        return list(dict.fromkeys(name for line in self.evaluations for name in line.measures))

    @property
    def best(self) -> Measurement | None:
        """The first of the best evaluations (see `training.progress.rank`), if there is one."""
        finite = (line for line in self.evaluations if math.isfinite(line.loss))
        return min(finite, key=lambda line: rank(line.loss, line.measures), default=None)

    @property
    def tokens_per_second(self) -> float:
        """Mean speed of the training."""
        return self.last.tokens / self.last.seconds if self.last.seconds else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Return the results under the names that ``rnnlm train --json`` gives them."""

        def evaluation(line: Measurement | None) -> Evaluated:
            if line is None:
                return Evaluated(None, None, {})
            return Evaluated(int(line.step), _finite(line.loss), line.measures)

        best, last = evaluation(self.best), evaluation(self.evaluations[-1] if self.evaluations else None)
        steps, epochs, speed = int(self.last.step), _finite(self.last.epoch), _finite(self.tokens_per_second)
        return results(str(self.path), steps, epochs, best, last, speed)


def read_runs(paths: Sequence[Path]) -> list[RunLog]:
    """Read the logs of runs, which must not be empty; a run that is named twice is read once."""
    return [read_run(path, label) for path, label in labelled(paths).items()]


def labelled(paths: Sequence[Path]) -> dict[Path, str]:
    """Return labels of runs, by their paths, of which none is there twice.

    A label is the last part of the path, or as many parts as tell the runs apart.
    """
    by_place = {path.resolve(): path for path in paths}
    names = [place.name for place in by_place]
    if len(set(names)) < len(names):
        common = os.path.commonpath([place.parent for place in by_place])
        names = [place.relative_to(common).as_posix() for place in by_place]
    return dict(zip(by_place.values(), names, strict=True))


def refuse_other(path: Path) -> None:
    """Refuse a directory that is not a run's."""
    if not path.is_dir():
        raise RnnlmError(f"{path}: no such directory; name a run.")
    if not (path / CONFIG).exists() or not (path / CHECKPOINTS).is_dir():
        raise RnnlmError(f"{path}: not a run directory; name what 'rnnlm train --out' wrote.")


def read_run(path: Path, label: str) -> RunLog:
    """Read the logs of a run, also while it is being trained.

    Raises
    ------
    RnnlmError
        If it is no run, or has logged nothing yet.
    """
    refuse_other(path)
    measurements = [_measurement(values) for values in _read_log(path / METRICS)]
    if not measurements:
        raise RnnlmError(f"{path}: this run has logged nothing yet; wait for the first line, or train more steps.")
    config = Config.load(path / CONFIG)
    return RunLog(
        label=label,
        path=path,
        config=config,
        environment=_read_environment(path / ENVIRONMENT),
        measurements=measurements,
        samples=[_sample(values) for values in _read_log(path / SAMPLES)],
        trials=TuningRecord(path).trials(),
        **_of_checkpoint(RunDirectory(path).checkpoints, config),
    )


def _of_checkpoint(checkpoints: CheckpointIndex, config: Config) -> dict[str, Any]:
    """Read what the last checkpoint knows of the text, also while the run replaces it."""
    checkpoint = checkpoints.find("last")
    reads_text, source = config.task.name != "forecast", checkpoint / SOURCE_VOCABULARY_FILE
    try:
        return {
            "source_vocabulary": Vocabulary.load(source) if source.exists() else None,
            "vocabulary": Vocabulary.load(checkpoint) if reads_text else None,
            "unknown_rates": _unknown_rates(config.data.path, checkpoint / VOCABULARY_FILE) if reads_text else {},
        }
    except (RnnlmError, OSError):
        if checkpoints.find("last") == checkpoint:
            raise
    return _of_checkpoint(checkpoints, config)


def _read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects in the lines of a log; there are none if it does not exist."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return  # It is being written.
        try:
            # As floats, numbers of any length are read: the largest become infinite.
            values = json.loads(line, parse_int=float)
            if isinstance(values["step"], bool) or not math.isfinite(values["step"]):
                raise ValueError("step")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RnnlmError(
                f"{path}, line {number}: damaged, it should be a JSON object with a step; remove the line."
            ) from error
        yield values


def _measurement(values: dict[str, Any]) -> Measurement:
    numbers = {name: values.get(name) for name in _NUMBERS}
    return Measurement(
        split=str(values.get("split")),
        **{name: value if isinstance(value, float) else math.nan for name, value in numbers.items()},
        measures={
            name: value for name, value in values.items() if name not in _NUMBERS and isinstance(value, float)
        },
    )


def _sample(values: dict[str, Any]) -> Sample:
    # Half a surrogate pair is JSON, but can be written nowhere.
    text = str(values.get("text", "")).encode(errors="replace").decode()
    return Sample(values["step"], text)


def _read_environment(path: Path) -> dict[str, Any]:
    """Read versions and machine, which the oldest runs did not write down."""
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise RnnlmError(f"{path}: damaged, it is not JSON; remove the file.") from error
    return values if isinstance(values, dict) else {}


def _unknown_rates(path: str | None, vocabulary: Path) -> dict[str, float]:
    """Look up how much of the dataset is unknown, if one with this vocabulary is still where it was."""
    if path is None:
        return {}
    try:
        metadata = read_metadata(path)
    except RnnlmError:
        return {}
    if metadata["files"][VOCABULARY_FILE]["sha256"] != sha256(vocabulary):
        return {}
    parts = {name: metadata["splits"][name] for name in SPLITS}
    return {name: part["unknown_tokens"] / part["tokens"] for name, part in parts.items() if part["tokens"]}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
