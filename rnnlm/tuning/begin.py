"""Whether a configuration is tuned before its run begins: anew, or on from where that was stopped."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.ranks.ranks import Ranks
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.report import counted
from rnnlm.tuning.record import Begun, TuningRecord
from rnnlm.tuning.tuning import ComingRun, Tuning


def tune_before_run(
    config: Config,
    out: Path,
    trials: int | None,
    resume: bool,
    quiet: bool,
    init_from: Path | None,
    comments: Mapping[str, str],
    ranks: Ranks,
) -> ComingRun:
    """Tune a configuration, or go on with that, where it is to be tuned; return what is to be trained then.

    Parameters
    ----------
    config, out, resume, quiet, init_from, comments, ranks
        As for `begin_run`.
    trials
        How many short runs there are to be; None to tune nothing, or to go on with as many as were begun.

    Raises
    ------
    RnnlmError
        If a tuning in `out` is not to be resumed, was begun otherwise or belongs to another process; if there is
        nothing to tune; or if no trial was completed.
    """
    record, run = TuningRecord(out), RunDirectory(out)
    given = Begun(config, trials or 0, None if init_from is None else str(init_from), comments)
    begun = ranks.told_by_first(lambda: _begun(record, run, given, resume))
    if begun is None:
        return ComingRun(config, comments, init_from, resume)
    with ExitStack() as stack:
        # No other process may tune there, or train.
        ranks.told_by_first(lambda: stack.enter_context(run.claimed()))
        return Tuning(record, begun, ranks, quiet).run()


def _begun(record: TuningRecord, run: RunDirectory, given: Begun, resume: bool) -> Begun | None:
    """Return what is to be tuned, or to be tuned on; None if there is nothing."""
    out = run.path
    if record.exists and (resume or run.exists):
        begun = record.begun()
        if given.trials not in (0, begun.trials):
            raise RnnlmError(
                f"{out}: its tuning was begun with {counted(begun.trials, 'trial{s}')}; leave `tune` out to go on."
            )
        if run.exists:
            return None
        if given.config != begun.config or given.init_from not in (None, begun.init_from):
            raise RnnlmError(
                f"{out}: its tuning was begun with other values; give `resume` and `out` alone to go on with it, "
                "or choose another `out`."
            )
        return begun
    if given.trials == 0:
        return None
    if record.exists:
        raise RnnlmError(f"{out}: there is a tuning in it; go on with `resume`, or choose another `out`.")
    if run.exists:
        raise RnnlmError(f"{out}: there is a run in it, and it was not tuned; choose another `out`.")
    if resume:
        raise RnnlmError(f"{out}: there is no tuning to resume in it; leave `resume` out to begin one.")
    run.refuse_other_files()
    if given.config.task.fit == "least_squares":
        raise RnnlmError("task.fit: least squares find the best weights at once; there is nothing to tune.")
    if given.config.training.max_steps == 0:
        raise RnnlmError("training.max_steps: 0 trains nothing, so there is nothing to tune.")
    return given
