"""One training step: what happens between a network and its optimizer."""

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.config import Config
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Batch
from rnnlm.nn.draws import ColumnDraws, Columns
from rnnlm.nn.network import Network
from rnnlm.optim import OPTIMIZERS, clip_by_value, global_norm, norm_factor
from rnnlm.ranks.ranks import OneProcess, Ranks
from rnnlm.training.sums import GradientSums


class NotFiniteError(Exception):
    """The loss or the gradient is no longer a finite number; the message says which."""


@dataclass(frozen=True)
class StepResult:
    """Cross-entropy summed over predictions, norm of the gradient before clipping, and state after the batch.

    The state is that of the sequences that this rank computes.
    """

    nats: float
    gradient_norm: float
    state: Floats


class TrainingStep:
    """Takes training steps.

    Of several ranks each computes some sequences of a batch. What they have of the gradient is added up, and all
    take the same step.

    Attributes
    ----------
    optimizer
        What changes the weights.
    gradients
        Those of the parameters that are trained, by name.
    """

    def __init__(self, network: Network, config: Config, ranks: Ranks | None = None) -> None:
        self.network = network
        self.config = config
        self.ranks = ranks or OneProcess()
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
        self._sums = GradientSums(self.ranks, network, self.gradients)

    def take(self, batch: Batch, state: Floats, learning_rate: float, rng: np.random.Generator) -> StepResult:
        """Forward, backward, clip, update.

        Parameters
        ----------
        batch
            What to train on, the same on all ranks.
        state
            The state after the batch before, which matters only where the batch continues it.
        learning_rate
            Size of the step.
        rng
            Source of the dropout masks, the same on all ranks.

        Raises
        ------
        NotFiniteError
            On all ranks, if loss or gradient overflowed; the weights are then as before.
        """
        part, draws = self._share(batch, rng)
        if not part.continues:
            state = self.network.initial_state(part.mask.shape[1])
        own_nats, state = self.network.backpropagate(
            part,
            state,
            bptt_truncate=self.config.training.bptt_truncate,
            rng=draws,
            on_output=self._sums.begin_output,
        )
        rows = self._sums.finish()
        nats = self._sum_of_nats(own_nats)
        gradients = [rows[name].rows if name in rows else g for name, g in self.gradients.items()]
        norm = global_norm(gradients)
        if not math.isfinite(norm):
            raise NotFiniteError("gradient")
        settings = self.config.optimizer
        scale = 1.0 if settings.clip_norm is None else norm_factor(norm, settings.clip_norm)
        if settings.clip_value is not None and scale > 0:
            clip_by_value(gradients, settings.clip_value / scale)
        self.optimizer.step(learning_rate, rows, scale)
        return StepResult(nats, norm, state)

    def own_state(self, state: Floats) -> Floats:
        """Return what this rank carries of a state of all sequences (L, S, B, H)."""
        return state[:, :, self._columns(state.shape[2]).slice]

    def state_of_all(self, state: Floats, sequences: int) -> Floats:
        """Return the state of so many sequences, (L, S, B, H), of which each rank gives its own."""
        columns = self._columns(sequences)
        return np.concatenate(self.ranks.gathered(state[:, :, : columns.last - columns.first]), axis=2)

    def _columns(self, sequences: int) -> Columns:
        """Return which of so many sequences this rank computes."""
        return Columns.share(self.ranks.rank, self.ranks.number, sequences)

    def _share(self, batch: Batch, rng: np.random.Generator) -> tuple[Batch, np.random.Generator]:
        """Return what this rank computes of a batch, and what draws for it."""
        if self.ranks.number == 1:
            return batch, rng
        columns = self._columns(batch.mask.shape[1])
        return batch.part(columns), ColumnDraws(rng, columns, batch.targets[batch.mask])

    def _sum_of_nats(self, own: float) -> float:
        """Return the cross-entropy of the whole batch; refuse one that is not finite."""
        nats = self.ranks.total(own)
        if not math.isfinite(nats):
            finite = self.ranks.gathered(math.isfinite(own))
            of_rank = f" of {self.ranks.name(finite.index(False))}" if not all(finite) and len(finite) > 1 else ""
            raise NotFiniteError(f"loss{of_rank}")
        return nats
