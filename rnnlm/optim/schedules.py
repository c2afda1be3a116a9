"""Learning-rate schedules: from the progress of a run to the rate of the next step."""

import math
from typing import Any


class Schedule:
    """The same rate throughout, and what the other schedules change.

    Parameters
    ----------
    initial
        The learning rate at the start.
    """

    def __init__(self, initial: float) -> None:
        self.rate = initial

    def learning_rate(self, progress: float) -> float:
        """Return the rate of the next step when `progress`, from 0 to 1, of the run is done."""
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

    def learning_rate(self, progress: float) -> float:
        """Return the initial rate times the share of the run that is left."""
        return self.rate * (1 - progress)


class HalveOnPlateau(Schedule):
    """Halved whenever the evaluated loss is not below the one before: the published tutorial's rule."""

    def __init__(self, initial: float) -> None:
        super().__init__(initial)
        self.last_loss = math.inf

    def evaluated(self, loss: float) -> None:
        """Compare `loss` with the one before."""
        if loss >= self.last_loss:
            self.rate /= 2
        self.last_loss = loss

    def state(self) -> dict[str, Any]:
        """Return the rate and the last loss, None before the first."""
        return {"rate": self.rate, "last_loss": self.last_loss if math.isfinite(self.last_loss) else None}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take both up again."""
        self.rate = state["rate"]
        self.last_loss = math.inf if state["last_loss"] is None else state["last_loss"]


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Schedule,
    "halve_on_plateau": HalveOnPlateau,
    "linear": Linear,
}
"""The schedules by their names in a configuration."""
