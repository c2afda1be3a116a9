"""The most likely targets of some sources, searched side by side."""

from collections.abc import Collection, Sequence

import numpy as np

from rnnlm.generation.sampler import SampledIds, refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.encoder_decoder import EncoderDecoder
from rnnlm.nn.stepping import DecoderStepper
from rnnlm.text.vocabulary import Vocabulary

GROUP = 64
"""Numbers of which the largest is found first, in the search for the largest of all."""


def translate(
    network: EncoderDecoder,
    sources: Sequence[Sequence[int]],
    width: int,
    *,
    start_id: int,
    forbidden: Collection[int],
) -> list[SampledIds]:
    """Return the target that is found the most likely for each source.

    At every step each hypothesis of a beam goes on with every token, and the `width` most likely of all are kept
    (Graves 2012, Sutskever et al. 2014). Those of them that end are put aside and give their place to the next.
    A search is over when as many have ended as the beam is wide, or at twice the source's length and ten tokens.
    Of those that have ended, the best has the largest log-probability a token: without this length normalization
    short ones would win (Cho et al. 2014).

    Parameters
    ----------
    network
        The encoder and the decoder.
    sources
        The ids of each source, at least one.
    width
        How many hypotheses are kept.
    start_id
        What a target begins with.
    forbidden
        Ids that are never chosen.
    """
    search = _Search(network, sources, width, start_id, forbidden)
    while search.goes_on:
        search.step()
    return search.found


class _Search:
    """Beams of N sources, of K hypotheses each; what goes on is in columns, those of a source side by side."""

    def __init__(
        self,
        network: EncoderDecoder,
        sources: Sequence[Sequence[int]],
        width: int,
        start_id: int,
        forbidden: Collection[int],
    ) -> None:
        N, K = len(sources), width
        lengths = np.array([len(ids) for ids in sources])
        source = np.zeros((lengths.max(), N), np.intp)
        for column, ids in enumerate(sources):
            source[: len(ids), column] = ids
        self._width, self._most = K, 2 * lengths + 10
        self._stepper = DecoderStepper(network, source, lengths)
        self._stepper.choose(np.repeat(np.arange(N), K))
        self._forbidden = list(forbidden)
        self._sources = np.arange(N)  # which go on
        # Of the hypotheses, which are all alike at first, one counts.
        self._totals = np.full((N, K), -np.inf)
        self._totals[:, 0] = 0
        self._written = np.zeros((0, N * K), np.intp)
        self._last = np.full(N * K, start_id)
        self._ended = np.zeros(N, int)
        self._best = [SampledIds([], -np.inf)] * N
        self._best_mean = np.full(N, -np.inf)

    @property
    def goes_on(self) -> bool:
        """Whether a search is not over."""
        return len(self._sources) > 0

    @property
    def found(self) -> list[SampledIds]:
        """The best target of each source."""
        return self._best

    def step(self) -> None:
        """Take one step in all beams."""
        log_probs = self._stepper.log_probs(self._last)
        refuse_overflow(log_probs)
        (columns, C), K, N = log_probs.shape, self._width, len(self._sources)
        log_probs[:, self._forbidden] = -np.inf
        totals = (self._totals.reshape(columns, 1) + log_probs).reshape(N, K * C)
        # At most K hypotheses end, so that among twice as many there are K that go on.
        places = _largest(totals, 2 * K)
        values = np.take_along_axis(totals, places, axis=1)
        parents, tokens = places // C + K * np.arange(N)[:, None], places % C
        ends = tokens == Vocabulary.end_id
        for n, k in zip(*np.nonzero(ends[:, :K] & np.isfinite(values[:, :K])), strict=True):
            self._end(n, parents[n, k], float(values[n, k]))
        kept = np.argsort(ends, axis=1, kind="stable")[:, :K]
        parents, tokens = (np.take_along_axis(each, kept, axis=1) for each in (parents, tokens))
        self._totals = np.take_along_axis(values, kept, axis=1)
        self._written = np.vstack([self._written[:, parents.ravel()], tokens.ravel()])
        self._go_on(parents, tokens)

    def _end(self, n: int, column: int, total: float) -> None:
        """Put a hypothesis aside that ends."""
        source, length = self._sources[n], len(self._written) + 1
        self._ended[source] += 1
        if total / length > self._best_mean[source]:
            self._best_mean[source] = total / length
            self._best[source] = SampledIds(self._written[:, column].tolist(), total)

    def _go_on(self, parents: Ids, tokens: Ids) -> None:
        """Go on with the beams that are not over."""
        K, length = self._width, len(self._written)
        at_end = length >= self._most[self._sources]
        for n in np.flatnonzero(at_end & np.isinf(self._best_mean[self._sources])):
            self._best[self._sources[n]] = SampledIds(self._written[:, n * K].tolist(), float(self._totals[n, 0]))
        is_over = at_end | (self._ended[self._sources] >= K) | ~np.isfinite(self._totals).any(axis=1)
        left = np.flatnonzero(~is_over)
        columns = (left[:, None] * K + np.arange(K)).ravel()
        self._sources, self._totals = self._sources[left], self._totals[left]
        self._written, self._last = self._written[:, columns], tokens[left].ravel()
        self._stepper.choose(parents[left].ravel())


def _largest(values: Floats, number: int) -> Ids:
    """Return the places (N, number) of the largest values of each row of some (N, M), in falling order."""
    N, M = values.shape
    whole, places = M - M % GROUP, np.broadcast_to(np.arange(M), (N, M))
    if whole > number * GROUP:
        # The groups with the largest maxima have all of them: a value elsewhere is below each of these maxima.
        maxima = values[:, :whole].reshape(N, -1, GROUP).max(axis=2)
        groups = np.argpartition(-maxima, number - 1, axis=1)[:, :number]
        of_groups = (groups[..., None] * GROUP + np.arange(GROUP)).reshape(N, -1)
        places = np.hstack([of_groups, places[:, whole:]])
    candidates = np.take_along_axis(values, places, axis=1)
    chosen = np.argpartition(-candidates, number - 1, axis=1)[:, :number]
    order = np.argsort(-np.take_along_axis(candidates, chosen, axis=1), axis=1, kind="stable")
    largest: Ids = np.take_along_axis(places, np.take_along_axis(chosen, order, axis=1), axis=1)
    return largest
