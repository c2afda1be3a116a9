"""What a tuning writes down: what it was begun with, and a line on every trial that is over."""

import json
import math
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rnnlm.config import Config
from rnnlm.config.commenting import commented_yaml
from rnnlm.errors import RnnlmError
from rnnlm.files import explaining, make_directory, read_text, write_atomically
from rnnlm.storage.run_directory import CONFIG, TUNING
from rnnlm.training.progress import is_error, rank
from rnnlm.tuning.space import Values

BEGUN = "tuning.json"
TRIALS = "trials.jsonl"

COMPLETE, PRUNED, DIVERGED = "complete", "pruned", "diverged"


@dataclass(frozen=True)
class Trial:
    """A short run that is over.

    Attributes
    ----------
    number
        Which one, from 0.
    values
        What it was tried with, by ``section.key``.
    seed
        The ``training.seed``: values that are tried again get another one.
    state
        "complete", "pruned" if it was ended because it was hopeless, or "diverged".
    evaluations
        What was measured on the validation split: the ``share`` of the trial that was over, the ``loss`` in nats a
        prediction, and the task's own measures.
    tokens, seconds
        What it was trained on, and how long.
    """

    number: int
    values: Values
    seed: int
    state: str
    evaluations: list[dict[str, float]]
    tokens: int
    seconds: float

    @property
    def measure(self) -> str:
        """The name of what decides: the first of the task's own measures, or the loss."""
        return next((name for each in self.evaluations for name in each if name not in ("share", "loss")), "loss")

    @property
    def best(self) -> float | None:
        """The best evaluation's value of the `measure`; None if there was no evaluation."""
        if not self.evaluations:
            return None
        return min(self.evaluations, key=score)[self.measure]

    @property
    def score(self) -> float:
        """What the best trial has least of: infinite unless it is complete."""
        return min(map(score, self.evaluations)) if self.state == COMPLETE else math.inf


def score(evaluation: Mapping[str, float]) -> float:
    """Return what the best evaluation has least of; see `rnnlm.training.progress.rank`."""
    measures = {name: value for name, value in evaluation.items() if name not in ("share", "loss")}
    return rank(evaluation["loss"], measures)[0] if measures else evaluation["loss"]


def value_of(score: float, measure: str) -> float:
    """Return the value of a measure that a score stands for."""
    return score if measure == "loss" or is_error(measure) else -score


@dataclass(frozen=True)
class Begun:
    """What a tuning was begun with: the configuration, how many trials, and what their networks begin with.

    `comments` go into the configuration for people; see `commented_yaml`.
    """

    config: Config
    trials: int
    init_from: str | None
    comments: Mapping[str, str] = field(default_factory=dict, compare=False)


class TuningRecord:
    """The directory of a tuning, within that of the run that it is for.

    Parameters
    ----------
    run
        The run's directory.
    """

    def __init__(self, run: Path) -> None:
        self.directory = run / TUNING

    @property
    def exists(self) -> bool:
        """Whether a tuning was begun."""
        return (self.directory / BEGUN).is_file()

    def trial_directory(self, number: int) -> Path:
        """Return where a trial is to be trained; remove what one that was stopped has left there.

        Raises
        ------
        RnnlmError
            If that cannot be removed, or is a link that leads somewhere else.
        """
        directory = self.directory / "trials" / f"{number:03}"
        for path in (self.directory, directory.parent, directory):
            if path.is_symlink():
                raise RnnlmError(f"{path}: a link, and a run writes nothing outside its directory; remove it.")
        if directory.exists():
            with self._writing():
                shutil.rmtree(directory)
        return directory

    def begin(self, begun: Begun) -> None:
        """Write down what the tuning begins with."""
        settings = {"trials": begun.trials, "init_from": begun.init_from, "comments": dict(begun.comments)}
        with self._writing():
            make_directory(self.directory)
            write_atomically(self.directory / CONFIG, commented_yaml(begun.config.values(), begun.comments))
            write_atomically(self.directory / BEGUN, json.dumps(settings, indent=1, ensure_ascii=False) + "\n")

    def begun(self) -> Begun:
        """Return what the tuning was begun with."""
        file = self.directory / BEGUN
        try:
            begun = Begun(Config.load(self.directory / CONFIG), **json.loads(read_text(file)))
            if type(begun.trials) is not int or begun.trials < 1 or not isinstance(begun.init_from, str | None):
                raise ValueError(begun.trials)
            if not all(isinstance(comment, str) for comment in begun.comments.values()):
                raise ValueError(begun.comments)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise RnnlmError(f"{file}: damaged; remove {self.directory} to tune anew.") from error
        return begun

    def trials(self) -> list[Trial]:
        """Return the trials that are over."""
        file = self.directory / TRIALS
        trials: list[Trial] = []
        for line in file.read_bytes().splitlines() if file.exists() else []:
            try:
                trial = Trial(**json.loads(line))
                if (
                    not _is_whole(trial, len(trials))
                    or trial.values.keys() != (trials or [trial])[0].values.keys()
                ):
                    raise ValueError(line)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                place = f"{file}, line {len(trials) + 1}"
                raise RnnlmError(f"{place}: damaged; remove it and the lines after it.") from error
            trials.append(trial)
        return trials

    def add(self, trial: Trial) -> None:
        """Write down a trial that is over."""
        lines = [json.dumps(asdict(each)) for each in [*self.trials(), trial]]
        with self._writing():
            write_atomically(self.directory / TRIALS, "\n".join(lines) + "\n")

    def _writing(self) -> AbstractContextManager[None]:
        advice = "; see to its room and permissions, then go on with `resume`"
        return explaining(self.directory, "the tuning cannot be written", advice)


def _is_whole(trial: Trial, number: int) -> bool:
    """Whether a trial is what `TuningRecord.add` has written."""
    return (
        trial.number == number
        and trial.state in (COMPLETE, PRUNED, DIVERGED)
        and all(map(_is_number, [*trial.values.values(), trial.seed, trial.tokens, trial.seconds]))
        and all(_is_number(value) for each in trial.evaluations for value in each.values())
        and all("loss" in each and "share" in each for each in trial.evaluations)
        and (trial.state == DIVERGED or len(trial.evaluations) > 0)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
