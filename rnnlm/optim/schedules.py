"""Learning-rate schedules: from the progress of a run to the rate of the next step."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass
class Schedule:
    """The same rate throughout, and what the other schedules change.

    Attributes
    ----------
    rate
        The learning rate at the start.
    """

    rate: float

    def learning_rate(self, progress: float, epoch: int) -> float:
        """Return the rate of the next step, when a share of the run, `progress`, and `epoch` epochs are done."""
        return self.rate

    def evaluated(self, loss: float) -> None:
        """Take note of a new loss on the validation split."""

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs, as values that JSON can hold."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""


class Linear(Schedule):
    """From the initial rate straight down to zero at the end of the run."""

    def learning_rate(self, progress: float, epoch: int) -> float:
        """Return the initial rate times the share of the run that is left."""
        return self.rate * (1 - progress)


@dataclass
class Cosine(Schedule):
    """Down to zero along half a cosine (Loshchilov and Hutter 2017), after a warm-up in a straight line from zero.

    Attributes
    ----------
    rate
        The learning rate after the warm-up.
    warmup
        Share of the run that the warm-up takes.
    """

    warmup: float = 0.0

    def learning_rate(self, progress: float, epoch: int) -> float:
        """Return ``η p/w`` in the warm-up w, then ``η (1 + cos(π (p-w)/(1-w))) / 2``."""
        if progress < self.warmup:
            return self.rate * progress / self.warmup
        return self.rate * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup))) / 2


@dataclass
class Step(Schedule):
    """The initial rate for some epochs, then less with every epoch (Zaremba et al. 2014).

    Attributes
    ----------
    first_epochs
        Epochs with the initial rate.
    factor
        By which the rate is multiplied at the beginning of each later epoch.
    """

    first_epochs: int
    factor: float

    def learning_rate(self, progress: float, epoch: int) -> float:
        """Return the initial rate, multiplied for every epoch begun after the first ones."""
        return self.rate * self.factor ** max(0, epoch + 1 - self.first_epochs)


@dataclass
class HalveOnPlateau(Schedule):
    """Halved whenever the evaluated loss is above the one before: the published tutorial's rule."""

    factor: float = 1.0
    last_loss: float = math.inf

    def learning_rate(self, progress: float, epoch: int) -> float:
        """Return the rate with the halvings so far."""
        return self.rate * self.factor

    def evaluated(self, loss: float) -> None:
        """Compare `loss` with the one before."""
        if loss > self.last_loss:
            self.factor /= 2
        self.last_loss = loss

    def state(self) -> dict[str, Any]:
        """Return the halvings and the last loss, None before the first."""
        last_loss = self.last_loss if math.isfinite(self.last_loss) else None
        return {"factor": self.factor, "last_loss": last_loss}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take both up again; a run resumed with another initial rate keeps its halvings."""
        self.factor = float(state["factor"])
        self.last_loss = math.inf if state["last_loss"] is None else float(state["last_loss"])


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Schedule,
    "halve_on_plateau": HalveOnPlateau,
    "linear": Linear,
    "cosine": Cosine,
    "step": Step,
}
"""The schedules by their names in a configuration."""
