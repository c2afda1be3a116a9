"""Text drawn token after token."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.errors import RnnlmError
from rnnlm.generation.bans import Bans, nothing_left
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt

DRAWN_AHEAD = 64
"""Random numbers that are drawn at a time for each sample."""


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
    bans
        What is never chosen. A phrase may begin in the prompt.
    end_id
        The end of a sentence.
    sampling
        How to choose.
    rngs
        One source of randomness a sample, so that a sample does not depend on its neighbours.
    min_tokens
        Steps in which the end is not chosen.

    Attributes
    ----------
    alive : (A,)
        Numbers of the samples that go on.
    end_id
        As given.
    stepper
        Reads their tokens.
    """

    def __init__(
        self,
        network: Network,
        prompt: list[int],
        *,
        bans: Bans,
        end_id: int,
        sampling: SamplingSettings,
        rngs: list[np.random.Generator],
        min_tokens: int = 0,
    ) -> None:
        samples = len(rngs)
        self.alive = self._rows = np.arange(samples)
        self.end_id = end_id
        self._sampling, self._rngs, self._min_tokens = sampling, rngs, min_tokens
        self._bans = bans
        self._texts = [prompt[-bans.reach :] for _ in rngs] if bans.reach else []
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

    def step(self) -> tuple[Ids, Floats]:
        """Choose the next id of each sample that goes on; return the ids and the model's log-probabilities."""
        if self._steps > 0:
            self._log_probs = self.stepper.log_probs(self._chosen)
        if self._steps % DRAWN_AHEAD == 0:
            self._draws = np.array([self._rngs[sample].random(DRAWN_AHEAD) for sample in self.alive]).T
        scores = self._scores()
        self._chosen = self._sampling.choose(scores, self._draws[self._steps % DRAWN_AHEAD])
        log_probs = self._log_probs[self._rows, self._chosen]
        if not np.isfinite(scores[self._rows, self._chosen]).all():
            refuse_overflow(log_probs)
            raise nothing_left()
        for text, index in zip(self._texts, self._chosen.tolist(), strict=False):
            text.append(index)
        if self._repeated is not None:
            self._repeated[self._rows, self._chosen] = True
        self._steps += 1
        return self._chosen, log_probs

    def probabilities(self) -> Floats:
        """Return the probabilities with which the first id of each sample is chosen, (A, C)."""
        refuse_overflow(self._log_probs)
        scores = self._scores()
        if np.isneginf(scores.max(axis=1)).any():
            raise nothing_left()
        return self._sampling.probabilities(scores)

    def _scores(self) -> Floats:
        """Return the log-probabilities among which the next ids are chosen, ``-inf`` for what is ruled out."""
        scores = self._log_probs
        if self._repeated is not None:
            scores = self._sampling.penalized(scores, self._repeated)
        scores = self._bans.applied(scores, self._texts)
        if self._steps < self._min_tokens:
            scores[:, self.end_id] = -np.inf
        return scores

    def keep(self, which: Mask) -> None:
        """Go on with some of the samples (A,) only."""
        self.alive, self._chosen, self._draws = self.alive[which], self._chosen[which], self._draws[:, which]
        self._rows = np.arange(len(self.alive))
        if self._texts:
            self._texts = list(compress(self._texts, which))
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
    # For each sample: how many ids it keeps, and how many log-probabilities count, one more if it reached the end.
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
        with np.errstate(all="ignore"):  # here, as whoever takes the ids may want to be warned
            [chosen], _ = sampler.step()
        if chosen == sampler.end_id:
            return
        state = sampler.stepper.state
        yield int(chosen)
        sampler.stepper.begin(state)


class OverflowedError(RnnlmError):
    """The probabilities of a model are not finite numbers."""


def refuse_overflow(log_probs: ArrayLike) -> None:
    """Refuse log-probabilities that are not finite numbers.

    Raises
    ------
    OverflowedError
        If one is not.
    """
    if not np.isfinite(log_probs).all():
        raise OverflowedError(
            "the model's weights are so large that its probabilities are not finite numbers; use an earlier "
            "checkpoint, or train with a smaller optimizer.learning_rate."
        )
