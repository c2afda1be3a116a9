"""Where a training begins: anew, from a run that was stopped, or from trained weights."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rnnlm import backend
from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.models.kinds import kind_of, restore
from rnnlm.models.model import Model, TextModel
from rnnlm.ranks.ranks import AgreedError, OneProcess, Ranks
from rnnlm.ranks.threads import threads_of_rank
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.storage.finding import read_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.fine_tuning import copy_weights, explanation, with_architecture
from rnnlm.training.loop import Trainer
from rnnlm.training.pretrained import load_vectors
from rnnlm.training.records import checksums
from rnnlm.training.resuming import resume_run


def begin_run(
    config: Config,
    out: Path,
    resume: bool,
    quiet: bool,
    init_from: Path | None = None,
    ranks: Ranks | None = None,
) -> Trainer:
    """Open the dataset, on every rank, and begin or resume the run; the first alone reads and writes all else.

    Parameters
    ----------
    config
        The configuration.
    out
        The run directory.
    resume
        Whether to go on with the run there.
    quiet
        Whether to say nothing.
    init_from
        A run or checkpoint that gives the network its architecture and, to a new run, its first weights.
    ranks
        Who trains; None for this process alone. The configuration is the first one's.

    Raises
    ------
    RnnlmError
        If no dataset is named or it cannot be opened; if `out` has a run that is not to be resumed, has none to
        resume, or has other files; if what the run begins with does not fit it; or if ranks differ in dataset or
        version.
    """
    ranks, run = ranks or OneProcess(), RunDirectory(out)
    quiet = quiet or not ranks.is_first

    def say(message: str) -> None:
        if not quiet:
            print(message, file=sys.stderr)

    def prepare() -> tuple[Config, bool, Checkpoint | None]:
        _refuse_other_runs(run, resume)
        trained = None if init_from is None else read_checkpoint(init_from)
        if trained is None:
            return config, run.exists, None
        say(explanation(config, trained.config))
        return with_architecture(config, trained.config), run.exists, trained

    config, goes_on, trained = ranks.told_by_first(prepare)
    kind: type[Model[Any, Any]] = kind_of(config)
    dataset = _opened(kind, config, ranks)
    _choose_back_end(config, ranks)
    if goes_on:
        return resume_run(config, dataset, run, ranks=ranks, quiet=quiet)
    with ranks.together():
        model = kind.create(config, dataset)
        if ranks.is_first and (filled := _fill(model, trained, init_from)) is not None:
            say(filled)
    _share_weights(model, ranks)
    return Trainer(model, dataset, run, ranks=ranks, quiet=quiet)


def _opened(kind: type[Model[Any, Any]], config: Config, ranks: Ranks) -> Any:
    """Open the dataset; refuse ranks that have another, or another version of the program, than the first."""
    with ranks.together():
        if config.data.path is None:
            raise RnnlmError("data.path: no dataset is named; give `data=DIR`.")
        dataset = kind.open(config.data.path)
    every = ranks.gathered((checksums(dataset), version("rnnlm-numpy")))
    for rank, (files, program) in enumerate(every):
        if files != every[0][0]:
            raise AgreedError(
                f"{dataset.path}: {ranks.name(rank)} has another dataset there than {ranks.name(0)}; copy it anew."
            )
        if program != every[0][1]:
            raise AgreedError(
                f"{ranks.name(rank)} has rnnlm {program}, and {ranks.name(0)} has {every[0][1]}; install the same."
            )
    return dataset


def _share_weights(model: Model[Any, Any], ranks: Ranks) -> None:
    """Give all ranks the weights that the first begins with."""
    for name, value in ranks.broadcast(model.network.parameters).items():
        model.network.parameters[name][...] = value


def _fill(model: Model[Any, Any], trained: Checkpoint | None, init_from: Path | None) -> str | None:
    """Give a new model the weights of a trained one, or vectors that were; say what they are, if there are any."""
    config = model.config
    if trained is not None:
        return f"{init_from}: {copy_weights(restore(trained), model)}"
    if config.model.embedding_file is None or not isinstance(model, TextModel):
        return None
    table = model.network.source.table.value
    vectors = load_vectors(config.model.embedding_file, model.vocabulary, table, config.training.seed)
    return f"{config.model.embedding_file}: {vectors}"


def _choose_back_end(config: Config, ranks: Ranks) -> None:
    """Choose how networks are computed, on which the last bits of the first weights may depend too."""
    threads = config.training.threads or threads_of_rank(ranks)
    with ranks.together():
        backend.choose(config.training.backend, threads, bidirectional=config.model.bidirectional)


def _refuse_other_runs(run: RunDirectory, resume: bool) -> None:
    """Refuse a directory with a run that is not to be resumed, without one to resume, or with other files."""
    if run.exists and not resume:
        raise RnnlmError(f"{run.path}: there is a run in it; go on with `resume`, or choose another `out`.")
    if not run.exists:
        run.refuse_other_files()
        if resume:
            raise RnnlmError(f"{run.path}: there is no run to resume in it; leave `resume` out to begin one.")
