"""The most likely targets of some sources, searched side by side."""

from collections.abc import Collection, Sequence

import numpy as np

from rnnlm.generation.sampler import SampledIds, refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.encoder_decoder import EncoderDecoder
from rnnlm.nn.stepping import DecoderStepper
from rnnlm.text.vocabulary import Vocabulary


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
        self._banned: Floats = np.zeros(network.vocabulary_size, network.dtype)
        self._banned[list(forbidden)] = -np.inf
        self._sources = np.arange(N)  # which go on
        # Of the hypotheses, which are all alike at first, one counts.
        self._totals = np.full((N, K), -np.inf)
        self._totals[:, 0] = 0
        self._written = np.zeros((0, N * K), np.intp)
        self._last = np.full(N * K, start_id)
        self._ended = np.zeros(N, int)
        self._best: list[SampledIds | None] = [None] * N
        self._best_mean = np.full(N, -np.inf)

    @property
    def goes_on(self) -> bool:
        """Whether a search is not over."""
        return len(self._sources) > 0

    @property
    def found(self) -> list[SampledIds]:
        """The best target of each source."""
        return [each or SampledIds([], -np.inf) for each in self._best]

    def step(self) -> None:
        """Take one step in all beams."""
        log_probs = self._stepper.log_probs(self._last)
        refuse_overflow(log_probs)
        K, end = self._width, Vocabulary.end_id
        (columns, C), N = log_probs.shape, len(self._sources)
        totals = (self._totals.reshape(columns, 1) + log_probs + self._banned).reshape(N, K * C)
        # As many as may end, and as many that go on.
        places = np.argpartition(-totals, 2 * K - 1, axis=1)[:, : 2 * K]
        values = np.take_along_axis(totals, places, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        places, values = np.take_along_axis(places, order, axis=1), np.take_along_axis(values, order, axis=1)
        parents, tokens = places // C + K * np.arange(N)[:, None], places % C
        ends = tokens == end
        for n, k in zip(*np.nonzero(ends[:, :K] & np.isfinite(values[:, :K])), strict=True):
            self._end(n, parents[n, k], float(values[n, k]))
        kept = np.argsort(ends, axis=1, kind="stable")[:, :K]
        parents, tokens = (np.take_along_axis(each, kept, axis=1) for each in (parents, tokens))
        self._totals = np.take_along_axis(values, kept, axis=1)
        # Hypotheses that cannot be, and an end that nothing else has followed, go nowhere.
        self._totals[tokens == end] = -np.inf
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
        for n in np.flatnonzero(at_end):
            if self._best[self._sources[n]] is None:
                self._best[self._sources[n]] = SampledIds(
                    self._written[:, n * K].tolist(), float(self._totals[n, 0])
                )
        is_over = at_end | (self._ended[self._sources] >= K) | ~np.isfinite(self._totals).any(axis=1)
        left = np.flatnonzero(~is_over)
        columns = (left[:, None] * K + np.arange(K)).ravel()
        self._sources, self._totals = self._sources[left], self._totals[left]
        self._written, self._last = self._written[:, columns], tokens[left].ravel()
        self._stepper.choose(parents[left].ravel())
