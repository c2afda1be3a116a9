"""Ctrl-C and SIGTERM as a note that the training loop reads when it suits."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(Exception):
    """Ctrl-C or SIGTERM asked the run to stop."""


class StopSignals:
    """Notes the first SIGINT or SIGTERM; a second one does what it always does.

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

        def note(number: int, frame: FrameType | None) -> None:
            # Nothing is printed here: a signal may come in the middle of a print.
            self.received = number
            restore()

        def restore() -> None:
            for number, handler in handlers.items():
                signal.signal(number, handler)

        handlers = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            restore()

    def check(self) -> None:
        """Raise `Stopped` if there was a signal."""
        if self.received is not None:
            raise Stopped
