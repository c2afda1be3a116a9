"""How the next token is chosen, and text drawn token after token."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt

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
        Take the most likely token; temperature, top_k and top_p then do not matter.
    repetition_penalty
        Before all else, the log-probability of each token that the prompt or the sample has already is multiplied
        by it: p becomes p to that power, less for a number above 1. Keskar et al. (2019) divide logits, whose
        sign and origin are arbitrary; log-probabilities are never positive.

    Raises
    ------
    RnnlmError
        If a setting is out of its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        # Written so that nan fails too.
        if not self.temperature > 0:
            raise RnnlmError(f"temperature {self.temperature}: give a number above 0.")
        if self.top_k is not None and self.top_k < 1:
            raise RnnlmError(f"top_k {self.top_k}: give a whole number from 1.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise RnnlmError(f"top_p {self.top_p}: give a number above 0 and at most 1.")
        if not 0 < self.repetition_penalty < np.inf:
            raise RnnlmError(f"repetition_penalty {self.repetition_penalty}: give a number above 0.")

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
        # Less than the total: no double is between the largest draw and 1, so the product is not rounded up to it.
        chosen = np.argmax(cumulative > (draws * total)[:, None], axis=1)
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


class Sampler:
    """Continues a prompt several times, side by side, one token a step.

    Parameters
    ----------
    network
        The model.
    prompt
        Ids that the samples continue, the start of a sentence first.
    end_id
        The end of a sentence.
    forbidden
        Ids that are never chosen.
    sampling
        How to choose.
    rngs
        One source of randomness a sample, so that a sample does not depend on its neighbours.
    min_tokens
        Steps in which the end is not chosen either.

    Attributes
    ----------
    alive : (A,)
        Numbers of the samples that go on.
    end_id
        As given.
    stepper
        Reads their tokens.
    """

    @np.errstate(all="ignore")
    def __init__(
        self,
        network: Network,
        prompt: list[int],
        *,
        end_id: int,
        forbidden: Collection[int],
        sampling: Sampling,
        rngs: list[np.random.Generator],
        min_tokens: int = 0,
    ) -> None:
        samples = len(rngs)
        self.alive = self._rows = np.arange(samples)
        self.end_id = end_id
        self._sampling, self._rngs, self._min_tokens = sampling, rngs, min_tokens
        self._ban = ban(network, forbidden)
        self._early_ban = ban(network, [*forbidden, end_id])
        self._steps = 0
        self._chosen: Ids = np.empty(0, int)
        # The prompt is read once; its last id gives every sample the same distribution and state to begin with.
        log_probs, state = read_prompt(network, prompt)
        self._log_probs = np.repeat(log_probs, samples, axis=0)
        self.stepper = Stepper(network, np.repeat(state, samples, axis=2))
        self._repeated: Mask | None = None
        if sampling.repetition_penalty != 1:
            self._repeated = np.zeros(self._log_probs.shape, bool)
            self._repeated[:, prompt] = True

    @np.errstate(all="ignore")
    def step(self) -> tuple[Ids, Floats]:
        """Choose the next id of each sample that goes on; return the ids and the model's log-probabilities."""
        if self._steps > 0:
            self._log_probs = self.stepper.log_probs(self._chosen)
        if self._steps % DRAWN_AHEAD == 0:
            self._draws = np.array([self._rngs[sample].random(DRAWN_AHEAD) for sample in self.alive]).T
        scores = self._log_probs
        if self._repeated is not None:
            scores = np.where(self._repeated, scores * self._sampling.repetition_penalty, scores)
        scores = scores + (self._ban if self._steps >= self._min_tokens else self._early_ban)
        self._chosen = self._sampling.choose(scores, self._draws[self._steps % DRAWN_AHEAD])
        if self._repeated is not None:
            self._repeated[self._rows, self._chosen] = True
        self._steps += 1
        log_probs = self._log_probs[self._rows, self._chosen]
        refuse_overflow(log_probs)
        return self._chosen, log_probs

    def keep(self, which: Mask) -> None:
        """Go on with some of the samples (A,) only."""
        self.alive, self._chosen, self._draws = self.alive[which], self._chosen[which], self._draws[:, which]
        self._rows = np.arange(len(self.alive))
        if self._repeated is not None:
            self._repeated = self._repeated[which]
        self.stepper.begin(self.stepper.state[:, :, which])


def sample_ids(
    sampler: Sampler, max_tokens: int, stop: Callable[[int, int], int | None] | None = None
) -> list[SampledIds]:
    """Take the samples of a sampler to their ends.

    Parameters
    ----------
    sampler
        Which has taken no step.
    max_tokens
        Length at which a sample is cut.
    stop
        Called with the number of a sample and each of its ids; where the sample is to end there, it returns how
        many of its ids are kept, else None.
    """
    samples = len(sampler.alive)
    # Of each sample: the ids that it keeps, and the log-probabilities that count, one more if it reached the end.
    lengths, counted = np.full((2, samples), max_tokens)
    steps: list[tuple[Ids, Ids, Floats]] = []
    for step in range(max_tokens):
        alive = sampler.alive
        if len(alive) == 0:
            break
        chosen, log_probs = sampler.step()
        steps.append((alive, chosen, log_probs))
        ended = chosen == sampler.end_id
        if ended.any():
            lengths[alive[ended]], counted[alive[ended]] = step, step + 1
        if stop is not None:
            for i in np.flatnonzero(~ended):
                kept = stop(int(alive[i]), int(chosen[i]))
                if kept is not None:
                    ended[i] = True
                    lengths[alive[i]] = counted[alive[i]] = kept
        if ended.any():
            sampler.keep(~ended)
    ids, nats = np.zeros((samples, len(steps)), int), np.zeros((samples, len(steps)))
    for step, (then_alive, chosen, log_probs) in enumerate(steps):
        ids[then_alive, step], nats[then_alive, step] = chosen, log_probs
    return [SampledIds(ids[i, : lengths[i]].tolist(), float(nats[i, : counted[i]].sum())) for i in range(samples)]


def stream_ids(sampler: Sampler, max_tokens: int) -> Iterator[int]:
    """Yield the ids of a sampler's only sample as they are chosen, to before the end.

    The network may serve others between two of them.
    """
    for _ in range(max_tokens):
        [chosen], _ = sampler.step()
        if chosen == sampler.end_id:
            return
        state = sampler.stepper.state
        yield int(chosen)
        sampler.stepper.begin(state)


def ban(network: Network, ids: Collection[int]) -> Floats:
    """Return what is added to log-probabilities (C,) so that some ids are never chosen."""
    row: Floats = np.zeros(network.vocabulary_size, network.dtype)
    row[list(ids)] = -np.inf
    return row


def refuse_overflow(log_probs: ArrayLike) -> None:
    """Refuse log-probabilities that are not finite numbers.

    Raises
    ------
    RnnlmError
        If one is not.
    """
    if not np.isfinite(log_probs).all():
        raise RnnlmError(
            "the model's weights are so large that its probabilities are not finite numbers; use an earlier "
            "checkpoint, or train with a smaller optimizer.learning_rate."
        )
