"""The most likely continuations of a prompt."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.generation.sampling import SampledIds, ban, refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt


class Hypothesis(NamedTuple):
    """A continuation within the beam."""

    ids: list[int]
    log_prob: float
    ended: bool = False
    parent: int = 0  # which of the hypotheses that went on it was made of


@np.errstate(all="ignore")
def beam_search(
    network: Network,
    prompt: list[int],
    width: int,
    *,
    end_id: int,
    forbidden: Collection[int],
    max_tokens: int,
    min_tokens: int = 0,
) -> list[SampledIds]:
    """Search for the most likely continuations of a prompt.

    At every step each hypothesis is continued with every token, and the `width` most likely of these, and of those
    that ended before, are kept (Graves 2012, Sutskever et al. 2014). They are compared by their log-probabilities
    as they are, not divided by their lengths. With a beam as wide as there are continuations the search is exact.

    Parameters
    ----------
    network
        The model.
    prompt
        Ids that are continued, the start of a sentence first.
    width
        How many hypotheses are kept.
    end_id
        A continuation ends before this id.
    forbidden
        Ids that are not used.
    max_tokens
        Length at which a continuation is cut.
    min_tokens
        Length below which none ends.

    Returns
    -------
    list of SampledIds
        At most `width` continuations, the most likely first.

    Raises
    ------
    RnnlmError
        If `width` is below 1, or the model overflows.
    """
    if width < 1:
        raise RnnlmError(f"width {width}: give a whole number from 1.")
    beam = going_on = [Hypothesis([], 0.0)]
    log_probs, state = read_prompt(network, prompt)
    stepper = Stepper(network, state)
    for step in range(max_tokens):
        if step > 0:
            stepper.begin(stepper.state[:, :, [hypothesis.parent for hypothesis in going_on]])
            log_probs = stepper.log_probs(np.array([hypothesis.ids[-1] for hypothesis in going_on]))
        refuse_overflow(log_probs)
        before = np.array([[hypothesis.log_prob] for hypothesis in going_on])
        totals = before + log_probs + ban(network, [*forbidden, end_id] if step < min_tokens else forbidden)
        candidates = [hypothesis for hypothesis in beam if hypothesis.ended]
        for place in _largest(totals.ravel(), width):
            parent, chosen = divmod(int(place), network.vocabulary_size)
            ids, ended = going_on[parent].ids, chosen == end_id
            longer = ids if ended else [*ids, chosen]
            candidates.append(Hypothesis(longer, float(totals[parent, chosen]), ended, parent))
        beam = sorted(candidates, key=lambda hypothesis: -hypothesis.log_prob)[:width]
        going_on = [hypothesis for hypothesis in beam if not hypothesis.ended]
        if not going_on:
            break
    return [SampledIds(hypothesis.ids, hypothesis.log_prob) for hypothesis in beam]


def _largest(values: Floats, number: int) -> Ids:
    """Return where the largest values stand that are not ``-inf``, at most `number` of them."""
    number = min(number, int(np.isfinite(values).sum()))
    largest: Ids = np.argpartition(-values, number - 1)[:number] if number else np.empty(0, int)
    return np.sort(largest)  # of equals, the first comes first
