"""Going on with a run that was stopped."""

from dataclasses import replace
from typing import Any

from rnnlm.config import Config
from rnnlm.dataset.series import SeriesDataset
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError, shown
from rnnlm.models.kinds import restore
from rnnlm.ranks.ranks import OneProcess, Ranks
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.storage.logs import LOGS
from rnnlm.storage.run_directory import CONFIG, RunDirectory
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress
from rnnlm.training.records import arithmetic, checksums


def resume_run(
    config: Config,
    dataset: Dataset | SeriesDataset,
    run: RunDirectory,
    *,
    ranks: Ranks | None = None,
    quiet: bool = False,
) -> Trainer:
    """Go on from a run's last checkpoint, exactly as if the run had never stopped.

    Only the first rank reads it; the others are told what it holds.

    Parameters
    ----------
    config
        What it changes holds from now on: limits, logging, and the numbers of the optimizer and the schedule.
    dataset
        The one that the run was begun with.
    ranks, quiet
        As for the `Trainer`.

    Raises
    ------
    RnnlmError
        If the checkpoint is damaged, or was made with another network, dataset or way of training.
    """
    ranks = ranks or OneProcess()
    checkpoint = ranks.told_by_first(lambda: _last_checkpoint(config, dataset, run))
    with ranks.together():
        model = restore(replace(checkpoint, config=config))
    trainer = Trainer(model, dataset, run, ranks=ranks, quiet=quiet)
    with ranks.together():
        _restore(trainer, checkpoint)
    trainer.notes = _notes(checkpoint, config, ranks)
    return trainer


def _last_checkpoint(config: Config, dataset: Dataset | SeriesDataset, run: RunDirectory) -> Checkpoint:
    """Read the last checkpoint; refuse to go on with another network, dataset or way of training."""
    # The best is only looked at, but an index that names a wrong one would have it removed.
    run.checkpoints.find("best")
    checkpoint = run.checkpoints.load("last")
    _refuse_changes(checkpoint, config, dataset, run)
    return checkpoint


def _refuse_changes(
    checkpoint: Checkpoint, config: Config, dataset: Dataset | SeriesDataset, run: RunDirectory
) -> None:
    """Refuse to go on with another network, dataset or way of training."""
    before, now = (_fixed_values(each, dataset) for each in (checkpoint.config, config))
    for key in now:
        if before[key] != now[key]:
            raise RnnlmError(
                f"{key}: {now[key]} is not the {before[key]} that {run.path} was begun with; change it back, "
                f"resume with `config={run.path / CONFIG}`, or start another run."
            )
    if "dataset" not in checkpoint.state:
        raise RnnlmError(
            f"{run.path}: its weights were imported without a dataset; begin another run with `init_from`, or "
            "import them again with `data`."
        )
    known, found = checkpoint.state["dataset"], checksums(dataset)
    if not isinstance(known, dict) or any(found.get(name) != checksum for name, checksum in known.items()):
        raise RnnlmError(
            f"{dataset.path}: not the dataset that {run.path} was begun with; name that one or start another run."
        )


def _fixed_values(config: Config, dataset: Dataset | SeriesDataset) -> dict[str, Any]:
    """Return, by key, what a resumed run must not change."""
    training, model = config.training, config.model.model_dump(exclude={"embedding_file"})
    if isinstance(dataset, Dataset):
        model["vocabulary_size"] = model["vocabulary_size"] or len(dataset.vocabulary)
    return {
        **{f"task.{name}": value for name, value in config.task},
        **{f"model.{name}": value for name, value in model.items()},
        "training.batching": training.batching,
        "training.batch_size": training.batch_size,
        "training.bptt_steps": training.bptt_steps,
        "training.seed": training.seed,
        "training.dtype": training.dtype,
        "optimizer.name": config.optimizer.name,
        "optimizer.momentum": "above 0" if config.optimizer.momentum else 0,  # with or without a velocity
        "schedule.name": config.schedule.name,
    }


def _restore(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Set a trainer to where a checkpoint was made."""
    state, tensors = checkpoint.state, checkpoint.state_tensors
    trainer.progress = Progress.of(checkpoint)
    try:
        trainer.schedule.load_state(state["schedule"])
        trainer.optimizer.load_state(tensors)
        carried = tensors["carried"]
        size = min(carried.shape[2], trainer.config.training.batch_size)
        if carried.shape != trainer.model.network.initial_state(size).shape:
            raise ValueError("carried")
        sizes = {name: int(state["logs"][name]) for name in LOGS}
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise RnnlmError(
            f"{checkpoint.directory}: its state is not whole ({error}); start another run."
        ) from error
    trainer.carry(carried)
    trainer.records.log_sizes, trainer.records.saved_in = sizes, checkpoint.directory


def _notes(checkpoint: Checkpoint, config: Config, ranks: Ranks) -> list[str]:
    """Say in some lines what is no longer as it was in the checkpoint."""
    before, now = _by_key(checkpoint.config), _by_key(config)
    changes = [f"{key} from {shown(before[key])} to {shown(now[key])}" for key in now if now[key] != before[key]]
    notes = [f"Changed since then: {', '.join(changes)}."] if changes else []
    then = checkpoint.state.get("arithmetic")
    if then is not None and "backend" not in checkpoint.state:  # of a version that had no other
        then = f"{then}; NumPy passes"
    if then not in (None, arithmetic(ranks)):
        notes.append(
            f"The checkpoint was made on {shown(then)}: the last bits of the weights may differ from those of a "
            "run that was never stopped."
        )
    return notes


def _by_key(config: Config) -> dict[str, Any]:
    """Return the values by ``section.key``."""
    return {f"{name}.{key}": value for name, section in config for key, value in section}
