"""What a run writes down while it trains; of several ranks the first does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnlm import backend, blas
from rnnlm.config import Config
from rnnlm.dataset.series import SeriesDataset
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models.model import Model
from rnnlm.nn.arrays import Floats
from rnnlm.ranks.ranks import AgreedError, Ranks
from rnnlm.storage.logs import METRICS, SAMPLES
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.report import counted
from rnnlm.training.progress import Progress


class DivergedError(AgreedError):
    """What was trained is no longer a finite number."""


class Records:
    """The run directory of a training: nothing of it is read or written but by the first rank.

    Parameters
    ----------
    run
        Where all goes.
    model, dataset
        What is trained, on what.
    ranks
        Who trains.

    Attributes
    ----------
    saved_in, log_sizes
        The last checkpoint, and how long the logs were then; None before the first.
    """

    def __init__(
        self, run: RunDirectory, model: Model[Any, Any], dataset: Dataset | SeriesDataset, ranks: Ranks
    ) -> None:
        self.run, self.model, self.dataset, self.ranks = run, model, dataset, ranks
        threads = zip(ranks.hosts, ranks.gathered(backend.threads()), strict=True)
        of_each = [{"host": host, "threads": number} for host, number in threads]
        # Of one process the host is nobody's business.
        self._several = {"ranks": of_each} if ranks.number > 1 else {}
        self.saved_in: Path | None = None
        self.log_sizes: dict[str, int] | None = None

    @contextmanager
    def open(self, config: Config) -> Iterator[None]:
        """Keep other processes from training in it within a ``with`` block, and begin it, or go on with it.

        Raises
        ------
        RnnlmError
            If another process is training in it, or has meanwhile, or it cannot be written.
        """
        run = self.run
        if not self.ranks.is_first:
            yield
            return
        with run.claimed():
            if self.saved_in != (run.checkpoints.find("last") if run.exists else None):
                raise RnnlmError(f"{run.path}: another process has trained in it meanwhile; go on with `resume`.")
            if self.log_sizes is not None:
                run.logs.cut(self.log_sizes)
            run.begin(config, self._several)
            yield

    def metrics(self, values: dict[str, Any]) -> None:
        """Write a line of measurements."""
        if self.ranks.is_first:
            self.run.logs.append(METRICS, values)

    def sample(self, values: dict[str, Any]) -> None:
        """Write a line on what the model can do."""
        if self.ranks.is_first:
            self.run.logs.append(SAMPLES, values)

    def not_finite(self, what: str, step: int) -> DivergedError:
        """Return the error of a training that has diverged by a step, on all ranks."""
        run = self.run
        kept = f"{run.checkpoints.find('last')} is the last good checkpoint" if run.exists else "nothing is saved"
        clipping = ", or optimizer.clip_norm=5" if self.model.config.optimizer.clip_norm is None else ""
        return DivergedError(
            f"The {what} is not a finite number after step {step}; {kept}; "
            f"try a smaller optimizer.learning_rate{clipping}."
        )

    def save(
        self,
        progress: Progress,
        schedule: dict[str, Any],
        tensors: dict[str, Floats],
        averages: Mapping[str, Floats],
    ) -> None:
        """Save a checkpoint of the model.

        Parameters
        ----------
        progress, schedule
            Where the training is, and the state of the learning rate's schedule.
        tensors
            The state of the optimizer, and what the network carries.
        averages
            Weights that are saved in place of the model's.
        """
        if not self.ranks.is_first:
            return
        self.log_sizes = self.run.logs.sizes()
        state = {
            "progress": progress.state(),
            "schedule": schedule,
            "dataset": checksums(self.dataset),
            "logs": self.log_sizes,
            "arithmetic": arithmetic(self.ranks),
            "backend": backend.current(),
            **self._several,
        }
        is_best = progress.best_step in (None, progress.step)
        checkpoint = self.model.checkpoint(state, tensors, averages)
        self.saved_in = self.run.checkpoints.save(progress.step, checkpoint, is_best)


def arithmetic(ranks: Ranks) -> str:
    """Say what the last bits of the weights depend on."""
    threads = counted(backend.threads(), "thread{s}")
    several = f"{ranks.number} ranks of " if ranks.number > 1 else ""
    return f"{blas.kernel()}, {several}{threads}; {backend.description()}"


def checksums(dataset: Dataset | SeriesDataset) -> dict[str, str]:
    """Return what identifies what is trained on, and by what the best is chosen."""
    files = dataset.metadata["files"]
    return {name: entry["sha256"] for name, entry in files.items() if not name.startswith("test.")}
