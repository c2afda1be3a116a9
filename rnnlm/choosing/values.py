"""A plan as values of the configuration, each with its reason."""

from typing import Any

from rnnlm.choosing.choice import Choice
from rnnlm.choosing.facts import Facts
from rnnlm.choosing.plan import Plan, Reading
from rnnlm.choosing.sizes import SAMPLES, Size
from rnnlm.choosing.wording import duration, rounded, times
from rnnlm.text.report import counted

Values = dict[str, tuple[Any, str]]
"""By ``section.key``, the value and its reason."""


def network(size: Size) -> Values:
    """Return the network's values; the reasons for its size are the plan's."""
    V = size.vocabulary_size
    values: Values = {
        "model.cell": ("lstm", "It learned more than vanilla and time-delay cells in the same time."),
        "model.embedding_size": (
            size.embedding_size,
            "As large as the layers, for the weights are tied."
            if size.is_tied
            else f"Of {V:,} tokens, so few that larger vectors would say no more."
            if not size.has_words
            else "As large as the layers.",
        ),
        "model.hidden_size": (size.units, ""),
        "model.num_layers": (size.layers, ""),
        "model.bias": (True, "Costs next to nothing."),
    }
    if size.layers > 1 and not size.has_words:
        values["model.residual"] = (True, "Without it two layers over characters hardly begin to learn.")
    if size.is_tied:
        values["model.tie_weights"] = (True, f"One table of {V:,} words in place of two: rare words learn twice.")
    if size.is_sampled:
        values["model.softmax_samples"] = (
            SAMPLES,
            f"A softmax over all {V:,} tokens would take most of the time.",
        )
    if size.is_adaptive:
        values["model.softmax_cutoffs"] = (
            list(size.cutoffs),
            f"Of {V:,} tokens these come first in 80 and 95 % of the text; the others wait in clusters.",
        )
    return values


def reading(cut: Reading, facts: Facts) -> Values:
    """Return how the text is read."""
    side_by_side = "side by side: fewer learn more from a short text, more are faster."
    if cut.batching == "sentences":
        why = "Sentences in a new order every epoch keep a short text from being learned by heart."
        return {
            "training.batching": (cut.batching, why),
            "training.batch_size": (cut.batch_size, f"Sentences {side_by_side}"),
        }
    why = "The text is read on from window to window, so nothing is padding and no context is lost."
    return {
        "training.batching": (cut.batching, why),
        "training.batch_size": (cut.batch_size, f"Streams {side_by_side}"),
        "training.bptt_steps": (
            cut.bptt_steps,
            "Twice as many would halve the updates, which count most in a short time.",
        ),
    }


def training(plan: Plan) -> Values:
    """Return how long it takes, and when it is measured."""
    values: Values = {}
    if plan.seconds is None:
        values["training.epochs"] = (plan.epochs, "As asked for.")
    else:
        values["training.epochs"] = (
            plan.epochs,
            f"Most that {counted(plan.facts.tokens, 'token{s} {are}')} worth: more would be learned by heart.",
        )
        values["training.max_seconds"] = (plan.seconds, "As asked for; whichever of the two ends first.")
    every = plan.evaluate_every
    values["training.evaluate_every"] = (
        every,
        "Once an epoch."
        if every is None
        else f"Steps, of some {rounded(plan.steps)}: evaluations take no more than a fifth of the time.",
    )
    if plan.is_text_used_up and plan.passes >= PATIENCE:
        values["training.patience"] = (
            PATIENCE,
            "When the validation loss has risen for so long, the rest is in vain.",
        )
    if plan.steps < 1000:
        values["training.log_every"] = (10, "Some points for the curves of so few steps.")
    return values


PATIENCE = 5
"""Evaluations without a new best after which a training is over."""

OPTIMIZER: Values = {
    "optimizer.name": ("sgd", "Plain steps, which at a high rate learned more here than Adam's."),
    "optimizer.learning_rate": (1.0, "What suited words and characters alike, with such batches."),
    "optimizer.clip_norm": (5.0, "Such a rate needs it."),
    "schedule.name": ("linear", "Down to zero at the end, wherever that is."),
}


def choice(plan: Plan, notes: tuple[str, ...]) -> Choice:
    """Return a plan as a choice."""
    values: Values = {
        "data.path": (plan.facts.path, ""),
        **network(plan.size),
        "model.dropout": (plan.dropout, _why_dropout(plan)),
        **reading(plan.reading, plan.facts),
        **training(plan),
        **OPTIMIZER,
    }
    values["model.hidden_size"] = (plan.size.units, _why_size(plan))
    if plan.size.layers > 1:
        values["model.num_layers"] = (plan.size.layers, "There is time for two.")
    return Choice(
        {name: value for name, (value, _) in values.items()},
        {name: reason for name, (_, reason) in values.items()},
        notes,
    )


def _why_size(plan: Plan) -> str:
    """Say what has set the size of the layers."""
    trained = f"{rounded(plan.tokens)} tokens for {rounded(plan.size.recurrent_weights)} recurrent weights"
    return {
        "asked": "As asked for.",
        "time": f"As many as can be trained well in {duration(plan.seconds or 0)}, on some {trained}.",
        "text": f"As many as {counted(plan.facts.tokens, 'token{s}')} can teach: more would learn them by heart.",
        "memory": "As many as take no more than two gigabytes with such a vocabulary.",
    }[plan.limit]


def _why_dropout(plan: Plan) -> str:
    """Say what has set the dropout."""
    if plan.dropout == 0:
        return "The text is not read often enough to be learned by heart."
    weights = rounded(plan.size.recurrent_weights)
    return f"For {weights} recurrent weights and a text that is read {times(plan.passes)}; more for either."
