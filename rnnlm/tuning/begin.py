"""Where a tuning begins, or goes on: trials one after the other, of which the best is trained on."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.ranks.ranks import AgreedError, Ranks
from rnnlm.storage.run_directory import CHECKPOINTS, RunDirectory
from rnnlm.text.report import counted
from rnnlm.training.begin import begin_run
from rnnlm.training.progress import called
from rnnlm.tuning.record import Begun, Trial, TuningRecord, value_of
from rnnlm.tuning.search import Search, again, best
from rnnlm.tuning.space import Values, changed, given, space
from rnnlm.tuning.trial import run_trial, trial_config

REPEATED_SHARE = 4
"""One in so many trials tries again what was best, with another seed."""


class Tuned(NamedTuple):
    """The run that is to come.

    Attributes
    ----------
    config, comments
        What is trained, and what is written into its configuration for people.
    resume
        Whether it goes on.
    stopped_by
        The number of the signal that has stopped the tuning before; None if it is over.
    """

    config: Config
    comments: Mapping[str, str]
    resume: bool
    stopped_by: int | None = None


def tuned(
    config: Config,
    out: Path,
    trials: int | None,
    resume: bool,
    quiet: bool,
    init_from: Path | None,
    comments: Mapping[str, str],
    ranks: Ranks,
) -> Tuned:
    """Tune a configuration, or go on with that, where it is to be tuned before its run begins.

    The trials together take as long as the run that comes after them: each its share of the time, the steps or the
    epochs.

    Parameters
    ----------
    config, out, init_from, comments, ranks, quiet
        As for `begin_run`.
    trials
        How many short runs there are to be; None to tune nothing, or to go on with as many as were begun.
    resume
        Whether to go on with what is in `out`.

    Raises
    ------
    RnnlmError
        If a tuning there is not to be resumed or was begun otherwise, if there is nothing to tune, or if every
        trial has diverged.
    """
    record = TuningRecord(out)
    begun = ranks.told_by_first(lambda: _begun(record, config, trials, resume, init_from, comments))
    if begun is None:
        return Tuned(config, comments, resume)
    return Tuning(record, begun, ranks, quiet).run()


def _begun(
    record: TuningRecord,
    config: Config,
    trials: int | None,
    resume: bool,
    init_from: Path | None,
    comments: Mapping[str, str],
) -> Begun | None:
    """Return what is to be tuned, or to be tuned on; None if there is nothing."""
    out = record.directory.parent
    run = RunDirectory(out)
    if run.exists:
        return None
    if record.exists:
        if not resume:
            raise RnnlmError(f"{out}: there is a tuning in it; go on with `resume`, or choose another `out`.")
        begun = record.begun()
        network = begun.init_from if init_from is None else str(init_from)
        if Begun(config, trials or begun.trials, network) != begun:
            raise RnnlmError(
                f"{out}: its tuning was begun otherwise, with {counted(begun.trials, 'trial{s}')}; "
                f"give nothing but `resume` and `out` to go on with it, or choose another `out`."
            )
        return begun
    if trials is None or resume:
        return None
    run.refuse_other_files()
    if config.task.fit == "least_squares":
        raise RnnlmError("task.fit: least squares find the best weights at once; there is nothing to tune.")
    if config.training.max_steps == 0:
        raise RnnlmError("training.max_steps: 0 trains nothing, so there is nothing to tune.")
    begun = Begun(config, trials, None if init_from is None else str(init_from), comments)
    record.begin(begun)
    return begun


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
    """

    def __init__(self, record: TuningRecord, begun: Begun, ranks: Ranks, quiet: bool) -> None:
        self.record, self.begun, self.ranks, self.quiet = record, begun, ranks, quiet or not ranks.is_first
        self.trials = ranks.told_by_first(record.trials)
        self.searched = begun.trials - begun.trials // REPEATED_SHARE
        self.space = space(begun.config, keeps_network=begun.init_from is not None)
        self._search: Search | None = None

    def run(self) -> Tuned:
        """Try all that is left to try, and return the best."""
        config, comments = self.begun.config, self.begun.comments
        self._say(f"Tuning {', '.join(self.space)}: {counted(self.begun.trials, 'short run{s}')}.")
        while len(self.trials) < self.begun.trials:
            values, seed = self.ranks.told_by_first(self._proposed)
            stopped_by = self._try(values, seed)
            if stopped_by is not None:
                return Tuned(config, comments, False, stopped_by)
        chosen = self.ranks.told_by_first(lambda: best(self.trials))
        values, found = chosen[0].values, _found(chosen)
        self._say(f"Tuned: {_listed(values)} ({found}).")
        before = given(config, values)
        reasons = {key: f"Tuned; it was {before[key]:g}." for key in values if values[key] != before[key]}
        why = f"The best of {counted(len(self.trials), 'short run{s}')}, each a share of this one: {found}."
        comments = {**comments, **reasons, "": f"{comments.get('', '')}\n{why}".strip()}
        return Tuned(changed(config, values), comments, resume=False)

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
        directory = self.record.directory / "trials" / f"{number:03}"
        if self.ranks.is_first:
            shutil.rmtree(directory, ignore_errors=True)  # a trial that was stopped
        init_from = None if self.begun.init_from is None else Path(self.begun.init_from)
        trainer = begin_run(config, directory, False, True, init_from, ranks=self.ranks)
        if trainer.dataset.valid.num_tokens == 0:
            raise AgreedError(f"{trainer.dataset.path}: the validation split is empty, and tuning goes by it.")
        trial = run_trial(trainer, number, values, 1 / self.begun.trials, self._is_hopeless)
        if trial is None:
            return trainer.signals.received
        if self.ranks.is_first:
            shutil.rmtree(directory / CHECKPOINTS, ignore_errors=True)
        self.ranks.told_by_first(lambda: self.record.add(trial))
        self.trials.append(trial)
        self._say(f"Trial {number + 1} of {self.begun.trials}: {_listed(values)}, seed {seed}: {_outcome(trial)}")
        return None

    def _is_hopeless(self, evaluation: dict[str, float]) -> bool:
        return self._search is not None and self._search.is_hopeless(evaluation)

    def _say(self, message: str) -> None:
        if not self.quiet:
            print(message, file=sys.stderr)


def _listed(values: Values) -> str:
    """List values for people, as in "learning_rate 0.5, dropout 0.2"."""
    return ", ".join(f"{name.partition('.')[2]} {value:.4g}" for name, value in values.items())


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
