"""What perplexity a text of some length can be expected to reach."""

import math

from rnnlm.choosing.plan import Plan

WORDS = (0.87, 0.08, 0.2)
CHARACTERS = (0.73, 0.15, 0.15)
"""With 10,000 tokens, the share of the loss of a prediction by frequency that is left; by how much less it is with
every tenfold text; and how many nats texts are off from that in either direction."""

SMALLEST_SHARE = 0.4
"""What is left of the longest texts: of no longer ones anything was measured."""


def expected_loss(plan: Plan) -> tuple[float, float] | None:
    """Return between which losses the validation split is likely to be, given time; None where there is none."""
    facts = plan.facts
    if facts.unigram_loss is None:
        return None
    share, falls, spread = WORDS if facts.has_words else CHARACTERS
    left = max(share - falls * math.log10(facts.tokens / 10_000), SMALLEST_SHARE)
    middle = min(left, 1.0) * facts.unigram_loss
    return max(middle - spread, 0.0), min(middle + spread, facts.unigram_loss)


def expected(plan: Plan) -> tuple[str, str] | None:
    """Return the same as perplexities, in two digits that count."""
    losses = expected_loss(plan)
    if losses is None:
        return None
    low, high = (f"{math.exp(loss):.0f}" if loss > 2.3 else f"{math.exp(loss):.1f}" for loss in losses)
    return low, high
