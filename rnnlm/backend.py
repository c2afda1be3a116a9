"""What the passes over time run on: compiled code, where it is built, or NumPy."""

import os
from functools import cache
from types import ModuleType
from typing import Literal

from rnnlm.errors import RnnlmError, shown

VARIABLE = "RNNLM_BACKEND"
SETTINGS = ("auto", "numpy", "compiled")

_chosen = "auto"


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


def choose(setting: str) -> None:
    """Choose the back end of the networks that this process makes from now on.

    Parameters
    ----------
    setting
        "numpy", "compiled", or "auto" for compiled passes where they are built; a process begins with "auto".
        The variable RNNLM_BACKEND, where it is set, stands above it.

    Raises
    ------
    RnnlmError
        If compiled passes are asked for and not built, or the variable has none of these values.
    """
    global _chosen
    _back_end(setting)
    _chosen = setting


def current() -> Literal["numpy", "compiled"]:
    """Name the back end of the networks that are made now; it raises what `choose` does."""
    return _back_end(_chosen)


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
