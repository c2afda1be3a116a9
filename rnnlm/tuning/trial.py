"""A short run: it takes its share of the limits of a whole one, and may end early."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnnlm.config import Config
from rnnlm.generation.sampler import OverflowedError
from rnnlm.ranks.ranks import Ranks
from rnnlm.training.limits import Limits
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress
from rnnlm.training.records import DivergedError
from rnnlm.training.validation import measured
from rnnlm.tuning.record import COMPLETE, DIVERGED, PRUNED, Trial
from rnnlm.tuning.space import Values, changed

MEASURED_AT = (0.25, 0.5)
"""Shares of a trial after which it is measured, beside its end."""

NEVER = 2**40
"""Steps after which a trial would evaluate by itself."""

Evaluation = dict[str, float]


class HopelessError(Exception):
    """The trial is so much worse than those before that it ends."""


@dataclass(frozen=True)
class ShareOfLimits(Limits):
    """A share of what a whole run may take."""

    share: float = 1.0

    def done(self, progress: Progress) -> float:
        """Return how much of the share is over, from 0 to 1."""
        return min(1.0, super().done(progress) / self.share)

    def end(self, progress: Progress) -> tuple[str, str] | None:
        """Return that the share is used up; None if the trial goes on."""
        return ("tune", "the trial is over") if self.done(progress) >= 1 else None


def trial_config(config: Config, values: Values, seed: int) -> Config:
    """Return the configuration of a trial: it measures and writes no more than the tuning needs."""
    quiet = {
        "seed": seed,
        "evaluate_every": NEVER,
        "checkpoint_every": None,
        "patience": None,
        "sample_tokens": 0,
    }
    config = changed(config, values)
    return config.model_copy(update={"training": config.training.model_copy(update=quiet)})


def run_trial(
    trainer: Trainer, number: int, values: Values, share: float, is_hopeless: Callable[[Evaluation], bool]
) -> Trial | None:
    """Train for a share of the limits.

    Parameters
    ----------
    trainer
        Of the `trial_config`.
    number, values
        Which trial it is, and what it tries.
    share
        Of the configuration's limits.
    is_hopeless
        Asked after every measurement but the last, on the first rank alone.

    Returns
    -------
    Trial
        What came of it; None if a signal has stopped it.
    """
    trainer.limits = ShareOfLimits(trainer.limits.training, trainer.limits.epoch_tokens, share)
    watch = _Watch(trainer, is_hopeless, trainer.ranks)
    trainer.after_step = watch
    state = COMPLETE
    try:
        trainer.run()
    except HopelessError:
        state = PRUNED
    except DivergedError:
        state = DIVERGED
    # A signal may have come to one rank after all have last agreed on it.
    received = [number for number in trainer.ranks.gathered(trainer.signals.received) if number is not None]
    if received:
        trainer.signals.received = received[0]
        return None
    progress = trainer.progress
    if state == COMPLETE and progress.last_loss is not None:
        watch.evaluations.append({"share": 1.0, "loss": progress.last_loss, **progress.last_measures})
    seed = trainer.config.training.seed
    return Trial(number, values, seed, state, watch.evaluations, progress.tokens, progress.seconds)


class _Watch:
    """Measures a trial when a part of it is over; a trainer calls it after each step."""

    def __init__(self, trainer: Trainer, is_hopeless: Callable[[Evaluation], bool], ranks: Ranks) -> None:
        self.trainer, self.is_hopeless, self.ranks = trainer, is_hopeless, ranks
        self.evaluations: list[Evaluation] = []
        self._due = list(MEASURED_AT)

    def __call__(self) -> None:
        done = self.trainer.limits.done(self.trainer.progress)
        if done == 1 or not self._due or done < self._due[0]:
            return
        passed = [share for share in self._due if share <= done]
        self._due = self._due[len(passed) :]
        evaluation: Evaluation = {"share": passed[-1], **self._measured()}
        self.evaluations.append(evaluation)
        if self.ranks.told_by_first(lambda: self.is_hopeless(evaluation)):
            raise HopelessError

    def _measured(self) -> dict[str, Any]:
        trainer = self.trainer
        with trainer.optimizer.averages_in_place():
            try:
                found = measured(trainer.model, trainer.dataset.valid, self.ranks, trainer.signals.check)
            except OverflowedError as error:
                raise trainer.records.not_finite("validation loss", trainer.progress.step) from error
        return {"loss": found.cross_entropy, **found.measures()}
