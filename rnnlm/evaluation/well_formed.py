"""Tags that fit together: the most likely sequence among those that can be."""

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.evaluation.spans import BEGIN, END, INSIDE, OUTSIDE, ROLES, SINGLE, is_spans
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.tags import Tags

MISFIT = -1e4
"""Log-probability of what does not fit together: less than that of any sequence which does."""


class WellFormed:
    """Finds the most likely tags of sentences in which every span that begins also ends.

    In the schemes BMES, IOBES and BILOU a span has a first and a last token, so after B or I there comes I or E of
    the same kind, and nothing else. Tags of other schemes may follow one another as they like: the most likely tag
    of each token is taken.

    Parameters
    ----------
    tags
        The K tags.
    """

    def __init__(self, tags: Tags) -> None:
        roles = [ROLES[name[0]] for name in tags.names] if is_spans(tags) else []
        self._is_free = END not in roles and SINGLE not in roles
        if not self._is_free:
            kinds = [name.partition("-")[2] for name in tags.names]
            places = range(len(roles))
            self._steps = _penalties(
                [[_fits(roles[i], roles[j], kinds[i] == kinds[j]) for j in places] for i in places]
            )
            self._first = _penalties([_fits(OUTSIDE, role, False) for role in roles])
            self._last = _penalties([_fits(role, OUTSIDE, False) for role in roles])

    def most_likely(self, log_probs: Floats, lengths: Ids) -> Ids:
        """Return the ids of the most likely tags.

        Parameters
        ----------
        log_probs : (T, B, K)
            Log-probabilities of all tags at each place.
        lengths : (B,)
            How many tokens each sentence has.

        Returns
        -------
        (T, B)
            Those that fit together, found by dynamic programming (Viterbi 1967); what stands at padding has no
            meaning.
        """
        if self._is_free:
            freely: Ids = log_probs.argmax(axis=2)
            return freely
        T, B, K = log_probs.shape
        before = np.empty((T, B, K), np.intp)
        # What the best sequence up to here is worth that ends with each tag.
        worth = log_probs[0] + self._first
        for t in range(1, T):
            after = worth[:, :, None] + self._steps
            goes_on = (t < lengths)[:, None]
            before[t] = np.where(goes_on, after.argmax(axis=1), np.arange(K))
            worth = np.where(goes_on, after.max(axis=1) + log_probs[t], worth)
        tags = np.empty((T, B), np.intp)
        tags[-1] = (worth + self._last).argmax(axis=1)
        for t in reversed(range(1, T)):
            tags[t - 1] = before[t, np.arange(B), tags[t]]
        return tags


def _fits(role: int, following: int, is_same_kind: bool) -> bool:
    """Whether a tag of one role may be followed by one of another, of the same kind or not."""
    if role in (BEGIN, INSIDE):
        return following in (INSIDE, END) and is_same_kind
    return following in (OUTSIDE, BEGIN, SINGLE)


def _penalties(fits: ArrayLike) -> Floats:
    return np.where(np.asarray(fits, bool), 0.0, MISFIT)
