"""Commands that `mpiexec` starts several times."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or importlib.util.find_spec("mpi4py") is None, reason="needs mpi4py and mpiexec"
)

TCP = {"FI_PROVIDER": "tcp", "MPIR_CVAR_NOLOCAL": "1"}
"""What lets MPICH's ranks on one machine talk as those on two do."""


def start(
    ranks: int, *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start Python with these arguments in so many ranks, in a process group of their own."""
    assert MPIEXEC is not None
    return subprocess.Popen(
        [MPIEXEC, "-n", str(ranks), sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(
    ranks: int, *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run Python with these arguments in so many ranks; the first one's exit status is that of all."""
    process = start(ranks, *arguments, cwd=cwd, env=env)
    stdout, stderr = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
