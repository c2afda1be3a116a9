"""The training loop."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rnnlm import backend
from rnnlm.dataset.series import SeriesDataset
from rnnlm.dataset.store import Dataset
from rnnlm.generation.sampler import OverflowedError
from rnnlm.models.model import Model
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Batch
from rnnlm.optim import SCHEDULES, global_norm
from rnnlm.ranks.ranks import AgreedError, OneProcess, Ranks
from rnnlm.signals import Stopped, StopSignals
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.display import Display
from rnnlm.training.limits import Limits
from rnnlm.training.progress import Progress
from rnnlm.training.records import Records, arithmetic
from rnnlm.training.step import NotFiniteError, TrainingStep
from rnnlm.training.validation import measured


class Trainer:
    """Trains a model on a dataset and keeps its run directory.

    Several ranks take every decision together, by the clock of the first, which alone writes and speaks.

    Parameters
    ----------
    model
        What is trained; its weights are those to begin with.
    dataset
        What to train and evaluate on.
    run
        Where configuration, metrics and checkpoints go.
    ranks
        Who trains: what a trainer of each does, those of all others do.
    quiet
        Whether to print nothing to stderr.
    after_step
        Called after each step, before what is due at it; what it raises ends the run.

    Attributes
    ----------
    progress, schedule, optimizer, carried
        Where the training is: steps and losses, learning rate, state of the optimizer, the network's state.
    records
        What is written down of that.
    notes
        Lines of the `description` on what is no longer as it was in the checkpoint.

    Raises
    ------
    RnnlmError
        If the training split is empty.
    """

    def __init__(
        self,
        model: Model[Any, Any],
        dataset: Dataset | SeriesDataset,
        run: RunDirectory,
        *,
        ranks: Ranks | None = None,
        quiet: bool = False,
        after_step: Callable[[], None] | None = None,
    ) -> None:
        config, training = model.config, model.config.training
        self.model, self.config, self.dataset, self.run_directory = model, config, dataset, run
        self.ranks = ranks or OneProcess()
        self.records = Records(run, model, dataset, self.ranks)
        if dataset.train.num_tokens == 0:
            raise AgreedError(f"{dataset.path}: the training split is empty; preprocess more text.")
        self.threads_set = training.threads in (None, backend.threads())
        self.training_step = TrainingStep(model.network, config, self.ranks)
        self.optimizer = self.training_step.optimizer
        self.schedule = SCHEDULES[config.schedule.name](
            config.optimizer.learning_rate, **config.schedule.options()
        )
        self.batches = model.batches(dataset.train)
        self.limits = Limits(training, self.batches.num_tokens)
        self.progress = Progress()
        self.carry(model.network.initial_state(training.batch_size))
        self.notes: list[str] = []
        self.signals = StopSignals()
        self.quiet, self.after_step = quiet or not self.ranks.is_first, after_step

    def carry(self, state: Floats) -> None:
        """Go on from a state of all sequences (L, S, B, H), of which this rank takes its own."""
        self.carried, self.sequences = self.training_step.own_state(state), state.shape[2]

    def description(self) -> str:
        """Say in a few lines what is trained on what."""
        lines = [
            f"Network: {self.model.description()}",
            f"Data: {self.dataset.path}, {self.model.data_description()}, "
            f"{self.batches.num_tokens:,} to train on; {arithmetic(self.ranks)}",
        ]
        if self.ranks.number > 1:
            lines.append(f"Trained by {self.ranks}.")
        if self.ranks.number > self.config.training.batch_size:
            lines.append("training.batch_size is less than the number of ranks: some have nothing to compute.")
        if self.progress.step:
            lines += [f"Resumed at step {self.progress.step:,}.", *self.notes]
            if (end := self.limits.end(self.progress)) is not None:
                lines.append(f"The run has reached its end; raise {end[0]} to go on.")
        if not self.threads_set:
            lines.append("training.threads has no effect: the threads of NumPy's BLAS here cannot be set.")
        if self.dataset.valid.num_tokens == 0:
            lines.append("The validation split is empty: nothing is evaluated, the last checkpoint is the best.")
        return "\n".join(lines)

    def begin(self) -> None:
        """Write the run with a checkpoint of the network as it is, before any training."""
        self.run_directory.begin(self.config)
        self._save()

    def run(self) -> dict[str, Any]:
        """Train until the epochs, the steps, the time or the patience are used up, or a signal comes.

        Returns
        -------
        dict
            What `rnnlm train --json` prints.

        Raises
        ------
        RnnlmError
            If the loss is no longer a finite number, or a checkpoint cannot be written.
        """
        with self.records.open(self.config):
            self.display = Display(self.quiet, self.limits.done(self.progress), self.config.task.name)
            try:
                with self.signals.noted(), np.errstate(all="ignore"):
                    self._train()
            finally:
                self.display.close()
        end = self.limits.end(self.progress)
        return {
            **self.progress.results(str(self.run_directory.path), self.limits.epochs(self.progress)),
            "backend": backend.current(),
            **({"ranks": self.ranks.number} if self.ranks.number > 1 else {}),
            "ended_by": None if end is None else end[0],
        }

    def _train(self) -> None:
        try:
            if self.progress.step == 0:
                self._save()
            if self.progress.evaluation_pending:
                self._evaluate()
            while (end := self.limits.end(self.progress)) is None:
                self._epoch()
            if self.progress.last_step != self.progress.step > 0:
                self._evaluate()
            key, reason = end
            self.display.say(f"Stopped: {reason} ({key}).")
        except Stopped:
            received = self.ranks.gathered(self.signals.received)
            self.signals.received = next(number for number in received if number is not None)
            self._save()

    def _epoch(self) -> None:
        """Train on what is left of an epoch, or until the run is finished."""
        training, progress = self.config.training, self.progress
        started = time.perf_counter()
        for batch in self.batches.epoch(progress.epoch, first=progress.batch):
            self._step(batch)
            self._count(time.perf_counter() - started)
            if self.after_step is not None:
                self.after_step()
            self.display.update(self.limits.done(progress), progress)
            if progress.step % training.log_every == 0:
                self._write_metrics("train", progress.logged_loss, progress.logged_speed)
                progress.logged()
            if training.evaluate_every is not None and progress.step % training.evaluate_every == 0:
                self._evaluate()
            elif training.checkpoint_every is not None and progress.step % training.checkpoint_every == 0:
                self._save()
            self._stop_together()
            if self.limits.end(progress) is not None:
                return
            started = time.perf_counter()
        progress.epoch += 1
        progress.batch = 0
        if training.evaluate_every is None:
            self._evaluate()

    def _step(self, batch: Batch) -> None:
        """Train on a batch."""
        progress = self.progress
        progress.learning_rate = self.schedule.learning_rate(self.limits.done(progress), progress.epoch)
        try:
            # Seeded by the step, so that a resumed run drops what an uninterrupted one would have.
            rng = np.random.default_rng([self.config.training.seed, progress.step])
            result = self.training_step.take(batch, self.carried, progress.learning_rate, rng)
        except NotFiniteError as error:
            raise self.records.not_finite(str(error), self.progress.step) from error
        self.carried, self.sequences = result.state, batch.mask.shape[1]
        tokens = batch.num_tokens
        progress.stepped(tokens, result.nats * (tokens / max(1, batch.num_predictions)), result.gradient_norm)

    def _count(self, seconds: float) -> None:
        """Count the seconds that a step took, as the first rank has measured them."""
        counted = self.ranks.total(seconds if self.ranks.is_first else 0.0)
        self.progress.seconds += counted
        self.progress.logged_seconds += counted

    def _stop_together(self) -> None:
        """Raise `Stopped` if a signal has come to any rank."""
        if self.ranks.total(self.signals.received is not None) > 0:
            raise Stopped

    def _evaluate(self) -> None:
        """Measure the validation split, sample a text, save."""
        self._check_weights()
        self.progress.evaluation_pending = True
        if self.dataset.valid.num_tokens > 0:
            self._validate()
        else:
            self.progress.evaluation_pending = False
            self.progress.last_step = self.progress.step
        self._preview()
        self._save()

    def _validate(self) -> None:
        """Measure the validation split, and note and show what that gives."""
        progress = self.progress
        try:
            with self.optimizer.averages_in_place():
                evaluation = measured(self.model, self.dataset.valid, self.ranks, self.signals.check)
        except OverflowedError:
            loss = math.nan
        else:
            loss = evaluation.cross_entropy
        if not math.isfinite(loss):
            raise self.records.not_finite("validation loss", self.progress.step)
        self.schedule.evaluated(loss)
        self.optimizer.evaluated(loss)
        measures = evaluation.measures()
        progress.evaluated(loss, measures)
        self._write_metrics("valid", loss, progress.tokens / progress.seconds, **measures)
        self.display.evaluated(progress, self.limits.epochs(progress), self.model)

    def _preview(self) -> None:
        """Show what the model can do so far."""
        training, step = self.config.training, self.progress.step
        if training.sample_tokens == 0 or not self.ranks.is_first:
            return
        rng = np.random.default_rng([training.seed, step, 1])
        with self.optimizer.averages_in_place():
            # A stop waits: a resumed run would not draw it again.
            split = self.dataset.valid if self.dataset.valid.num_tokens else self.dataset.train
            text = self.model.preview(split, rng, training.sample_tokens)
        self.records.sample({"step": step, "text": text})
        self.display.say(f"  {text}")

    def _save(self) -> None:
        self._check_weights()
        carried = self.training_step.state_of_all(self.carried, self.sequences)
        tensors = {"carried": carried, **self.optimizer.state()}
        self.records.save(self.progress, self.schedule.state(), tensors, self.optimizer.averages())

    def _write_metrics(self, split: str, loss: float, tokens_per_second: float, **measures: float) -> None:
        metrics = self.progress.metrics(split, self.limits.epochs(self.progress), loss, tokens_per_second)
        self.records.metrics({**metrics, **measures})

    def _check_weights(self) -> None:
        """See to it that a step which overflowed is neither evaluated nor saved."""
        if not math.isfinite(global_norm(self.model.network.parameters.values())):
            raise self.records.not_finite("norm of the weights", self.progress.step)
