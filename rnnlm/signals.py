"""Ctrl-C and other requests to stop: handled for a while, or noted and read when it suits."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

ONE_STOP_SECONDS = 1.0
"""Signals within this time are one request: some senders, such as `timeout`, send theirs twice."""


@contextmanager
def handled(
    numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]
) -> Iterator[Callable[[], None]]:
    """Have a function handle signals within a ``with`` block, which is given a function that ends this early."""
    before = {number: signal.signal(number, handler) for number in numbers}

    def restore() -> None:
        for number, each in before.items():
            signal.signal(number, each)

    try:
        yield restore
    finally:
        restore()


class Stopped(Exception):
    """A signal asked the run to stop."""


class StopSignals:
    """Notes the first SIGINT, SIGTERM or, where a closed terminal sends one, SIGHUP; a later one stops at once.

    Attributes
    ----------
    received
        Number of the signal; None as long as there was none.
    """

    def __init__(self) -> None:
        self.received: int | None = None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note signals within a ``with`` block."""
        first = 0.0

        def note(number: int, frame: FrameType | None) -> None:
            # Nothing is printed here: a signal may come in the middle of a print.
            nonlocal first
            if self.received is None:
                self.received, first = number, time.monotonic()
            elif time.monotonic() - first >= ONE_STOP_SECONDS:
                restore()
                signal.raise_signal(number)

        with handled(_stops(), note) as restore:
            yield

    def check(self) -> None:
        """Raise `Stopped` if there was a signal."""
        if self.received is not None:
            raise Stopped


def _stops() -> list[signal.Signals]:
    """List the signals that stop a run; one that `nohup` has ignored stays so."""
    stops = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        stops.append(signal.SIGHUP)
    return stops
