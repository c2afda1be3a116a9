"""How a person sees where a run is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from rnnlm.evaluation.perplexity import perplexity, rounded
from rnnlm.training.progress import Progress

LINE_SECONDS = 30
"""Seconds between lines where stderr is not a terminal."""

CLEARLY_WORSE = 0.1
"""Nats above those of guessing from which a loss is no longer that of a network which has only begun to learn."""


class Display:
    """The progress bar on a terminal, plain lines elsewhere; nothing when `quiet`, or once nobody can see it."""

    def __init__(self, quiet: bool, done: float) -> None:
        self.quiet = quiet
        self._next_line = time.monotonic() + LINE_SECONDS
        self.bar: tqdm[Any] = tqdm(
            total=1.0,
            initial=done,
            miniters=0,
            disable=quiet or not sys.stderr.isatty(),
            bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            dynamic_ncols=True,
            leave=False,
            delay=0.1,  # so that nothing is written yet
        )

    def update(self, done: float, progress: Progress) -> None:
        """Show loss and speed since the last logged line; `done` is the share of the run that is over."""
        if self.quiet:
            return
        now = time.monotonic()
        if self.bar.disable and now < self._next_line:
            return
        text = f"{_in_words(progress.logged_loss, 3)}, {progress.logged_speed:,.0f} tokens/s"
        if self.bar.disable:
            self.say(f"{done:4.0%}, step {progress.step:,}: {text}")
            self._next_line = now + LINE_SECONDS
        else:
            with self._while_seen():
                self.bar.set_postfix_str(text, refresh=False)
                self.bar.update(done - self.bar.n)

    def evaluated(self, progress: Progress, epochs: float, loss: float, guessing: float) -> None:
        """Show the loss of the validation split, and that of guessing if it is clearly better."""
        mark = " (best)" if progress.best_step == progress.step else ""
        self.say(
            f"step {progress.step:,}, epoch {epochs:.2f}, {progress.seconds:,.0f} s: "
            f"validation {_in_words(loss, 4)}{mark}"
        )
        if loss > guessing + CLEARLY_WORSE:
            self.say(f"  This is worse than guessing, {guessing:.4f}; try a smaller optimizer.learning_rate.")

    def say(self, message: str) -> None:
        """Print a line to stderr without tearing the bar."""
        if not self.quiet:
            with self._while_seen():
                self.bar.write(message, file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        with self._while_seen():
            self.bar.close()

    @contextmanager
    def _while_seen(self) -> Iterator[None]:
        """Fall silent where the terminal was closed or the pipe is read no more: the training goes on."""
        try:
            yield
        except OSError:
            self.quiet = self.bar.disable = True


def _in_words(loss: float, digits: int) -> str:
    return f"loss {loss:.{digits}f}, perplexity {rounded(perplexity(loss))}"
