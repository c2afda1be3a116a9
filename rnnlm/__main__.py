"""The program, as ``rnnlm`` and as ``python -m rnnlm``."""

import signal
import sys


def main() -> None:
    """Run the command line and exit.

    Ctrl-C ends the program at once, without a traceback, while it is being imported and once it is done.
    """
    interrupts = signal.getsignal(signal.SIGINT)
    # A shell's background job ignores Ctrl-C, and goes on doing so.
    is_usual = interrupts is signal.default_int_handler
    if is_usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from rnnlm.cli import main as run

    try:
        signal.signal(signal.SIGINT, interrupts)
        run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if is_usual:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
