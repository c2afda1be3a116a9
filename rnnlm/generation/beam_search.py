"""The most likely continuations of a prompt."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.generation.bans import Bans, Phrase, nothing_left
from rnnlm.generation.sampler import SampledIds, refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt


class Hypothesis(NamedTuple):
    """A continuation."""

    ids: list[int]
    log_prob: float
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
    phrases: Collection[Phrase] = (),
) -> list[SampledIds]:
    """Search for the most likely continuations of a prompt.

    At every step each hypothesis of the beam is continued with every token. The `width` most likely of those that
    go on are the next beam (Graves 2012, Sutskever et al. 2014); those that end here take no place in it, and the
    `width` most likely of all that have ended are kept. The search is over when no hypothesis can be more likely
    than these. All are compared by their log-probabilities as they are, not divided by their lengths. With a beam
    as wide as there are continuations the search is exact.

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
    forbidden, phrases
        What is not used; see `Bans`. A phrase may begin in the prompt.
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
        If `width` is below 1, the model overflows, or every continuation is ruled out.
    """
    if width < 1:
        raise RnnlmError(f"width {width}: give a whole number from 1.")
    bans = Bans(network, forbidden, phrases)
    recent = prompt[-bans.reach :] if bans.reach else []
    log_probs, state = read_prompt(network, prompt)
    stepper = Stepper(network, state)
    beam, ended = [Hypothesis([], 0.0)], list[Hypothesis]()
    for step in range(max_tokens):
        if step > 0:
            stepper.begin(stepper.state[:, :, [hypothesis.parent for hypothesis in beam]])
            log_probs = stepper.log_probs(np.array([hypothesis.ids[-1] for hypothesis in beam]))
        refuse_overflow(log_probs)
        before = np.array([[hypothesis.log_prob] for hypothesis in beam])
        totals = before + bans.applied(log_probs, [recent + hypothesis.ids for hypothesis in beam])
        if step >= min_tokens:
            ended += [Hypothesis(beam[i].ids, float(totals[i, end_id])) for i in range(len(beam))]
            ended = _best(ended, width)
        totals[:, end_id] = -np.inf
        # What goes on never becomes more likely.
        least = ended[-1].log_prob if len(ended) == width else -np.inf
        longer = []
        for place in _largest(totals.ravel(), width):
            parent, chosen = divmod(int(place), network.vocabulary_size)
            if totals[parent, chosen] > least:
                longer.append(Hypothesis([*beam[parent].ids, chosen], float(totals[parent, chosen]), parent))
        beam = longer
        if not beam:
            break
    found = _best(ended + beam, width)
    if not found:
        raise nothing_left()
    return [SampledIds(hypothesis.ids, hypothesis.log_prob) for hypothesis in found]


def _best(hypotheses: list[Hypothesis], number: int) -> list[Hypothesis]:
    """Return the most likely hypotheses in order; of equals, the first comes first."""
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.log_prob)[:number]


def _largest(values: Floats, number: int) -> Ids:
    """Return where the largest values stand that are not ``-inf``, at most `number` of them."""
    number = min(number, int(np.isfinite(values).sum()))
    largest: Ids = np.argpartition(-values, number - 1)[:number] if number else np.empty(0, int)
    return np.sort(largest)  # of equals, the first comes first
