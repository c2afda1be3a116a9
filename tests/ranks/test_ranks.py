import json
import os
import re
import subprocess
import sys

import pytest

from rnnlm.ranks.joining import current, is_first, join
from rnnlm.ranks.ranks import OneProcess
from rnnlm.ranks.threads import threads_of_rank
from tests import mpi

TCP = {"FI_PROVIDER": "tcp", "MPIR_CVAR_CH4_NETMOD": "ofi", "MPIR_CVAR_NOLOCAL": "1"}
"""Lets MPICH use the network, also between processes of one machine."""


def meet(what: str = "", who: int = 0, number: int = 3, **environment: str) -> "subprocess.CompletedProcess[str]":
    mpi.need()
    return subprocess.run(
        mpi.command(number, "-m", "tests.ranks.meet", what or "nothing", who),
        cwd=mpi.PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("environment", [{}, TCP], ids=["shared memory", "TCP"])
def test_values_go_through_all_ranks(environment: dict[str, str]) -> None:
    outcome = meet(**environment)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout) == {
        "number": 3,
        "gathered": [0, 1, 2],
        "broadcast": 0,
        "told": [0],
        "sum": [3.0, 6.0, 9.0, 12.0, 15.0],
        "later": [3.0, 6.0, 9.0, 12.0, 15.0],
        "total": 4.5,
        "threads": 1,  # as many as the BLAS is told to have
        "hosts": 1,
    }


def test_an_error_of_one_rank_names_it_and_ends_all() -> None:
    outcome = meet("error", 2)
    assert outcome.returncode == 1
    assert re.fullmatch(r"rnnlm: rank 2 on \S+: its disk is full\.\n", outcome.stderr)


def test_an_error_of_some_ranks_is_told_once() -> None:
    outcome = meet("some", 1)
    assert outcome.returncode == 1
    assert re.fullmatch(r"rnnlm: rank 1 on \S+: --data: there is none\.\n", outcome.stderr)


def test_an_error_of_all_ranks_names_none() -> None:
    outcome = meet("all")
    assert (outcome.returncode, outcome.stderr) == (1, "rnnlm: --data: there is none.\n")


def test_a_bug_in_one_rank_is_shown_and_ends_all() -> None:
    outcome = meet("bug", 1)
    assert outcome.returncode == 1
    assert outcome.stderr.count("Traceback") == 1
    assert outcome.stderr.endswith("ZeroDivisionError\n")


@pytest.mark.parametrize("who", [0, 1, 2])
def test_a_rank_that_is_killed_is_named_and_ends_all(who: int) -> None:
    outcome = meet("kill", who)
    assert outcome.returncode != 0
    [line] = [line for line in outcome.stderr.splitlines() if line.startswith("rnnlm: ")]
    said = rf"rnnlm: rank {who} on \S+ was killed, perhaps for want of memory; all ranks have ended\."
    assert re.fullmatch(said, line)


def test_one_process_is_alone() -> None:
    ranks = join()
    assert isinstance(ranks, OneProcess)
    assert ranks is current()
    assert (ranks.rank, ranks.number, ranks.is_first, is_first()) == (0, 1, True, True)
    assert ranks.gathered("a") == ["a"]
    assert ranks.told_by_first(lambda: ranks.total(3)) == 3
    assert threads_of_rank(ranks) is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PMI_SIZE": "4", "PMI_RANK": "0"}, "4 processes were started together (PMI_SIZE)"),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}, "2 processes were started together (OMPI_"),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "0"}, "8 processes were started together (SLURM_"),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "3"}, ""),
        ({"PMI_SIZE": "4", "PMI_RANK": "2"}, ""),
    ],
)
def test_without_mpi4py_the_first_process_says_what_to_install(variables: dict[str, str], said: str) -> None:
    program = "import sys; sys.modules['mpi4py'] = None; from rnnlm.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "train", "--config", "none.yaml"]
    outcome = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"rnnlm: {said}" if said else "")
    assert bool(outcome.stderr) == bool(said)
    assert "pip install mpi4py mpich" in outcome.stderr or not said


def test_processes_that_mpi_does_not_connect_do_not_all_write_the_same_run() -> None:
    mpi.need()
    variables = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"}
    command = mpi.command(1, "-m", "rnnlm", "train", "--config", "none.yaml")
    outcome = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    assert outcome.returncode == 1
    assert "but MPI connects 1; start them with the mpiexec" in outcome.stderr


def test_wrong_usage_is_told_once() -> None:
    mpi.need()
    command = mpi.command(2, "-m", "rnnlm", "train", "--nonsense")
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert outcome.returncode == 2
    assert outcome.stderr.count("No such option") == 1
