"""The same surroundings for every test and for what it starts, whatever machine, shell and terminal that is."""

import os
import random
import signal
import time

import nltk
import numpy as np

from rnnlm import backend, blas

# What programs need to start, where there is room for files, what pytest and coverage tell their own processes.
KEPT = {
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "COMSPEC", "PATHEXT"),
    *("TMPDIR", "TEMP", "TMP"),
}
KEPT_PREFIXES = ("PYTEST_", "COV_", "COVERAGE_")
FIXED = {
    # Nothing can be read from or written to this home, not even by root.
    **dict.fromkeys(("HOME", "USERPROFILE"), os.devnull),
    "COLUMNS": "80",
    "LC_ALL": "C",
    "LINES": "24",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
    "TERM": "dumb",
    "TZ": "UTC",
}


def fix() -> None:
    """Give this process, and those that it starts, the surroundings that every test is written for.

    NumPy is imported before and has read the variables that choose its kernels: the tests hold with any.
    """
    for name in set(os.environ) - KEPT:
        if not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(FIXED)
    if hasattr(time, "tzset"):
        time.tzset()
    nltk.data.path.clear()
    blas.set_threads(1)
    backend.choose("auto")
    random.seed(0)
    np.random.seed(0)
    os.umask(0o022)
    # A shell has Ctrl-C ignored in what it starts in the background, nohup a closed terminal; others block them.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
