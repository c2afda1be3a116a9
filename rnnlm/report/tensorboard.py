"""The logs of runs as event files for TensorBoard."""

import math
from collections.abc import Sequence
from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.report.curves import charts
from rnnlm.report.runlog import RunLog
from rnnlm.storage.logs import METRICS

SUFFIX = ".rnnlm"
"""The end of the names of the files, by which they are found and replaced."""


def write_events(runs: Sequence[RunLog], directory: Path) -> None:
    """Write the logs of each run into a directory of its own, in place of what was written there before.

    `directory` is what ``tensorboard --logdir`` is to be given. The package tensorboardX is needed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise RnnlmError("Event files need tensorboardX; run: pip install tensorboardX.") from error
    for run in runs:
        place = directory / run.label
        for old in place.glob(f"events.out.tfevents.*{SUFFIX}"):
            old.unlink()
        # The log has no dates: its last line was written when the file was, give or take the evaluation.
        began = (run.path / METRICS).stat().st_mtime - run.last.seconds
        shown = charts([run])
        with SummaryWriter(str(place), filename_suffix=SUFFIX) as writer:
            for line in run.measurements:
                for chart in shown:
                    value = line.value(chart.key)
                    if line.split in chart.splits and math.isfinite(value):
                        tag = f"{chart.key}/{line.split}" if "valid" in chart.splits else chart.key
                        writer.add_scalar(tag, value, int(line.step), began + line.seconds)
            for sample in run.samples:
                writer.add_text("sample", sample.text, int(sample.step))
