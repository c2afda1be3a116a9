"""Where a run is."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from rnnlm.errors import RnnlmError, shown
from rnnlm.evaluation.perplexity import perplexity
from rnnlm.storage.checkpoint import STATE, Checkpoint

ERRORS = ("rmse", "mae", "mase")
"""Measures of which less is better."""


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
        Tokens trained on.
    seconds
        Time spent training, without evaluation and checkpoints.
    learning_rate, gradient_norm
        Of the last step, the norm before clipping.
    logged_nats, logged_tokens, logged_seconds
        Loss, tokens and time since the last line on training in ``metrics.jsonl``; the loss of a token is the mean
        of the predictions in its batch.
    evaluation_pending
        True from the moment an evaluation is due until it is done.
    last_step, last_loss, last_measures
        Step of the last evaluation, its loss in nats a prediction (None before the first), and the task's own
        measures.
    best_step, best_loss, best_measures
        The same of the best evaluation; see `rank`.
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
    last_measures: dict[str, float] = field(default_factory=dict)
    best_measures: dict[str, float] = field(default_factory=dict)

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
        best = Evaluated(self.best_step, self.best_loss, self.best_measures)
        last = Evaluated(self.last_step, self.last_loss, self.last_measures)
        return results(run, self.step, epochs, best, last, self.tokens / self.seconds if self.seconds else 0.0)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; measures only where the task has some."""
        return {name: value for name, value in asdict(self).items() if value != {}}

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Progress":
        """Return where the run of a checkpoint was; refuse a state that does not say."""
        try:
            values = {"last_measures": {}, "best_measures": {}, **checkpoint.state["progress"]}
            values = {each.name: values[each.name] for each in fields(cls)}
            for each in fields(cls):
                if not _is_valid(values[each.name], each.type):
                    raise ValueError(f"{each.name} is {shown(values[each.name])}")
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

    def evaluated(self, loss: float, measures: dict[str, float]) -> None:
        """Take note of an evaluation at this step: its loss, and the task's own measures."""
        self.evaluation_pending = False
        self.last_step, self.last_loss, self.last_measures = self.step, loss, measures
        self.evaluations_since_best += 1
        if self.best_loss is None or rank(loss, measures) < rank(self.best_loss, self.best_measures):
            self.best_step, self.best_loss, self.best_measures = self.step, loss, measures
            self.evaluations_since_best = 0


def rank(loss: float, measures: Mapping[str, float]) -> tuple[float, float]:
    """Return what the best evaluation has least of.

    The first of a task's own measures decides; between equals, and where there is none, as of a language model,
    the loss does.
    """
    name, value = next(iter(measures.items()), ("", 0.0))
    return value if is_error(name) else -value, loss


def is_error(measure: str) -> bool:
    """Whether less of a measure is better, as of the errors of forecasts."""
    return measure in ERRORS


def called(measure: str) -> str:
    """Return what people call a measure: "macro F1" for ``macro_f1``."""
    return measure.upper() if measure in ERRORS else measure.replace("_", " ").replace("f1", "F1")


def _is_valid(value: Any, kind: Any) -> bool:
    """Whether a value of a checkpoint is one that a field of this type may have."""
    if kind == dict[str, float]:
        return isinstance(value, dict) and all(_is_valid(each, float) for each in value.values())
    in_range = 0 <= value < 2**63 if isinstance(value, int) else value is None or math.isfinite(value)
    return isinstance(value, kind) and in_range


class Evaluated(NamedTuple):
    """The step of an evaluation, its loss and the task's own measures; None where there is none."""

    step: int | None
    loss: float | None
    measures: dict[str, float]


def results(
    run: str, steps: int, epochs: float | None, best: Evaluated, last: Evaluated, tokens_per_second: float | None
) -> dict[str, Any]:
    """Return what a run has come to, by the names that it has in JSON."""

    def evaluation(evaluated: Evaluated) -> dict[str, Any]:
        step, loss, measures = evaluated
        value = None if loss is None else perplexity(loss)
        of_task = {f"valid_{name}": measure for name, measure in measures.items()}
        return {"step": step, "valid_loss": loss, "valid_perplexity": value, **of_task}

    return {
        "run": run,
        "steps": steps,
        "epochs": epochs,
        "best": evaluation(best),
        "last": evaluation(last),
        "tokens_per_second": tokens_per_second,
    }
