"""Several ranks for tests: programs under mpiexec."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
PROJECT = Path(__file__).parent.parent


def need() -> None:
    """Skip where several ranks cannot be started."""
    pytest.importorskip("mpi4py", reason="needs mpi4py")
    if MPIEXEC is None:
        pytest.skip("mpiexec is not installed")


def command(ranks: int, *program: object) -> list[str]:
    """Return the command that starts Python so many times; one process is started as ever."""
    launcher = [] if ranks == 1 else [str(MPIEXEC), "-n", str(ranks)]
    return [*launcher, sys.executable, *map(str, program)]


def train_all(ranks: int, runs: Sequence[dict[str, Any]], directory: Path) -> None:
    """Train runs one after the other, in one start of so many ranks; each has what `tests.train_runs` reads."""
    (directory / "runs.json").write_text(json.dumps(list(runs)))
    subprocess.run(command(ranks, "-m", "tests.train_runs", directory / "runs.json"), cwd=PROJECT, check=True)
