"""What a person should know about a text and a budget before training."""

import math
from collections.abc import Iterator

from rnnlm.choosing.expectation import expected
from rnnlm.choosing.plan import TOKENS_PER_WEIGHT, Plan
from rnnlm.choosing.wording import duration, times
from rnnlm.resources import MODEL
from rnnlm.text.report import counted

LITTLE_TEXT = 100_000
"""Tokens up to which more text helps more than anything else."""

FEW_UNKNOWN = 0.01
"""Share of unknown words up to which a model does not learn where they stand."""


def advice(plan: Plan) -> tuple[str, ...]:
    """Return sentences on the text, the machine, the time, and what may be done about them."""
    return (*_found(plan), *_on_the_budget(plan), *_on_the_text(plan), *_on_evaluations(plan))


def _found(plan: Plan) -> Iterator[str]:
    facts = plan.facts
    unknown = facts.unknown_tokens / facts.tokens
    yield (
        f"Chosen for {facts.path}: {counted(facts.tokens, 'token{s}')} to train on in "
        f"{counted(facts.sentences, 'sentence{s}')}, {facts.vocabulary_size:,} in the vocabulary, {unknown:.1%} "
        f"unknown; a machine of speed class {plan.speed}."
    )
    yield f"Some {duration(plan.training_seconds)} of training, in which the text is read {times(plan.passes)}."
    perplexities = expected(plan)
    if perplexities is not None:
        low, high = perplexities
        yield (
            f"With time enough such a text reaches a validation perplexity of {low} to {high}; by the frequencies "
            f"of its tokens alone it has {math.exp(facts.unigram_loss or 0):.0f}."
        )


def _on_the_budget(plan: Plan) -> Iterator[str]:
    """Say what a budget leaves undone: time for a larger network, or of the text, time over."""
    if plan.limit == "time" and plan.seconds is not None:
        size, supported = plan.size, plan.supported
        enough = max(TOKENS_PER_WEIGHT * supported.recurrent_weights, plan.facts.tokens)
        depth = f" in {supported.layers} layers" if supported.layers > 1 else ""
        yield (
            f"The budget is small for this text: it would support {supported.units} units{depth}, not "
            f"{size.units}, given {duration(plan.speed.seconds(supported, enough))} on this machine."
        )
    elif plan.seconds is not None and plan.passes < 1:
        yield (
            f"The budget is small for this text: reading all of it once takes "
            f"{duration(plan.speed.seconds(plan.size, plan.facts.tokens))}."
        )
    elif plan.seconds is not None and plan.training_seconds < plan.seconds / 2:
        yield "More time would not help: the text is too short for more."


def _on_the_text(plan: Plan) -> Iterator[str]:
    """Say what helps where there is little text."""
    facts = plan.facts
    if facts.is_of_words and facts.unknown_tokens < FEW_UNKNOWN * facts.tokens:
        yield (
            "Hardly a word of the training text is unknown, so the model will not expect unknown ones in other "
            "texts: preprocess again with --min-count 2, which makes the vocabulary smaller, too."
        )
    if facts.tokens < LITTLE_TEXT:
        yield "More text of the same kind helps more than anything that can be set here."
    # What begins with a trained model has its size.
    if facts.is_of_words and facts.tokens < LITTLE_TEXT and plan.limit != "asked":
        yield (
            f"If it is English, begin with the installed model: preprocess again with --vocab {MODEL} "
            f"--extend-vocab 500, and train with --init-from {MODEL}."
        )


def _on_evaluations(plan: Plan) -> Iterator[str]:
    """Say where the validation split is larger than the time allows."""
    if plan.evaluation_seconds > plan.training_seconds / 2:
        yield (
            f"An evaluation takes {duration(plan.evaluation_seconds)}, which the time of training does not count: "
            "preprocess again with a smaller --valid-fraction."
        )
