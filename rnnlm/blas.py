"""What NumPy's matrix products run on: the BLAS kernel in use, its threads, the machine's speed limit."""

import ctypes
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

# OpenBLAS as built for NumPy's wheels, for other 64-bit builds, and as distributed by most systems.
_OPENBLAS_NAMES = ("scipy_openblas_{}64_", "openblas_{}64_", "openblas_{}")


_FORCING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@cache
def _openblas(function: str) -> Callable[..., Any] | None:
    """Find a function of the OpenBLAS that NumPy has loaded; None where NumPy uses another BLAS."""
    # A look-up in NumPy's core goes on in the libraries that it is linked with.
    core = importlib.import_module("numpy._core._multiarray_umath")
    try:
        library = ctypes.CDLL(core.__file__)
    except OSError:
        return None
    for name in _OPENBLAS_NAMES:
        found: Callable[..., Any] | None = getattr(library, name.format(function), None)
        if found is not None:
            return found
    return None


def kernel() -> str:
    """Name the BLAS and, for OpenBLAS, the processor kernel it chose, as in "OpenBLAS SkylakeX"."""
    get_corename: Any = _openblas("get_corename")
    if get_corename is not None:
        get_corename.restype = ctypes.c_char_p
        return f"OpenBLAS {get_corename().decode()}"
    build: Any = np.show_config(mode="dicts")
    return str(build["Build Dependencies"]["blas"]["name"])


def forcing_variables() -> dict[str, str]:
    """Return the variables of the environment that override OpenBLAS's own choices for this processor."""
    return {name: os.environ[name] for name in _FORCING if name in os.environ}


def unforced_kernel() -> str:
    """Name the kernel that would be in use without `forcing_variables`, by asking a fresh process."""
    environment = {name: value for name, value in os.environ.items() if name not in _FORCING}
    code = "from rnnlm import blas; print(blas.kernel())"
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def threads() -> int:
    """Return the number of threads of a matrix product."""
    get_num_threads = _openblas("get_num_threads")
    return int(get_num_threads()) if get_num_threads is not None else (os.cpu_count() or 1)


def set_threads(number: int) -> bool:
    """Set the number of threads of a matrix product; False where NumPy's BLAS cannot be told."""
    set_num_threads = _openblas("set_num_threads")
    if set_num_threads is None:
        return False
    set_num_threads(ctypes.c_int(number))
    return True


def gemm_peak(seconds: float = 1.0) -> float:
    """Measure the fastest single-precision product of two 2000 × 2000 matrices, in GFLOP/s.

    Parameters
    ----------
    seconds
        How long to go on trying.
    """
    n = 2000
    rng = np.random.default_rng(0)
    a, b = rng.random((n, n), dtype=np.float32), rng.random((n, n), dtype=np.float32)
    out = np.empty_like(a)
    best = 0.0
    end = time.perf_counter() + seconds
    while best == 0 or time.perf_counter() < end:
        started = time.perf_counter()
        np.matmul(a, b, out=out)
        best = max(best, 2 * n**3 / (time.perf_counter() - started))
    return best / 1e9
