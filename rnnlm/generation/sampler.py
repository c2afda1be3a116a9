"""Text drawn token after token."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.errors import RnnlmError
from rnnlm.generation.bans import Bans, nothing_left
from rnnlm.generation.writing import WritingSettings
from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import Stepper, read_prompt
from rnnlm.text.vocabulary import Vocabulary

DRAWN_AHEAD = 64
"""Random numbers that are drawn at a time for each sample."""


@dataclass(frozen=True)
class SampledIds:
    """A sample: its ids, without the prompt and the end, and the model's log-probability of them.

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
    writing
        How to choose, and for how many steps not the end.
    bans
        What is never chosen. A phrase may begin in the prompt.
    rngs
        One source of randomness a sample, so that a sample does not depend on its neighbours.

    Attributes
    ----------
    alive : (A,)
        Numbers of the samples that go on.
    stepper
        Reads their tokens.
    """

    def __init__(
        self,
        network: Network,
        prompt: list[int],
        writing: WritingSettings,
        bans: Bans,
        rngs: list[np.random.Generator],
    ) -> None:
        samples = len(rngs)
        self.alive = self._rows = np.arange(samples)
        self._sampling, self._min_tokens = writing.sampling, writing.min_tokens
        self._bans, self._rngs = bans, rngs
        self._texts = [bans.recent(prompt) for _ in rngs]
        self._steps = 0
        self._chosen: Ids = np.empty(0, int)
        # The prompt is read once; its last id gives every sample the same distribution and state to begin with.
        log_probs, state = read_prompt(network, prompt)
        self._log_probs = np.repeat(log_probs, samples, axis=0)
        self.stepper = Stepper(network, np.repeat(state, samples, axis=2))
        self._repeated: Mask | None = None
        if self._sampling.repetition_penalty != 1:
            self._repeated = np.zeros(self._log_probs.shape, bool)
            self._repeated[:, prompt] = True

    def step(self) -> tuple[Ids, Floats]:
        """Choose the next id of each sample that goes on; return the ids and the model's log-probabilities."""
        if self._steps > 0:
            self._log_probs = self.stepper.log_probs(self._chosen)
        if self._steps % DRAWN_AHEAD == 0:
            self._draws = np.array([self._rngs[sample].random(DRAWN_AHEAD) for sample in self.alive]).T
        scores = self._scores()
        self._chosen = self._sampling.choose(scores, self._draws[self._steps % DRAWN_AHEAD], self.stepper.draw)
        log_probs = self._log_probs[self._rows, self._chosen]
        if not all(map(isfinite, scores[self._rows, self._chosen].tolist())):
            refuse_overflow(log_probs)
            raise nothing_left()
        for text, index in zip(self._texts, self._chosen.tolist(), strict=True):
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
            scores[:, Vocabulary.end_id] = -np.inf
        return scores

    def keep(self, which: Mask) -> None:
        """Go on with some of the samples (A,) only."""
        self.alive, self._chosen, self._draws = self.alive[which], self._chosen[which], self._draws[:, which]
        self._rows = np.arange(len(self.alive))
        self._texts = list(compress(self._texts, which))
        if self._repeated is not None:
            self._repeated = self._repeated[which]
        self.stepper.begin(self.stepper.state[:, :, which])


def sample_ids(
    sampler: Sampler, max_tokens: int, stop: Callable[[int, int], int | None] | None = None
) -> list[SampledIds]:
    """Take the samples of a new sampler to their ends, at most `max_tokens` ids.

    `stop` is called with the number of a sample and each of its ids; where the sample is to end there, it returns
    how many of its ids are kept, else None.
    """
    ids: list[list[int]] = [[] for _ in sampler.alive]
    log_probs: list[list[float]] = [[] for _ in sampler.alive]
    for _ in range(max_tokens):
        if len(sampler.alive) == 0:
            break
        alive = sampler.alive.tolist()
        chosen, chosen_log_probs = sampler.step()
        goes_on = len(alive) * [True]
        for row, (i, index, log_prob) in enumerate(
            zip(alive, chosen.tolist(), chosen_log_probs.tolist(), strict=True)
        ):
            log_probs[i].append(log_prob)
            if index == Vocabulary.end_id:
                goes_on[row] = False
                continue
            ids[i].append(index)
            kept = None if stop is None else stop(i, index)
            if kept is not None:
                goes_on[row] = False
                del ids[i][kept:], log_probs[i][kept:]
        if not all(goes_on):
            sampler.keep(np.array(goes_on))
    return [SampledIds(each, float(np.sum(nats))) for each, nats in zip(ids, log_probs, strict=True)]


def stream_ids(sampler: Sampler, max_tokens: int) -> Iterator[int]:
    """Yield the ids of a sampler's only sample as they are chosen, to before the end.

    The network may serve others between two of them.
    """
    for _ in range(max_tokens):
        with np.errstate(all="ignore"):  # here, as whoever takes the ids may want to be warned
            [chosen], _ = sampler.step()
        if chosen == Vocabulary.end_id:
            return
        state = sampler.stepper.state
        yield int(chosen)
        sampler.stepper.begin(state)


class OverflowedError(RnnlmError):
    """The probabilities of a model are not finite numbers."""


def refuse_overflow(log_probs: ArrayLike) -> None:
    """Raise an `OverflowedError` if one of some log-probabilities is not a finite number."""
    if not np.isfinite(log_probs).all():
        raise OverflowedError(
            "The model's weights are so large that its probabilities are not finite numbers; use an earlier "
            "checkpoint, or train with a smaller optimizer.learning_rate."
        )
