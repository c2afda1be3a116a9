import gc
import io
import sys
from typing import Any

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


class Guesser:
    """What is known of one who guesses between four answers, the first of which is as frequent as said."""

    guessing_loss = 1.386

    def __init__(self, guessing_accuracy: float) -> None:
        self.guessing_accuracy = guessing_accuracy


def shown(capsys: pytest.CaptureFixture[str], task: str, measures: dict[str, float], loss: float) -> str:
    """Return what is said of an evaluation, where the most frequent answer is that of seven in ten."""
    progress = Progress(step=7, last_step=7, last_loss=loss, last_measures=measures, best_step=3)
    model: Any = Guesser(0.7 if measures else 0.0)
    Display(False, 0.0, task).evaluated(progress, 0.5, model)
    return capsys.readouterr().err


def test_a_tasks_own_measures_are_shown_in_place_of_the_perplexity(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, "language_model", {}, 1.0)
    assert said == "step 7, epoch 0.50, 0 s: validation loss 1.0000, perplexity 2.72\n"
    said = shown(capsys, "tag", {"f1": 0.5, "accuracy": 0.75}, 1.0)
    assert said == "step 7, epoch 0.50, 0 s: validation loss 1.0000, F1 0.5000, accuracy 0.7500\n"


@pytest.mark.parametrize(
    ("task", "words"),
    [("classify", "loss 2.000, 8"), ("language_model", "2.000, perplexity"), ("translate", "2.000, perplexity")],
)
def test_a_task_has_no_perplexity_on_the_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, task: str, words: str
) -> None:
    monkeypatch.setattr("rnnlm.training.display.LINE_SECONDS", 0)
    Display(False, 0.0, task).update(0.5, Progress(logged_nats=8.0, logged_tokens=4, logged_seconds=0.5))
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("measures", "loss", "warned"),
    [
        ({}, 1.4, False),
        ({}, 1.5, True),
        ({"accuracy": 0.7}, 1.4, False),
        # It always gives the most frequent answer, or worse ones.
        ({"accuracy": 0.7, "macro_f1": 0.2}, 1.5, True),
        ({"accuracy": 0.1, "macro_f1": 0.05}, 9.0, True),
        # It is right more often than that, and far too sure of itself where it is wrong.
        ({"accuracy": 0.85, "macro_f1": 0.8}, 1.5, False),
    ],
)
def test_only_what_is_worse_than_guessing_is_called_so(
    capsys: pytest.CaptureFixture[str], measures: dict[str, float], loss: float, warned: bool
) -> None:
    said = shown(capsys, "classify" if measures else "language_model", measures, loss)
    assert ("This is worse than guessing, 1.3860; try a smaller" in said) == warned


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
