"""Train the runs that a JSON file lists, ``[{"out": DIR, "config": {…}}, …]``, or go on with those that exist.

Usage: [mpiexec -n N] python -m tests.train_runs FILE
"""

import json
import sys
from pathlib import Path

from rnnlm.config import Config
from rnnlm.ranks.joining import join
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.begin import begin_run
from tests import environment

if __name__ == "__main__":
    ranks = join()  # while the variables of mpiexec are there
    environment.fix()
    for run in json.loads(Path(sys.argv[1]).read_text()):
        out = Path(run["out"])
        resume = ranks.broadcast(RunDirectory(out).exists)
        begin_run(Config.model_validate(run["config"]), out, resume, quiet=True, ranks=ranks).run()
