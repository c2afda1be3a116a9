"""A tuning: trials one after the other, each a run of its own, and what is best of them."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.ranks.ranks import AgreedError, Ranks
from rnnlm.storage.run_directory import CHECKPOINTS
from rnnlm.text.report import counted
from rnnlm.training.begin import begin_run
from rnnlm.training.progress import called
from rnnlm.tuning.record import Begun, Trial, TuningRecord, value_of
from rnnlm.tuning.search import Search, again, best
from rnnlm.tuning.space import Value, Values, changed, given, space
from rnnlm.tuning.trial import run_trial, trial_config

REPEATED_SHARE, REPEATED_FROM = 4, 8
"""One in so many trials, where there are so many, tries again what was best, with another seed."""

UNTOUCHED_SCHEDULES = ("halve_on_plateau", "step")
"""Schedules that do nothing in a trial, which is short and measured at its end."""


class ComingRun(NamedTuple):
    """What is to be trained.

    Attributes
    ----------
    config, comments, init_from
        The configuration, what is written into it for people, and what the network begins with.
    resume
        Whether the run goes on.
    stopped_by
        The number of the signal that has stopped the tuning before; None if that is over.
    """

    config: Config
    comments: Mapping[str, str]
    init_from: Path | None
    resume: bool = False
    stopped_by: int | None = None


class Tuning:
    """Trials around a configuration, one after the other; all ranks train each of them together.

    Parameters
    ----------
    record
        Where it is written down, with the trials that are over.
    begun
        What it was begun with.
    ranks
        Who trains; the first alone chooses, reads and writes.
    quiet
        Whether to say nothing.

    Raises
    ------
    RnnlmError
        If what is written down does not belong to what it was begun with.
    """

    def __init__(self, record: TuningRecord, begun: Begun, ranks: Ranks, quiet: bool) -> None:
        self.record, self.begun, self.ranks, self.quiet = record, begun, ranks, quiet or not ranks.is_first
        self.init_from = None if begun.init_from is None else Path(begun.init_from)
        self.space = space(begun.config, keeps_network=begun.init_from is not None)
        self.trials = ranks.told_by_first(self._trials_before)
        repeated = begun.trials // REPEATED_SHARE if begun.trials >= REPEATED_FROM else 0
        self.searched = begun.trials - repeated
        self._search: Search | None = None

    def _trials_before(self) -> list[Trial]:
        trials = self.record.trials()
        for trial in trials:
            known = {key: value for key, value in trial.values.items() if value in self.space.get(key, [])}
            if known.keys() != self.space.keys():
                raise RnnlmError(
                    f"{self.record.directory}: trial {trial.number} tried what would not be tried now; remove the "
                    "directory to tune anew."
                )
        return trials

    def run(self) -> ComingRun:
        """Try all that is left to try, and return the run of what is best."""
        config, comments = self.begun.config, self.begun.comments
        self._say(f"Tuning {', '.join(self.space)}: {counted(self.begun.trials, 'short run{s}')}.")
        if config.schedule.name in UNTOUCHED_SCHEDULES:
            self._say(f"schedule.name {config.schedule.name} does nothing in a short run; linear and cosine do.")
        while len(self.trials) < self.begun.trials:
            values, seed = self.ranks.told_by_first(self._proposed)
            stopped_by = self._try(values, seed)
            if stopped_by is not None:
                return ComingRun(config, comments, self.init_from, stopped_by=stopped_by)
        chosen = self.ranks.told_by_first(lambda: best(self.trials))
        values, found = chosen[0].values, _found(chosen)
        self._say(f"Tuned: {_listed(values)} ({found}).")
        before = given(config, values)
        reasons = {key: f"Tuned; it was {before[key]:g}." for key in values if values[key] != before[key]}
        why = f"The best of {counted(len(self.trials), 'short run{s}')}, each a share of this one: {found}."
        comments = {**comments, **reasons, "": f"{comments.get('', '')}\n{why}".strip()}
        return ComingRun(changed(config, values), comments, self.init_from)

    def _proposed(self) -> tuple[Values, int]:
        """Return what to try next, with which seed."""
        config, before = self.begun.config, self.trials
        if len(before) < self.searched:
            start = given(config, self.space)
            self._search = Search(self.space, start, before, self.searched, config.training.seed)
            values = self._search.values
        else:
            self._search, values = None, again(before, self.searched)
        return values, config.training.seed + sum(trial.values == values for trial in before)

    def _try(self, values: Values, seed: int) -> int | None:
        """Run a trial and write down what came of it, unless a signal stops it, whose number is returned."""
        number, config = len(self.trials), trial_config(self.begun.config, values, seed)
        directory = self.ranks.told_by_first(lambda: self.record.trial_directory(number))
        trainer = begin_run(config, directory, False, True, self.init_from, ranks=self.ranks)
        if trainer.dataset.valid.num_tokens == 0:
            raise AgreedError(f"{trainer.dataset.path}: the validation split is empty, and tuning goes by it.")
        self.ranks.told_by_first(self._write_beginning)
        trial = run_trial(trainer, number, values, 1 / self.begun.trials, self._is_hopeless)
        if trial is None:
            return trainer.signals.received
        if self.ranks.is_first:
            shutil.rmtree(directory / CHECKPOINTS, ignore_errors=True)
        self.ranks.told_by_first(lambda: self.record.add(trial))
        self.trials.append(trial)
        self._say(f"Trial {number + 1} of {self.begun.trials}: {_listed(values)}, seed {seed}: {_outcome(trial)}")
        return None

    def _write_beginning(self) -> None:
        """Write down what the tuning begins with: not before a trial can, or a wrong option would leave it."""
        if not self.record.exists:
            self.record.begin(self.begun)

    def _is_hopeless(self, evaluation: dict[str, float]) -> bool:
        return self._search is not None and self._search.is_hopeless(evaluation)

    def _say(self, message: str) -> None:
        if not self.quiet:
            print(message, file=sys.stderr)


def shown(value: Value) -> str:
    """Write a value for people."""
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _listed(values: Values) -> str:
    """List values for people, as in "learning_rate 0.5, dropout 0.2"."""
    return ", ".join(f"{name.partition('.')[2]} {shown(value)}" for name, value in values.items())


def _outcome(trial: Trial) -> str:
    """Say what came of a trial."""
    found = "" if trial.best is None else f"validation {called(trial.measure)} {trial.best:.4f}"
    return ", ".join(filter(None, [found, "" if trial.state == "complete" else trial.state]))


def _found(chosen: list[Trial]) -> str:
    """Say how good the trials of some values were."""
    measure = chosen[0].measure
    value = value_of(fmean(trial.score for trial in chosen), measure)
    seeds = f" on average of {len(chosen)} seeds" if len(chosen) > 1 else ""
    return f"validation {called(measure)} {value:.4f}{seeds}"
