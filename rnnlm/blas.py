"""What NumPy's matrix products run on: the BLAS kernel in use, its threads, the machine's speed limit."""

import ctypes
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.nn.products import matmul

_FORCING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_NAMES = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "flexiblas": "FlexiBLAS"}


@cache
def _library() -> Any:
    """Find NumPy's BLAS among those that are loaded, as threadpoolctl has it; None for one that it does not know.

    Other packages, such as SciPy, may have loaded their own. That of NumPy lies in NumPy's folders, or outside of
    all packages where the system or conda has one for all of them.
    """
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    numpy = str(Path(np.__file__).resolve().parent)  # a prefix of numpy.libs too
    own = [library for library in found if library.filepath.startswith(numpy)]
    shared = [library for library in found if "site-packages" not in Path(library.filepath).parts]
    return next(iter(own + shared), None)


def kernel() -> str:
    """Name the BLAS and what it has chosen for this processor, as in "OpenBLAS SkylakeX".

    MKL does not say what it has chosen; its version is named instead, and of FlexiBLAS the library behind it.
    """
    library = _library()
    if library is None:
        build: Any = np.show_config(mode="dicts")
        return str(build["Build Dependencies"]["blas"]["name"])
    choice = getattr(library, "architecture", None) or getattr(library, "current_backend", None) or library.version
    return f"{_NAMES[library.internal_api]} {choice}"


def forcing_variables() -> dict[str, str]:
    """Return the variables of the environment that override OpenBLAS's own choices for this processor."""
    return {name: os.environ[name] for name in _FORCING if name in os.environ}


def unforced_kernel() -> str:
    """Name the kernel that would be in use without `forcing_variables`, by asking a fresh process."""
    environment = {name: value for name, value in os.environ.items() if name not in _FORCING}
    code = "from rnnlm import blas; print(blas.kernel())"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],  # Python imports from there first, and not from where the user is
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


def threads() -> int:
    """Return the number of threads of a matrix product."""
    library = _library()
    return int(library.num_threads) if library is not None else (os.cpu_count() or 1)


def set_threads(number: int) -> bool:
    """Set the number of threads of a matrix product; False where NumPy's BLAS cannot be told."""
    library = _library()
    if library is None:
        return False
    library.set_num_threads(number)
    # Since its version 3.8 threadpoolctl lets only the first thread that sets the number set it again.
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread()
    return True


def gemms() -> tuple[int, int]:
    """Return where `cblas_sgemm` and `cblas_dgemm` lie; zeros unless they are OpenBLAS's of 64-bit integers."""
    library = _library()
    if library is None or library.internal_api != "openblas":
        return 0, 0
    for prefix in ("scipy_", ""):
        found: list[Any] = [getattr(library.dynlib, f"{prefix}cblas_{kind}gemm64_", None) for kind in "sd"]
        if all(found):
            single, double = (ctypes.cast(function, ctypes.c_void_p).value or 0 for function in found)
            return single, double
    return 0, 0


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
        matmul(a, b, out)
        best = max(best, 2 * n**3 / (time.perf_counter() - started))
    return best / 1e9
