"""The training loop."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import backend, blas
from rnnlm.dataset.series import SeriesDataset
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.generation.sampler import OverflowedError
from rnnlm.models.model import Model
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Batch
from rnnlm.optim import SCHEDULES, global_norm
from rnnlm.signals import Stopped, StopSignals
from rnnlm.storage.logs import METRICS, SAMPLES
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.display import Display
from rnnlm.training.limits import Limits
from rnnlm.training.progress import Progress
from rnnlm.training.step import NotFiniteError, TrainingStep


class Trainer:
    """Trains a model on a dataset and keeps its run directory.

    Parameters
    ----------
    model
        What is trained; its weights are those to begin with.
    dataset
        What to train and evaluate on.
    run
        Where configuration, metrics and checkpoints go.
    quiet
        Whether to print nothing to stderr.
    after_step
        Called after each step, before what is due at it; what it raises ends the run.

    Attributes
    ----------
    progress, schedule, optimizer, carried
        Where the training is: steps and losses, learning rate, state of the optimizer, the network's state.
    saved_in, log_sizes
        The run's checkpoint of that, and how long the logs were then; None before the first.
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
        quiet: bool = False,
        after_step: Callable[[], None] | None = None,
    ) -> None:
        config, training = model.config, model.config.training
        self.model, self.config, self.dataset, self.run_directory = model, config, dataset, run
        if dataset.train.num_tokens == 0:
            raise RnnlmError(f"{dataset.path}: the training split is empty; preprocess more text.")
        self.threads_set = training.threads in (None, backend.threads())
        self.training_step = TrainingStep(model.network, config)
        self.optimizer = self.training_step.optimizer
        self.schedule = SCHEDULES[config.schedule.name](
            config.optimizer.learning_rate, **config.schedule.options()
        )
        self.batches = model.batches(dataset.train)
        self.limits = Limits(training, self.batches.num_tokens)
        self.progress = Progress()
        self.carried: Floats = model.network.initial_state(training.batch_size)
        self.saved_in: Path | None = None
        self.log_sizes: dict[str, int] | None = None
        self.notes: list[str] = []
        self.signals = StopSignals()
        self.quiet, self.after_step = quiet, after_step

    def description(self) -> str:
        """Say in a few lines what is trained on what."""
        lines = [
            f"Network: {self.model.description()}",
            f"Data: {self.dataset.path}, {self.model.data_description()}, "
            f"{self.batches.num_tokens:,} to train on; {arithmetic()}",
        ]
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
        run = self.run_directory
        with run.claimed():
            if self.saved_in != (run.checkpoints.find("last") if run.exists else None):
                raise RnnlmError(f"{run.path}: another process has trained in it meanwhile; go on with `resume`.")
            if self.log_sizes is not None:
                run.logs.cut(self.log_sizes)
            run.begin(self.config)
            self.display = Display(self.quiet, self.limits.done(self.progress), self.config.task.name)
            try:
                with self.signals.noted(), np.errstate(all="ignore"):
                    self._train()
            finally:
                self.display.close()
        end = self.limits.end(self.progress)
        return {
            **self.progress.results(str(run.path), self.limits.epochs(self.progress)),
            "backend": backend.current(),
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
            self._save()

    def _epoch(self) -> None:
        """Train on what is left of an epoch, or until the run is finished."""
        training, progress = self.config.training, self.progress
        started = time.perf_counter()
        for batch in self.batches.epoch(progress.epoch, first=progress.batch):
            self._step(batch)
            now = time.perf_counter()
            progress.seconds += now - started
            progress.logged_seconds += now - started
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
            self.signals.check()
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
            raise self._not_finite(str(error)) from error
        self.carried = result.state
        tokens = batch.num_tokens
        progress.stepped(tokens, result.nats * (tokens / max(1, batch.num_predictions)), result.gradient_norm)

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
                evaluation = self.model.evaluate(self.dataset.valid, watch=self.signals.check)
        except OverflowedError:
            loss = math.nan
        else:
            loss = evaluation.cross_entropy
        if not math.isfinite(loss):
            raise self._not_finite("validation loss")
        self.schedule.evaluated(loss)
        self.optimizer.evaluated(loss)
        measures = evaluation.measures()
        progress.evaluated(loss, measures)
        self._write_metrics("valid", loss, progress.tokens / progress.seconds, **measures)
        self.display.evaluated(progress, self.limits.epochs(progress), self.model)

    def _preview(self) -> None:
        """Show what the model can do so far."""
        training, step = self.config.training, self.progress.step
        if training.sample_tokens == 0:
            return
        rng = np.random.default_rng([training.seed, step, 1])
        with self.optimizer.averages_in_place():
            # A stop waits: a resumed run would not draw it again.
            split = self.dataset.valid if self.dataset.valid.num_tokens else self.dataset.train
            text = self.model.preview(split, rng, training.sample_tokens)
        self.run_directory.logs.append(SAMPLES, {"step": step, "text": text})
        self.display.say(f"  {text}")

    def _save(self) -> None:
        self._check_weights()
        progress, run = self.progress, self.run_directory
        self.log_sizes = run.logs.sizes()
        state = {
            "progress": progress.state(),
            "schedule": self.schedule.state(),
            "dataset": checksums(self.dataset),
            "logs": self.log_sizes,
            "arithmetic": arithmetic(),
            "backend": backend.current(),
        }
        tensors = {"carried": self.carried, **self.optimizer.state()}
        checkpoint = self.model.checkpoint(state, tensors, self.optimizer.averages())
        is_best = progress.best_step in (None, progress.step)
        self.saved_in = run.checkpoints.save(progress.step, checkpoint, is_best)

    def _write_metrics(self, split: str, loss: float, tokens_per_second: float, **measures: float) -> None:
        metrics = self.progress.metrics(split, self.limits.epochs(self.progress), loss, tokens_per_second)
        self.run_directory.logs.append(METRICS, {**metrics, **measures})

    def _check_weights(self) -> None:
        """See to it that a step which overflowed is neither evaluated nor saved."""
        if not math.isfinite(global_norm(self.model.network.parameters.values())):
            raise self._not_finite("norm of the weights")

    def _not_finite(self, what: str) -> RnnlmError:
        run = self.run_directory
        kept = f"{run.checkpoints.find('last')} is the last good checkpoint" if run.exists else "nothing is saved"
        clipping = ", or optimizer.clip_norm=5" if self.config.optimizer.clip_norm is None else ""
        return RnnlmError(
            f"The {what} is not a finite number after step {self.progress.step}; {kept}; "
            f"try a smaller optimizer.learning_rate{clipping}."
        )


def arithmetic() -> str:
    """Say what the last bits of the weights depend on."""
    threads = backend.threads()
    return f"{blas.kernel()}, {threads} thread{'s' if threads > 1 else ''}; {backend.description()}"


def checksums(dataset: Dataset | SeriesDataset) -> dict[str, str]:
    """Return what identifies what is trained on, and by what the best is chosen."""
    files = dataset.metadata["files"]
    return {name: entry["sha256"] for name, entry in files.items() if not name.startswith("test.")}
