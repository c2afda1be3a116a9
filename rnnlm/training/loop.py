"""The training loop."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import blas
from rnnlm.config import Config
from rnnlm.dataset.batches import SentenceBatches, StreamBatches
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError, shown
from rnnlm.evaluation.perplexity import evaluate, perplexity, rounded
from rnnlm.generation.sampler import Sampler, sample_ids
from rnnlm.generation.sampling import Sampling
from rnnlm.models.networks import copy_into
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Batch
from rnnlm.optim import SCHEDULES, global_norm
from rnnlm.storage.checkpoint import Checkpoint, load_checkpoint
from rnnlm.storage.run_directory import LOGS, RunDirectory
from rnnlm.text.report import counted
from rnnlm.training.display import Display
from rnnlm.training.pretrained import LoadedVectors, load_vectors
from rnnlm.training.progress import Progress
from rnnlm.training.signals import Stopped, StopSignals
from rnnlm.training.step import NotFiniteError, TrainingStep

CLEARLY_WORSE = 0.1
"""Nats above those of guessing from which a loss is no longer that of a network which has only begun to learn."""


class Trainer:
    """Trains a network on a dataset and keeps its run directory.

    Parameters
    ----------
    config
        The configuration.
    dataset
        What to train and evaluate on.
    run
        Where configuration, metrics and checkpoints go.
    quiet
        Whether to print nothing to stderr.
    """

    def __init__(self, config: Config, dataset: Dataset, run: RunDirectory, quiet: bool = False) -> None:
        training = config.training
        self.config = config
        self.dataset = dataset
        self.run_directory = run
        if dataset.train.num_tokens == 0:
            raise RnnlmError(f"{dataset.path}: the training split is empty; preprocess more text.")
        vocabulary = dataset.vocabulary
        if config.model.vocabulary_size not in (None, len(vocabulary)):
            raise RnnlmError(
                f"model.vocabulary_size: {config.model.vocabulary_size}, but {dataset.path} has "
                f"{len(vocabulary)} tokens; leave the key out to take the dataset's."
            )
        self.threads_set = training.threads is None or blas.set_threads(training.threads)
        self.training_step = TrainingStep(config, len(vocabulary))
        self.network, self.optimizer = self.training_step.network, self.training_step.optimizer
        self.schedule = SCHEDULES[config.schedule.name](
            config.optimizer.learning_rate, **config.schedule.options()
        )
        self.batches: SentenceBatches | StreamBatches
        if training.batching == "sentences":
            self.batches = SentenceBatches(dataset.train, training.batch_size, training.seed)
        else:
            self.batches = StreamBatches(dataset.train, training.batch_size, training.bptt_steps)
        self.progress = Progress()
        self.carried: Floats = self.network.initial_state(training.batch_size)
        self.arithmetic_before: object = None
        self.changes: list[str] = []
        self._log_sizes: dict[str, int] | None = None
        self._begun_from: Path | None = None
        self.processor = vocabulary.processor()
        self.signals = StopSignals()
        self.quiet = quiet

    def resume(self) -> None:
        """Go on from the run's last checkpoint, exactly as if the run had never stopped.

        Raises
        ------
        RnnlmError
            If the checkpoint is damaged, or was made with another network, dataset or way of training.
        """
        # The best is only looked at, but an index that names a wrong one would have it removed.
        self.run_directory.checkpoint("best")
        directory = self.run_directory.checkpoint("last")
        checkpoint = load_checkpoint(directory)
        self._begun_from = directory
        before, now = _fixed_values(checkpoint.config), _fixed_values(self.config)
        for key in now:
            if before[key] != now[key]:
                path = self.run_directory.path
                raise RnnlmError(
                    f"{key}: {now[key]} is not the {before[key]} that {path} was begun with; change it back, "
                    f"resume with --config {path / 'config.yaml'}, or start another run."
                )
        if "dataset" not in checkpoint.state:
            raise RnnlmError(
                f"{self.run_directory.path}: its weights were imported without a dataset; begin another run with "
                "--init-from, or import them again with --data."
            )
        known, found = checkpoint.state["dataset"], self._dataset_checksums()
        if not isinstance(known, dict) or any(found.get(name) != checksum for name, checksum in known.items()):
            raise RnnlmError(
                f"{self.dataset.path}: not the dataset that {self.run_directory.path} was begun with; "
                "name that one or start another run."
            )
        values_before = _by_key(checkpoint.config)
        self.changes = [
            f"{key} from {shown(values_before[key])} to {shown(value)}"
            for key, value in _by_key(self.config).items()
            if value != values_before[key]
        ]
        copy_into(self.network, checkpoint)
        self.progress = Progress.of(checkpoint)
        self.arithmetic_before = checkpoint.state.get("arithmetic")
        try:
            self.schedule.load_state(checkpoint.state["schedule"])
            self.optimizer.load_state(checkpoint.state_tensors)
            self.carried = checkpoint.state_tensors["carried"]
            expected = self.network.initial_state(min(self.carried.shape[2], self.config.training.batch_size))
            if self.carried.shape != expected.shape:
                raise ValueError("carried")
            self._log_sizes = {name: int(checkpoint.state["logs"][name]) for name in LOGS}
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise RnnlmError(f"{directory}: its state is not whole ({error}); start another run.") from error

    def load_embeddings(self, path: str) -> LoadedVectors:
        """Begin with the word vectors of a file; see `load_vectors`.

        Raises
        ------
        RnnlmError
            If the file cannot be read or its vectors do not fit.
        """
        table = self.network.source.table.value
        return load_vectors(path, self.dataset.vocabulary, table, self.config.training.seed)

    def description(self) -> str:
        """Say in a few lines what is trained on what."""
        model, train = self.config.model, self.dataset.train
        weights = sum(value.size for value in self.network.parameters.values())
        source = "one-hot input" if model.embedding_size is None else f"embeddings of {model.embedding_size}"
        lines = [
            f"Network: {model.cell}, {model.num_layers} x {model.hidden_size}, {source}, {weights:,} weights",
            f"Data: {self.dataset.path}, {len(self.dataset.vocabulary):,} tokens in the vocabulary, "
            f"{train.num_tokens:,} to train on; {_arithmetic()}",
        ]
        if self.progress.step:
            lines.append(f"Resumed at step {self.progress.step:,}.")
            if self.changes:
                lines.append(f"Changed since then: {', '.join(self.changes)}.")
            if self.arithmetic_before not in (None, _arithmetic()):
                lines.append(
                    f"The checkpoint was made on {shown(self.arithmetic_before)}: the last bits of the weights "
                    "may differ from those of a run that was never stopped."
                )
            end = self._end()
            if end is not None:
                lines.append(f"The run has reached its end; raise {end[0]} to go on.")
        if not self.threads_set:
            lines.append("training.threads has no effect: NumPy's BLAS here takes no orders from this program.")
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
            ``run, steps, epochs, best, last, tokens_per_second, ended_by``: what `rnnlm train --json` prints.

        Raises
        ------
        RnnlmError
            If the loss is no longer a finite number, or a checkpoint cannot be written.
        """
        with self.run_directory.claimed():
            run = self.run_directory
            if self._begun_from != (run.checkpoint("last") if run.exists else None):
                raise RnnlmError(f"{run.path}: another process has trained in it meanwhile; go on with --resume.")
            if self._log_sizes is not None:
                self.run_directory.cut_logs(self._log_sizes)
            self.run_directory.begin(self.config)
            self.display = Display(self.quiet, self._done())
            try:
                with self.signals.noted(), np.errstate(all="ignore"):
                    self._train()
            finally:
                self.display.close()
            self._begun_from = self.run_directory.checkpoint("last")
        return self._summary()

    def _train(self) -> None:
        try:
            if self.progress.step == 0:
                self._save()
            if self.progress.evaluation_pending:
                self._evaluate()
            while (end := self._end()) is None:
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
            self.display.update(self._done(), progress)
            if progress.step % training.log_every == 0:
                self._log()
            if training.evaluate_every is not None and progress.step % training.evaluate_every == 0:
                self._evaluate()
            elif training.checkpoint_every is not None and progress.step % training.checkpoint_every == 0:
                self._save()
            self.signals.check()
            if self._end() is not None:
                return
            started = time.perf_counter()
        progress.epoch += 1
        progress.batch = 0
        if training.evaluate_every is None:
            self._evaluate()

    def _step(self, batch: Batch) -> None:
        """Train on a batch."""
        progress = self.progress
        progress.learning_rate = self.schedule.learning_rate(self._done(), progress.epoch)
        try:
            # Seeded by the step, so that a resumed run drops what an uninterrupted one would have.
            rng = np.random.default_rng([self.config.training.seed, progress.step])
            result = self.training_step.take(batch, self.carried, progress.learning_rate, rng)
        except NotFiniteError as error:
            raise self._not_finite(str(error)) from error
        self.carried, progress.gradient_norm = result.state, result.gradient_norm
        tokens = batch.num_tokens
        progress.step += 1
        progress.batch += 1
        progress.tokens += tokens
        progress.logged_nats += result.nats
        progress.logged_tokens += tokens

    def _log(self) -> None:
        """Write a line on training since the last one."""
        progress = self.progress
        loss = progress.logged_nats / progress.logged_tokens
        tokens_per_second = progress.logged_tokens / progress.logged_seconds
        self._write_metrics("train", loss, tokens_per_second)
        progress.logged_nats = progress.logged_seconds = 0.0
        progress.logged_tokens = 0

    def _evaluate(self) -> None:
        """Measure the validation split, sample a text, save."""
        self._check_weights()
        progress = self.progress
        progress.evaluation_pending = True
        split = self.dataset.valid
        if split.num_tokens > 0:
            batching = self.config.training.batching
            with self.optimizer.averages_in_place():
                loss = evaluate(self.network, split, batching, watch=self.signals.check).cross_entropy
            if not math.isfinite(loss):
                raise self._not_finite("validation loss")
            self.schedule.evaluated(loss)
            self.optimizer.evaluated(loss)
            progress.evaluated(loss)
            self._write_metrics("valid", loss, progress.tokens / progress.seconds)
            mark = " (best)" if progress.best_step == progress.step else ""
            self.display.say(
                f"step {progress.step:,}, epoch {self._epochs():.2f}, {progress.seconds:,.0f} s: "
                f"validation loss {loss:.4f}, perplexity {rounded(perplexity(loss))}{mark}"
            )
            guessing = math.log(len(self.dataset.vocabulary))
            if loss > guessing + CLEARLY_WORSE:
                self.display.say(
                    f"  This is worse than guessing, {guessing:.4f}; try a smaller optimizer.learning_rate."
                )
        else:
            progress.evaluation_pending = False
            progress.last_step = progress.step
        self._sample()
        self._save()

    def _sample(self) -> None:
        """Draw a text from the model as it is now."""
        vocabulary, training = self.dataset.vocabulary, self.config.training
        if training.sample_tokens == 0:
            return
        with self.optimizer.averages_in_place():
            sampler = Sampler(
                self.network,
                [vocabulary.start_id],
                end_id=vocabulary.end_id,
                forbidden=(vocabulary.start_id, vocabulary.unknown_id),
                sampling=Sampling(),
                rngs=[np.random.default_rng([training.seed, self.progress.step, 1])],
            )
            [sample] = sample_ids(sampler, training.sample_tokens)
        text = self.processor.detokenize(vocabulary.decode(sample.ids))
        self.run_directory.append_sample(step=self.progress.step, text=text)
        self.display.say(f"  {text}")

    def _save(self) -> None:
        self._check_weights()
        progress = self.progress
        checkpoint = Checkpoint(
            config=self.config,
            vocabulary=self.dataset.vocabulary,
            parameters=self.network.parameters | self.optimizer.averages(),
            state={
                "progress": progress.to_dict(),
                "schedule": self.schedule.state(),
                "dataset": self._dataset_checksums(),
                "logs": self.run_directory.log_sizes(),
                "arithmetic": _arithmetic(),
            },
            state_tensors={"carried": self.carried, **self.optimizer.state()},
        )
        self.run_directory.save(progress.step, checkpoint, is_best=progress.best_step in (None, progress.step))

    def _dataset_checksums(self) -> dict[str, str]:
        """Return what identifies what is trained on, and by what the best is chosen."""
        files = self.dataset.metadata["files"]
        return {name: entry["sha256"] for name, entry in files.items() if not name.startswith("test.")}

    def _write_metrics(self, split: str, loss: float, tokens_per_second: float) -> None:
        self.run_directory.append_metrics(
            step=self.progress.step,
            epoch=self._epochs(),
            tokens=self.progress.tokens,
            split=split,
            loss=loss,
            perplexity=perplexity(loss),
            learning_rate=self.progress.learning_rate,
            grad_norm=self.progress.gradient_norm,
            tokens_per_second=tokens_per_second,
            seconds=self.progress.seconds,
        )

    def _epochs(self) -> float:
        return self.progress.tokens / self.dataset.train.num_tokens

    def _done(self) -> float:
        """Return the share of the run that is over, by whichever limit is nearest, from 0 to 1."""
        training, progress = self.config.training, self.progress
        shares = [self._epochs() / training.epochs]
        if training.max_steps is not None:
            shares.append(progress.step / training.max_steps if training.max_steps else 1.0)
        if training.max_seconds is not None:
            shares.append(progress.seconds / training.max_seconds)
        return min(1.0, max(shares))

    def _end(self) -> tuple[str, str] | None:
        """Return the key whose limit the run has reached, and what has happened; None if it goes on."""
        training, progress = self.config.training, self.progress
        if training.patience is not None and progress.evaluations_since_best >= training.patience:
            evaluations = counted(progress.evaluations_since_best, "evaluation{s}")
            return "training.patience", f"the validation loss has not fallen for {evaluations}"
        if training.max_steps is not None and progress.step >= training.max_steps:
            return "training.max_steps", counted(progress.step, "step{s} {are} done")
        if training.max_seconds is not None and progress.seconds >= training.max_seconds:
            return "training.max_seconds", counted(round(progress.seconds), "second{s} of training {are} over")
        if progress.epoch >= training.epochs:
            return "training.epochs", counted(progress.epoch, "epoch{s} {are} done")
        return None

    def _summary(self) -> dict[str, Any]:
        progress, end = self.progress, self._end()

        def evaluation(step: int | None, loss: float | None) -> dict[str, Any]:
            value = None if loss is None else perplexity(loss)
            return {"step": step, "valid_loss": loss, "valid_perplexity": value}

        return {
            "run": str(self.run_directory.path),
            "steps": progress.step,
            "epochs": self._epochs(),
            "best": evaluation(progress.best_step, progress.best_loss),
            "last": evaluation(progress.last_step, progress.last_loss),
            "tokens_per_second": progress.tokens / progress.seconds if progress.seconds else 0.0,
            "ended_by": None if end is None else end[0],
        }

    def _check_weights(self) -> None:
        """See to it that a step which overflowed is neither evaluated nor saved."""
        if not math.isfinite(global_norm(self.network.parameters.values())):
            raise self._not_finite("norm of the weights")

    def _not_finite(self, what: str) -> RnnlmError:
        run = self.run_directory
        kept = f"{run.checkpoint('last')} is the last good checkpoint" if run.exists else "nothing is saved"
        clipping = ", or optimizer.clip_norm=5" if self.config.optimizer.clip_norm is None else ""
        return RnnlmError(
            f"the {what} is not a finite number after step {self.progress.step}; {kept}; "
            f"try a smaller optimizer.learning_rate{clipping}."
        )


def _arithmetic() -> str:
    """Say what the last bits of matrix products depend on."""
    threads = blas.threads()
    return f"{blas.kernel()}, {threads} thread" + ("s" if threads > 1 else "")


def _by_key(config: Config) -> dict[str, Any]:
    """Return the values by ``section.key``."""
    return {f"{name}.{key}": value for name, section in config for key, value in section}


def _fixed_values(config: Config) -> dict[str, Any]:
    """Return, by key, what a resumed run must not change."""
    training = config.training
    return {
        **{
            f"model.{name}": value
            for name, value in config.model
            if name not in ("vocabulary_size", "embedding_file")
        },
        "training.batching": training.batching,
        "training.batch_size": training.batch_size,
        "training.bptt_steps": training.bptt_steps,
        "training.seed": training.seed,
        "training.dtype": training.dtype,
        "optimizer.name": config.optimizer.name,
        "optimizer.momentum": "above 0" if config.optimizer.momentum else 0,  # with or without a velocity
        "schedule.name": config.schedule.name,
    }
