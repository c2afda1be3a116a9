"""Where a run is."""

import math
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from rnnlm.errors import RnnlmError, shown
from rnnlm.evaluation.perplexity import perplexity
from rnnlm.storage.checkpoint import STATE, Checkpoint


@dataclass
class Progress:
    """What an exact resume needs to know beside weights, carried state and schedule.

    Attributes
    ----------
    step
        Training steps taken.
    epoch, batch
        Passes over the training split completed, and batches done of the next one.
    tokens
        Predictions trained on.
    seconds
        Time spent training, without evaluation and checkpoints.
    learning_rate, gradient_norm
        Of the last step, the norm before clipping.
    logged_nats, logged_tokens, logged_seconds
        Loss, predictions and time since the last line on training in ``metrics.jsonl``.
    evaluation_pending
        True from the moment an evaluation is due until it is done.
    last_step, last_loss
        Step of the last evaluation, and its loss in nats a token; None before the first.
    best_step, best_loss
        The same of the best evaluation.
    evaluations_since_best
        Evaluations after the best one.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    tokens: int = 0
    seconds: float = 0.0
    learning_rate: float = 0.0
    gradient_norm: float = 0.0
    logged_nats: float = 0.0
    logged_tokens: int = 0
    logged_seconds: float = 0.0
    evaluation_pending: bool = False
    last_step: int | None = None
    last_loss: float | None = None
    best_step: int | None = None
    best_loss: float | None = None
    evaluations_since_best: int = 0

    @property
    def logged_loss(self) -> float:
        """Nats a token since the last line."""
        return self.logged_nats / self.logged_tokens

    @property
    def logged_speed(self) -> float:
        """Tokens a second since the last line."""
        return self.logged_tokens / self.logged_seconds

    def metrics(self, split: str, epochs: float, loss: float, tokens_per_second: float) -> dict[str, Any]:
        """Return a line for ``metrics.jsonl``."""
        return {
            "step": self.step,
            "epoch": epochs,
            "tokens": self.tokens,
            "split": split,
            "loss": loss,
            "perplexity": perplexity(loss),
            "learning_rate": self.learning_rate,
            "grad_norm": self.gradient_norm,
            "tokens_per_second": tokens_per_second,
            "seconds": self.seconds,
        }

    def results(self, run: str, epochs: float) -> dict[str, Any]:
        """Return the `results` of the run so far."""
        best, last = (self.best_step, self.best_loss), (self.last_step, self.last_loss)
        return results(run, self.step, epochs, best, last, self.tokens / self.seconds if self.seconds else 0.0)

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Progress":
        """Return where the run of a checkpoint was; refuse a state that does not say."""
        values = {}
        try:
            for field in fields(cls):
                kind: Any = field.type
                value = values[field.name] = checkpoint.state["progress"][field.name]
                in_range = 0 <= value < 2**63 if isinstance(value, int) else value is None or math.isfinite(value)
                if not (isinstance(value, kind) and in_range):
                    raise ValueError(f"{field.name} is {shown(value)}")
        except (KeyError, TypeError, ValueError) as error:
            raise RnnlmError(
                f"{checkpoint.directory / STATE}: the progress is not whole ({error}); use another checkpoint."
            ) from error
        return cls(**values)

    def stepped(self, tokens: int, nats: float, gradient_norm: float) -> None:
        """Take note of a step."""
        self.step += 1
        self.batch += 1
        self.tokens += tokens
        self.logged_tokens += tokens
        self.logged_nats += nats
        self.gradient_norm = gradient_norm

    def logged(self) -> None:
        """Take note of a line on training."""
        self.logged_nats = self.logged_seconds = 0.0
        self.logged_tokens = 0

    def evaluated(self, loss: float) -> None:
        """Take note of an evaluation at this step."""
        self.evaluation_pending = False
        self.last_step, self.last_loss = self.step, loss
        self.evaluations_since_best += 1
        if self.best_loss is None or loss < self.best_loss:
            self.best_step, self.best_loss = self.step, loss
            self.evaluations_since_best = 0


Evaluated: TypeAlias = tuple[int | None, float | None]
"""The step of an evaluation and its loss; None where there is none."""


def results(
    run: str, steps: int, epochs: float | None, best: Evaluated, last: Evaluated, tokens_per_second: float | None
) -> dict[str, Any]:
    """Return what a run has come to, by the names that it has in JSON."""

    def evaluation(step: int | None, loss: float | None) -> dict[str, Any]:
        value = None if loss is None else perplexity(loss)
        return {"step": step, "valid_loss": loss, "valid_perplexity": value}

    return {
        "run": run,
        "steps": steps,
        "epochs": epochs,
        "best": evaluation(*best),
        "last": evaluation(*last),
        "tokens_per_second": tokens_per_second,
    }
