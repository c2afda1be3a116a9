import gc
import io
import sys

import pytest

from rnnlm.training.display import Display
from rnnlm.training.progress import Progress


class Closed(io.StringIO):
    """A terminal that was closed, or a pipe that nobody reads any more."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("terminal", [False, True])
def test_a_display_that_nobody_sees_falls_silent(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setattr(sys, "stderr", Closed(terminal))
    display = Display(False, 0.0)
    display.bar.start_t = 0.0  # as on a slow machine: old enough to be drawn when it goes
    display.say("step 1")
    assert display.quiet
    display = Display(False, 0.0)
    display.update(0.5, Progress(logged_nats=1.0, logged_tokens=1, logged_seconds=1.0))
    display.say("step 2")
    display.close()
    assert display.quiet
    gc.collect()  # what goes wrong when the first bar goes is seen here
