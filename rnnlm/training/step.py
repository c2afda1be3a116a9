"""One training step: what happens between a network and its optimizer."""

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.config import Config
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Batch
from rnnlm.nn.network import Network
from rnnlm.optim import OPTIMIZERS, RowGradient, clip_by_value, global_norm, norm_factor


class NotFiniteError(Exception):
    """The loss or the gradient is no longer a finite number; the message says which."""


@dataclass(frozen=True)
class StepResult:
    """Cross-entropy summed over predictions, norm of the gradient before clipping, and state after the batch."""

    nats: float
    gradient_norm: float
    state: Floats


class TrainingStep:
    """Takes training steps.

    Attributes
    ----------
    optimizer
        What changes the weights.
    gradients
        Those of the parameters that are trained, by name.
    """

    def __init__(self, network: Network, config: Config) -> None:
        self.network = network
        self.config = config
        trained = self.network.trained
        self.gradients = {name: self.network.gradients[name] for name in trained}
        self.optimizer = OPTIMIZERS[config.optimizer.name](
            {name: self.network.parameters[name] for name in trained},
            self.gradients,
            weight_decay=config.optimizer.weight_decay,
            **config.optimizer.options(),
        )
        if self.optimizer.takes_rows:
            self.network.track_gradient_rows()

    def take(self, batch: Batch, state: Floats, learning_rate: float, rng: np.random.Generator) -> StepResult:
        """Forward, backward, clip, update.

        Parameters
        ----------
        batch
            What to train on.
        state
            The state after the batch before, which matters only where the batch continues it.
        learning_rate
            Size of the step.
        rng
            Source of the dropout masks.

        Raises
        ------
        NotFiniteError
            If loss or gradient overflowed; the weights are then as before.
        """
        if not batch.continues:
            state = self.network.initial_state(batch.mask.shape[1])
        nats, state = self.network.backpropagate(
            batch, state, bptt_truncate=self.config.training.bptt_truncate, rng=rng
        )
        rows = {
            name: RowGradient.of(self.gradients[name], ids, axis)
            for name, (ids, axis) in self.network.gradient_rows().items()
            if name in self.gradients
        }
        gradients = [rows[name].rows if name in rows else g for name, g in self.gradients.items()]
        norm = global_norm(gradients)
        if not math.isfinite(nats):
            raise NotFiniteError("loss")
        if not math.isfinite(norm):
            raise NotFiniteError("gradient")
        settings = self.config.optimizer
        scale = 1.0 if settings.clip_norm is None else norm_factor(norm, settings.clip_norm)
        if settings.clip_value is not None and scale > 0:
            clip_by_value(gradients, settings.clip_value / scale)
        self.optimizer.step(learning_rate, rows, scale)
        return StepResult(nats, norm, state)
