"""How a person sees where a run is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from rnnlm.evaluation.perplexity import TASKS_OF_PERPLEXITY, perplexity, rounded
from rnnlm.models.model import Model
from rnnlm.training.progress import Progress, called

LINE_SECONDS = 30
"""Seconds between lines where stderr is not a terminal."""

CLEARLY_WORSE = 0.1
"""Nats above those of guessing from which a loss is no longer that of a network which has only begun to learn."""

HARDLY_BETTER = 0.02
"""An accuracy this much above that of a constant answer may come from the draw of the validation split."""


class Display:
    """The progress bar on a terminal, plain lines elsewhere; nothing when `quiet`, or once nobody can see it.

    The perplexity is shown of models that write.
    """

    def __init__(self, quiet: bool, done: float, task: str = "language_model") -> None:
        self.quiet, self.task = quiet, task
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
        text = f"{self._in_words(progress.logged_loss, 3)}, {progress.logged_speed:,.0f} tokens/s"
        if self.bar.disable:
            self.say(f"{done:4.0%}, step {progress.step:,}: {text}")
            self._next_line = now + LINE_SECONDS
        else:
            with self._while_seen():
                self.bar.set_postfix_str(text, refresh=False)
                self.bar.update(done - self.bar.n)

    def evaluated(self, progress: Progress, epochs: float, model: Model[Any, Any]) -> None:
        """Show the last evaluation on the validation split, and the loss of guessing if it is clearly better."""
        loss, measures = progress.last_loss or 0.0, progress.last_measures
        mark = " (best)" if progress.best_step == progress.step else ""
        self.say(
            f"step {progress.step:,}, epoch {epochs:.2f}, {progress.seconds:,.0f} s: "
            f"validation {self._in_words(loss, 4)}{_listed(measures)}{mark}"
        )
        # Answers that are mostly right, but all too sure, can have a high loss too.
        no_better = measures.get("accuracy", 0.0) < model.guessing_accuracy + HARDLY_BETTER
        if loss > model.guessing_loss + CLEARLY_WORSE and no_better:
            self.say(
                f"  This is worse than guessing, {model.guessing_loss:.4f}; try a smaller optimizer.learning_rate."
            )

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

    def _in_words(self, loss: float, digits: int) -> str:
        words = f"loss {loss:.{digits}f}"
        return f"{words}, perplexity {rounded(perplexity(loss))}" if self.task in TASKS_OF_PERPLEXITY else words


def _listed(measures: dict[str, float]) -> str:
    return "".join(f", {called(name)} {value:.4f}" for name, value in measures.items())
