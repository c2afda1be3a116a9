"""How the next token is chosen, and text drawn token after token."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from rnnlm.dataset.batches import LONGEST_WINDOW
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper

DRAWN_AHEAD = 64
"""Random numbers that are drawn at a time for each sample."""


@dataclass(frozen=True)
class Sampling:
    """How to choose from the distribution over the next token.

    Attributes
    ----------
    temperature
        Log-probabilities are divided by it: below 1 the likely tokens gain, above 1 the unlikely ones.
    top_k
        Choose among the k most likely tokens only; None among all.
    top_p
        Choose among the fewest tokens whose probabilities add up to p (nucleus sampling, Holtzman et al.
        2020); None among all.
    greedy
        Take the most likely token; the other settings then do not matter.

    Raises
    ------
    RnnlmError
        If a setting is out of its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False

    def __post_init__(self) -> None:
        # Written so that nan fails too.
        if not self.temperature > 0:
            raise RnnlmError(f"temperature {self.temperature}: give a number above 0.")
        if self.top_k is not None and self.top_k < 1:
            raise RnnlmError(f"top_k {self.top_k}: give a whole number from 1.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise RnnlmError(f"top_p {self.top_p}: give a number above 0 and at most 1.")

    def choose(self, log_probs: Floats, draws: Floats) -> Ids:
        """Choose an id for each of several distributions.

        Parameters
        ----------
        log_probs : (S, C)
            Log-probabilities, ``-inf`` for what must not be chosen; they need not add up to one.
        draws : (S,)
            Random numbers, evenly distributed from 0 to below 1.

        Returns
        -------
        (S,)
            The ids.
        """
        chosen: Ids
        if self.greedy:
            chosen = np.argmax(log_probs, axis=1)
            return chosen
        order = None
        if self.top_k is not None or self.top_p is not None:
            order = np.argsort(-log_probs, axis=1, kind="stable")[:, : self.top_k]
            log_probs = np.take_along_axis(log_probs, order, axis=1)
        weights = log_probs - log_probs.max(axis=1, keepdims=True)
        # Within these bounds, beyond which nothing changes, the quotient is never too large and never nan.
        weights /= min(max(self.temperature, 1e-30), 1e30)
        cumulative = np.cumsum(np.exp(weights, out=weights), axis=1, dtype=np.float64)
        total = cumulative[:, -1]
        if self.top_p is not None:
            nucleus = np.argmax(cumulative >= self.top_p * total[:, None], axis=1)
            total = cumulative[np.arange(len(nucleus)), nucleus]
        # Where the product is rounded up to the total, the last id that can be chosen is.
        point = np.minimum(draws * total, np.nextafter(total, 0))
        chosen = np.argmax(cumulative > point[:, None], axis=1)
        if order is not None:
            chosen = order[np.arange(len(chosen)), chosen]
        return chosen


@dataclass(frozen=True)
class SampledIds:
    """A sample: its ids, without the prompt and the end, and the model's log-probability of drawing them.

    The log-probability is the untempered model's, in nats, and counts the end when the sample reached it.
    """

    ids: list[int]
    log_prob: float


def sample_ids(
    network: Network,
    prompt: list[int],
    *,
    end_id: int,
    forbidden: Collection[int],
    max_tokens: int,
    sampling: Sampling,
    rngs: list[np.random.Generator],
) -> list[SampledIds]:
    """Continue a prompt several times, side by side.

    Parameters
    ----------
    network
        The model.
    prompt
        Ids that the samples continue, the start of a sentence first.
    end_id
        A sample ends before this id.
    forbidden
        Ids that are never chosen.
    max_tokens
        Length at which a sample is cut.
    sampling
        How to choose.
    rngs
        One source of randomness a sample, so that a sample does not depend on its neighbours.
    """
    samples = len(rngs)
    written: list[Ids] = []
    lengths = np.zeros(samples, int)
    totals = np.zeros(samples)
    ban = np.zeros(network.vocabulary_size, network.dtype)
    ban[list(forbidden)] = -np.inf
    # The prompt is read once; its last id gives every sample the same distribution and state to begin with.
    log_probs, state = _read(network, prompt)
    log_probs = np.repeat(log_probs, samples, axis=0)
    stepper = Stepper(network, np.repeat(state, samples, axis=2))
    alive = rows = np.arange(samples)
    for step in range(max_tokens):
        if step % DRAWN_AHEAD == 0:
            draws = np.array([rngs[sample].random(DRAWN_AHEAD) for sample in alive]).T
        chosen = sampling.choose(log_probs + ban, draws[step % DRAWN_AHEAD])
        totals[alive] += log_probs[rows, chosen]
        goes_on = chosen != end_id
        if not goes_on.all():
            alive, chosen, draws = alive[goes_on], chosen[goes_on], draws[:, goes_on]
            if len(alive) == 0:
                break
            rows = np.arange(len(alive))
            stepper = Stepper(network, stepper.state[:, :, goes_on])
        lengths[alive] += 1
        written.append(np.full(samples, end_id))
        written[-1][alive] = chosen
        log_probs = stepper.log_probs(chosen)
    ids = np.array(written, int).reshape(-1, samples).T
    return [
        SampledIds(row[:length].tolist(), float(total))
        for row, length, total in zip(ids, lengths, totals, strict=True)
    ]


def _read(network: Network, prompt: list[int]) -> tuple[Floats, Floats]:
    """Return the log-probabilities (1, C) after a prompt, and the state; window by window, as it may be long."""
    state = network.initial_state(1)
    for start in range(0, len(prompt), LONGEST_WINDOW):
        hidden, state = network.forward(np.array(prompt[start : start + LONGEST_WINDOW])[:, None], state)
    return network.output.log_probs(hidden[-1]), state
