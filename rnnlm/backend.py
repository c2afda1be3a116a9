"""What networks run on: compiled passes over time, where they are built, or NumPy's; and on how many threads."""

import os
from functools import cache
from types import ModuleType
from typing import Literal

from rnnlm import blas
from rnnlm.errors import RnnlmError, shown
from rnnlm.nn import products
from rnnlm.nn import threads as own_threads

VARIABLE = "RNNLM_BACKEND"
SETTINGS = ("auto", "numpy", "compiled")

_chosen: str | None = None


@cache
def _passes() -> ModuleType | None:
    """Import the compiled passes; None where they are not built, or not for this system."""
    try:
        from rnnlm.nn.kernels import _passes
    except ImportError:
        return None
    return _passes


def available() -> bool:
    """Say whether compiled passes can run here."""
    return _passes() is not None


def choose(setting: str, threads: int | None = None, *, bidirectional: bool = False) -> None:
    """Choose the back end and the threads of the networks that this process makes from now on.

    The threads are those of the BLAS, which are best for products alone, or our own (`rnnlm.nn.threads`), which
    compiled passes share too, and both directions of a layer.

    Parameters
    ----------
    setting
        "numpy", "compiled", or "auto" for compiled passes where they are built. The variable RNNLM_BACKEND, where
        it is set, stands above it.
    threads
        How many threads; None for as many as the BLAS has by itself. A BLAS that cannot be told keeps its own.
    bidirectional
        Whether the networks read in both directions.

    Raises
    ------
    RnnlmError
        If compiled passes are asked for and not built, or the variable has none of these values.
    """
    global _chosen
    shared = _back_end(setting) == "compiled" or bidirectional
    _chosen = setting
    at_first = _threads_at_first()  # whatever is set below
    number = threads or at_first
    told = blas.set_threads(1 if shared else number)
    own_threads.use(number if told and (shared or number == 1) else 0)
    passes = _passes() if _back_end(setting) == "compiled" else None
    products.use(passes)
    if passes is not None:
        passes.use_gemms(*blas.gemms())


def current() -> Literal["numpy", "compiled"]:
    """Name the back end of the networks that are made now; it raises what `choose` does.

    Where nothing was chosen, "auto" is.
    """
    if _chosen is None:
        choose("auto")
    return _back_end(_chosen or "auto")


def threads() -> int:
    """Return how many threads compute."""
    return own_threads.number() or blas.threads()


@cache
def _threads_at_first() -> int:
    return blas.threads()


def instruction_set() -> str | None:
    """Name the instructions of the processor that compiled passes use; None where NumPy runs."""
    passes = _passes() if current() == "compiled" else None
    return None if passes is None else str(passes.instruction_sets()[0])


def description() -> str:
    """Name the back end for people, as in "compiled passes, AVX-512"."""
    instructions = instruction_set()
    return "NumPy passes" if instructions is None else f"compiled passes, {instructions}"


def _back_end(setting: str) -> Literal["numpy", "compiled"]:
    """Return what a setting comes to here."""
    name, variable = "training.backend", os.environ.get(VARIABLE)
    if variable:
        name, setting = VARIABLE, variable
    if setting not in SETTINGS:
        raise RnnlmError(f"{name}: must be {', '.join(SETTINGS[:-1])} or {SETTINGS[-1]}, not {shown(setting)}.")
    if setting == "compiled" and not available():
        raise RnnlmError(
            f"{name}: the compiled passes are not built here; install the package again where there is a C "
            "compiler, or choose auto."
        )
    return "compiled" if setting != "numpy" and available() else "numpy"
