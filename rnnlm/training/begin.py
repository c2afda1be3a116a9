"""Where a training begins: anew, from a run that was stopped, or from trained weights."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnlm import backend
from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.models.kinds import kind_of, restore
from rnnlm.models.model import Model, TextModel
from rnnlm.storage.finding import read_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.fine_tuning import copy_weights, explanation, with_architecture
from rnnlm.training.loop import Trainer
from rnnlm.training.pretrained import load_vectors
from rnnlm.training.resuming import resume_run


def begin_run(
    config: Config,
    out: Path,
    resume: bool,
    quiet: bool,
    init_from: Path | None = None,
    comments: Mapping[str, str] | None = None,
) -> Trainer:
    """Open the dataset, and begin or resume the run.

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
    comments
        What is written into a new run's configuration for people; see `commented_yaml`.

    Raises
    ------
    RnnlmError
        If no dataset is named or it cannot be opened; if `out` has a run that is not to be resumed, has none to
        resume, or has other files; or if what the run begins with does not fit it.
    """

    def say(message: str) -> None:
        if not quiet:
            print(message, file=sys.stderr)

    if config.data.path is None:
        raise RnnlmError("data.path: no dataset is named; give `data=DIR`.")
    run = RunDirectory(out, comments)
    _refuse(run, resume)
    kind: type[Model[Any, Any]] = kind_of(config)
    dataset = kind.open(config.data.path)
    trained = None if init_from is None else read_checkpoint(init_from)
    if trained is not None:
        say(explanation(config, trained.config))
        config = with_architecture(config, trained.config)
    # The last bits of the first weights may depend on the threads, and so may how a network is computed.
    training = config.training
    backend.choose(training.backend, training.threads, bidirectional=config.model.bidirectional)
    if run.exists:
        return resume_run(config, dataset, run, quiet=quiet)
    model = kind.create(config, dataset)
    if trained is not None:
        copied = copy_weights(restore(trained), model)
        say(f"{init_from}: {copied}")
    elif config.model.embedding_file is not None and isinstance(model, TextModel):
        table = model.network.source.table.value
        vectors = load_vectors(config.model.embedding_file, model.vocabulary, table, config.training.seed)
        say(f"{config.model.embedding_file}: {vectors}")
    return Trainer(model, dataset, run, quiet=quiet)


def _refuse(run: RunDirectory, resume: bool) -> None:
    """Refuse a directory in which a run cannot begin, or with `resume` cannot go on."""
    if run.exists and not resume:
        raise RnnlmError(f"{run.path}: there is a run in it; go on with `resume`, or choose another `out`.")
    if not run.exists:
        run.refuse_other_files()
        if resume:
            raise RnnlmError(f"{run.path}: there is no run to resume in it; leave `resume` out to begin one.")
