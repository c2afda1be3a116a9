"""When a run ends."""

from dataclasses import dataclass

from rnnlm.config.schema import TrainingConfig
from rnnlm.text.report import counted
from rnnlm.training.progress import Progress, called, is_error


@dataclass(frozen=True)
class Limits:
    """What a run may take: the configuration's limits, and the predictions in an epoch."""

    training: TrainingConfig
    epoch_tokens: int

    def epochs(self, progress: Progress) -> float:
        """Return how many passes over the training split are done, the last one in part."""
        return progress.tokens / self.epoch_tokens

    def done(self, progress: Progress) -> float:
        """Return the share of the run that is over, by whichever limit is nearest, from 0 to 1."""
        training = self.training
        shares = [self.epochs(progress) / training.epochs]
        if training.max_steps is not None:
            shares.append(progress.step / training.max_steps if training.max_steps else 1.0)
        if training.max_seconds is not None:
            shares.append(progress.seconds / training.max_seconds)
        return min(1.0, max(shares))

    def end(self, progress: Progress) -> tuple[str, str] | None:
        """Return the key whose limit the run has reached, and what has happened; None if it goes on."""
        training = self.training
        if training.patience is not None and progress.evaluations_since_best >= training.patience:
            evaluations = counted(progress.evaluations_since_best, "evaluation{s}")
            measure = next(iter(progress.best_measures), None)
            falls = measure is None or is_error(measure)
            what = f"{called(measure or 'loss')} has not {'fallen' if falls else 'risen'}"
            return "training.patience", f"the validation {what} for {evaluations}"
        if training.max_steps is not None and progress.step >= training.max_steps:
            return "training.max_steps", counted(progress.step, "step{s} {are} done")
        if training.max_seconds is not None and progress.seconds >= training.max_seconds:
            return "training.max_seconds", counted(round(progress.seconds), "second{s} of training {are} over")
        if progress.epoch >= training.epochs:
            return "training.epochs", counted(progress.epoch, "epoch{s} {are} done")
        return None
