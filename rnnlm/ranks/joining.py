"""How a process finds the ranks that it was started among."""

import os

from rnnlm.ranks.ranks import AgreedError, OneProcess, Ranks

_LAUNCHERS = {
    "PMI_SIZE": "PMI_RANK",  # MPICH, Intel MPI, Microsoft MPI
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",  # Open MPI
    "SLURM_STEP_NUM_TASKS": "SLURM_PROCID",  # srun, which sets the first only for what it starts itself
}
"""Variables by which a launcher says how many processes it has started, and which of them this one is."""

_joined: Ranks = OneProcess()


def join() -> Ranks:
    """Return the ranks that this process was started among; they meet at the first call.

    Raises
    ------
    RnnlmError
        If it was started among several, and mpi4py is missing or finds others than the launcher has started.
    """
    global _joined
    number, variable = _launched()
    if number == _joined.number:
        return _joined
    try:
        from rnnlm.ranks.mpi import MpiRanks
    except (ImportError, RuntimeError) as error:  # mpi4py raises the latter where there is no MPI
        raise AgreedError(
            f"{number} processes were started together ({variable}), which takes the package mpi4py; run: pip "
            "install mpi4py mpich, or start one process."
        ) from error
    found = MpiRanks()
    if found.number != number:
        raise AgreedError(
            f"{number} processes were started together ({variable}), but MPI connects {found.number}; start them "
            "with the mpiexec of the MPI that mpi4py uses, or have srun speak its protocol, pmi2 or pmix."
        )
    _joined = found
    return found


def current() -> Ranks:
    """Return the ranks that this process has joined; itself alone as long as it has not."""
    return _joined


def is_first() -> bool:
    """Whether this process speaks for all that were started with it; true of one that was started alone."""
    number, variable = _launched()
    return number == 1 or os.environ.get(_LAUNCHERS[variable], "0") == "0"


def _launched() -> tuple[int, str]:
    """Return how many processes were started together, and the variable that says so."""
    for variable in _LAUNCHERS:
        value = os.environ.get(variable, "")
        if value.isdecimal() and int(value) > 1:
            return int(value), variable
    return 1, ""
