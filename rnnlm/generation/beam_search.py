"""The most likely continuations of a prompt."""

from typing import NamedTuple

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.generation.bans import Bans, nothing_left
from rnnlm.generation.sampler import SampledIds, refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt
from rnnlm.text.vocabulary import Vocabulary


class Hypothesis(NamedTuple):
    """A continuation."""

    ids: list[int]
    log_prob: float
    parent: int = 0  # which of the hypotheses that went on it was made of


def beam_search(
    network: Network,
    prompt: list[int],
    width: int,
    *,
    bans: Bans,
    max_tokens: int,
    min_tokens: int = 0,
) -> list[SampledIds]:
    """Return at most `width` continuations of a prompt, those found the most likely, in order.

    At every step each hypothesis of the beam is continued with every token. The `width` most likely of those that
    go on are the next beam (Graves 2012, Sutskever et al. 2014). Those that end here take no place in it; the
    `width` most likely of all that have ended are kept. The search is over when no hypothesis can be more likely
    than these. All are compared by their log-probabilities as they are, not divided by their lengths. With a beam
    as wide as there are continuations the search is exact.

    Parameters
    ----------
    network, prompt, bans
        As for a `Sampler`.
    width
        How many hypotheses are kept.
    max_tokens, min_tokens
        Length at which a continuation is cut, and below which none ends.

    Raises
    ------
    RnnlmError
        If `width` is below 1, the model overflows, or every continuation is ruled out.
    """
    if width < 1:
        raise RnnlmError(f"width {width}: give a whole number from 1.")
    recent, end = bans.recent(prompt), Vocabulary.end_id
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
            ending = [
                Hypothesis(each.ids, total) for each, total in zip(beam, totals[:, end].tolist(), strict=True)
            ]
            ended = _best(ended + ending, width)
        totals[:, end] = -np.inf
        # What goes on never becomes more likely.
        least = ended[-1].log_prob if len(ended) == width else -np.inf
        beam = [longer for longer in _continued(beam, totals, width) if longer.log_prob > least]
        if not beam:
            break
    found = _best(ended + beam, width)
    if not found:
        raise nothing_left()
    return [SampledIds(hypothesis.ids, hypothesis.log_prob) for hypothesis in found]


def _continued(beam: list[Hypothesis], totals: Floats, number: int) -> list[Hypothesis]:
    """Return the most likely continuations by one token, given the log-probabilities (B, C) of all of them."""
    longer = []
    for place in _largest(totals.ravel(), number):
        parent, chosen = divmod(int(place), totals.shape[1])
        longer.append(Hypothesis([*beam[parent].ids, chosen], float(totals[parent, chosen]), parent))
    return longer


def _best(hypotheses: list[Hypothesis], number: int) -> list[Hypothesis]:
    """Return the most likely hypotheses in order; of equals, the first comes first."""
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.log_prob)[:number]


def _largest(values: Floats, number: int) -> Ids:
    """Return the places of the largest values that are not ``-inf``, at most `number` of them."""
    number = min(number, int(np.isfinite(values).sum()))
    largest: Ids = np.argpartition(-values, number - 1)[:number] if number else np.empty(0, int)
    return np.sort(largest)  # of equals, the first comes first
