"""What perplexity a text of some length can be expected to reach."""

import math

from rnnlm.choosing.plan import Plan

WORDS = ((1_000, 180.0), (1_000_000, 95.0))
CHARACTERS = ((1_000, 14.0), (1_000_000, 4.3))
"""Tokens, and the perplexity reached with them."""

SPREAD = 1.4
"""Texts differ by so much in either direction."""


def expected(plan: Plan) -> tuple[str, str]:
    """Return between which perplexities the validation split is likely to be."""
    (n0, p0), (n1, p1) = WORDS if plan.facts.has_words else CHARACTERS
    share = math.log(plan.facts.tokens / n0) / math.log(n1 / n0)
    middle = p0 * (p1 / p0) ** share
    return f"{middle / SPREAD:.2g}", f"{middle * SPREAD:.2g}"
