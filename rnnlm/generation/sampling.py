"""How the next token is chosen."""

from dataclasses import dataclass

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.stepping import Draw


@dataclass(frozen=True)
class SamplingSettings:
    """How to choose from the distribution over the next token.

    Attributes
    ----------
    temperature
        Log-probabilities are divided by it: below 1 the likely tokens gain, above 1 the unlikely ones. 0, the
        limit, is the same as `greedy`.
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
        if not self.temperature >= 0:
            raise RnnlmError(f"`temperature` {self.temperature}: give a number from 0.")
        if self.top_k is not None and self.top_k < 1:
            raise RnnlmError(f"`top_k` {self.top_k}: give a whole number from 1.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise RnnlmError(f"`top_p` {self.top_p}: give a number above 0 and at most 1.")
        if not 0 < self.repetition_penalty < np.inf:
            raise RnnlmError(f"`repetition_penalty` {self.repetition_penalty}: give a number above 0.")

    def choose(self, log_probs: Floats, draws: Floats, draw: Draw | None = None) -> Ids:
        """Choose an id for each of several distributions.

        Parameters
        ----------
        log_probs : (S, C)
            Log-probabilities, ``-inf`` for what must not be chosen; they need not add up to one.
        draws : (S,)
            Random numbers, evenly distributed from 0 to below 1.
        draw
            Draws among all tokens faster than NumPy.

        Returns
        -------
        (S,)
            The ids.
        """
        chosen: Ids
        if self.takes_likeliest:
            chosen = np.argmax(log_probs, axis=1)
            return chosen
        if draw is not None and self.top_k is None and self.top_p is None:
            return draw(log_probs, draws, self._divisor)
        order, cumulative, total = self._cumulative(log_probs)
        # Less than the total: no double is between the largest draw and 1, so the product is not rounded up to it.
        chosen = (cumulative > (draws * total)[:, None]).argmax(axis=1)
        if order is not None:
            chosen = order[np.arange(len(chosen)), chosen]
        return chosen

    def probabilities(self, log_probs: Floats) -> Floats:
        """Return the probabilities with which `choose` takes each id, (S, C); see there."""
        if self.takes_likeliest:
            chances = np.zeros(log_probs.shape)
            chances[np.arange(len(chances)), self.choose(log_probs, np.empty(0))] = 1
            return chances
        order, cumulative, total = self._cumulative(log_probs)
        chances = np.diff(np.minimum(cumulative, total[:, None]), prepend=0) / total[:, None]
        if order is not None:
            ordered, chances = chances, np.zeros(log_probs.shape)
            np.put_along_axis(chances, order, ordered, axis=1)
        return chances

    @property
    def takes_likeliest(self) -> bool:
        """Whether nothing is left to chance."""
        return self.greedy or self.temperature == 0

    @property
    def _divisor(self) -> float:
        """The temperature within bounds, beyond which nothing changes: no quotient is too large, and none nan."""
        return min(max(self.temperature, 1e-30), 1e30)

    def penalized(self, log_probs: Floats, repeated: Mask) -> Floats:
        """Return log-probabilities (S, C) in which those of repeated tokens (S, C) are multiplied."""
        # Beyond this nothing changes, and no product is -inf, which is what must not be chosen.
        return np.where(repeated, log_probs * min(self.repetition_penalty, 1e30), log_probs)

    def _cumulative(self, log_probs: Floats) -> tuple[Ids | None, Floats, Floats]:
        """Return in which order the ids are looked at, their growing sum of weights, and where the choice ends.

        The order, which is None for that of the ids, and the sum have a row for each distribution.
        """
        order = None
        if self.top_k is not None or self.top_p is not None:
            order = np.argsort(-log_probs, axis=1, kind="stable")[:, : self.top_k]
            log_probs = np.take_along_axis(log_probs, order, axis=1)
        weights = log_probs - log_probs.max(axis=1, keepdims=True)
        if self.temperature != 1:
            weights /= self._divisor
        cumulative = np.add.accumulate(np.exp(weights, out=weights), axis=1, dtype=np.float64)
        total = cumulative[:, -1]
        if self.top_p is not None:
            nucleus = np.argmax(cumulative >= self.top_p * total[:, None], axis=1)
            total = cumulative[np.arange(len(nucleus)), nucleus]
        return order, cumulative, total
