"""Where a training begins: anew, from a run that was stopped, or from trained weights."""

import sys
from pathlib import Path

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.storage.run_directory import RunDirectory, read_checkpoint
from rnnlm.training.fine_tuning import copy_weights, explanation, with_architecture
from rnnlm.training.loop import Trainer


def begin_run(config: Config, out: Path, resume: bool, quiet: bool, init_from: Path | None = None) -> Trainer:
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

    Raises
    ------
    RnnlmError
        If no dataset is named or it cannot be opened, or the run exists and is not to be resumed, or is to be
        resumed and does not exist, or something else is in its directory.
    """
    if config.data.path is None:
        raise RnnlmError("data.path: no dataset is named; give --data DIR.")
    run = RunDirectory(out)
    if run.exists and not resume:
        raise RnnlmError(f"{out}: there is a run in it; go on with --resume, or choose another --out.")
    if not run.exists:
        run.refuse_other_files()
        if resume:
            raise RnnlmError(f"{out}: there is no run to resume in it; leave --resume out to begin one.")
    dataset = Dataset.open(config.data.path)
    checkpoint = None
    if init_from is not None:
        checkpoint = read_checkpoint(init_from)
        if not quiet:
            print(explanation(config, checkpoint), file=sys.stderr)
        config = with_architecture(config, checkpoint)
    trainer = Trainer(config, dataset, run, quiet)
    if run.exists:
        trainer.resume()
    elif checkpoint is not None:
        copied = copy_weights(checkpoint, trainer.network, dataset.vocabulary)
        if not quiet:
            print(f"{init_from}: {copied}", file=sys.stderr)
    elif config.model.embedding_file is not None:
        loaded = trainer.load_embeddings(config.model.embedding_file)
        if not quiet:
            print(f"{config.model.embedding_file}: {loaded}", file=sys.stderr)
    return trainer
