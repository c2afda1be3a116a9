"""The program, as ``rnnlm`` and as ``python -m rnnlm``."""

import os
import signal
import sys
from importlib.machinery import PathFinder

KERNELS = os.path.join(os.path.dirname(__file__), "nn", "kernels")


def main() -> None:
    """Run the command line and exit.

    Ctrl-C ends the program at once, without a traceback, while it is being imported and once it is done.
    """
    interrupts = signal.getsignal(signal.SIGINT)
    # A shell's background job ignores Ctrl-C, and goes on doing so.
    is_usual = interrupts is signal.default_int_handler
    if is_usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    let_idle_threads_sleep()
    from rnnlm.cli import main as run

    try:
        signal.signal(signal.SIGINT, interrupts)
        run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if is_usual:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def let_idle_threads_sleep() -> None:
    """Keep OpenBLAS's idle threads from spinning on cores that the threads of compiled passes need.

    OpenBLAS reads the variable when NumPy is imported. One that is set already stays. Without compiled passes it
    is not set: threads that sleep are slower to begin.
    """
    compiled = (
        os.environ.get("RNNLM_BACKEND") != "numpy" and PathFinder.find_spec("_passes", [KERNELS]) is not None
    )
    if compiled:
        os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


if __name__ == "__main__":
    main()
