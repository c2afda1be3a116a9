"""Measuring a model while it is trained: each rank takes a share of the windows."""

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

from rnnlm.evaluation.shares import Share
from rnnlm.generation.sampler import OverflowedError
from rnnlm.models.model import Evaluation, Model
from rnnlm.ranks.ranks import Ranks
from rnnlm.signals import Stopped


def measured(model: Model[Any, Any], split: Any, ranks: Ranks, watch: Callable[[], None]) -> Evaluation:
    """Measure a model on a part of a dataset, together with the other ranks.

    Parameters
    ----------
    model, split
        What is measured, and on what.
    ranks
        Who measures; all return the same.
    watch
        Called at every window; it raises `Stopped` to end the measuring.

    Raises
    ------
    OverflowedError, Stopped
        On all ranks, if the probabilities are not finite numbers on one, or `watch` ended it on one.
    """
    outcome: Evaluation | None = None
    error: type[Exception] | None = None
    try:
        outcome = model.evaluate(split, watch=watch, share=Share(ranks.rank, ranks.number))
    except (OverflowedError, Stopped) as raised:
        error = type(raised)
    errors = {each for each in ranks.gathered(error) if each is not None}
    for kind in (Stopped, OverflowedError):
        if kind in errors:
            raise kind
    # Added up in the order of the ranks, so that all have the same bits.
    return reduce(operator.add, [each for each in ranks.gathered(outcome) if each is not None])
