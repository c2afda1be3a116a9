"""How likely a network finds texts and the parts of datasets."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from rnnlm.dataset.store import Split
from rnnlm.dataset.windows import sentence_starts
from rnnlm.evaluation.interpolation import Interpolation, Predictor, fit_weight
from rnnlm.evaluation.perplexity import Evaluation, perplexity
from rnnlm.evaluation.scoring import Losses, dynamic_losses, losses, readings, split_losses
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.text.chunks import chunks
from rnnlm.text.vocabulary import Vocabulary

TEXTS_TOGETHER = 64
"""Most texts that are scored side by side."""


@dataclass(frozen=True)
class Score:
    """How likely a text is.

    Attributes
    ----------
    log_prob
        Natural logarithm of the text's probability.
    tokens
        Each predicted token, the ends of sentences included, with its log-probability. A word outside the
        vocabulary appears as itself and has the unknown token's log-probability.
    unknown_tokens
        How many of them are predicted as the unknown token.
    """

    log_prob: float
    tokens: list[tuple[str, float]]
    unknown_tokens: int

    @property
    def perplexity(self) -> float | None:
        """``exp`` of the mean negative log-probability of a token; None where there are none."""
        return perplexity(-self.log_prob / len(self.tokens)) if self.tokens else None


class Scorer:
    """Scores texts and measures parts of datasets.

    Parameters
    ----------
    network, vocabulary, carries_state
        As for a `Writer`.
    bptt_steps
        Time steps of a window in dynamic evaluation.
    """

    def __init__(self, network: Network, vocabulary: Vocabulary, carries_state: bool, bptt_steps: int) -> None:
        self._network, self._vocabulary = network, vocabulary
        self._carries_state, self._bptt_steps = carries_state, bptt_steps

    def scores(
        self,
        texts: Iterable[str],
        *,
        batch_size: int = TEXTS_TOGETHER,
        interpolation: Interpolation | None = None,
        one_sentence: bool = False,
        label: str | None = None,
    ) -> Iterator[Score]:
        """Yield how likely each of some texts is, several at a time.

        Texts are read as they are needed, so that there may be any number of them. The texts before an error are
        scored first.

        Parameters
        ----------
        texts
            The texts; for one without tokens the score is 0.
        batch_size
            How many texts are read at once, so that they can be scored side by side.
        interpolation
            Another model to mix with this one.
        one_sentence
            Whether a text is taken for one sentence, even where it is empty or looks like several.
        label
            The label of the texts; needed where the model has labels, and only there.

        Raises
        ------
        RnnlmError
            If one is not a string, the model overflows, or the label is not one of its own.
        """
        vocabulary, processor = self._vocabulary, self._vocabulary.processor
        start = vocabulary.label_start(label)
        for together in chunks(texts, batch_size):
            if one_sentence:
                sentences = [[processor.tokenize(text)] for text in together]
            else:
                sentences = [list(processor.sentences(text)) for text in together]
            each = [
                np.array([i for words in text for i in (start, *vocabulary.encode(words, end=True))], np.intp)
                for text in sentences
            ]
            for text, ids, log_probs in zip(sentences, each, self._log_probs(each, interpolation), strict=True):
                tokens = [token for words in text for token in (*words, vocabulary.end_token)]
                predicted = log_probs[~sentence_starts(ids)]
                unknown = int(np.count_nonzero(ids == vocabulary.unknown_id))
                yield Score(float(predicted.sum()), list(zip(tokens, predicted.tolist(), strict=True)), unknown)

    @np.errstate(all="ignore")
    def _log_probs(self, texts: Sequence[Ids], interpolation: Interpolation | None) -> list[Floats]:
        """Return the log-probabilities of the ids of some texts, read side by side; 0 at each START."""
        ids, begins = np.concatenate(texts), np.cumsum([0, *map(len, texts)])
        parts = [
            readings(text, self._carries_state) + np.array([begin, 0])
            for text, begin in zip(texts, begins, strict=False)
        ]
        log_probs = np.zeros(len(ids))
        for at, nats in _mixed(losses(self._network, ids, np.concatenate(parts)), ids, interpolation):
            log_probs[at] = -nats
        refuse_overflow(log_probs)
        return np.split(log_probs, begins[1:-1])

    @np.errstate(all="ignore")
    def evaluate(
        self,
        split: Split,
        *,
        dynamic: float | None = None,
        interpolation: Interpolation | None = None,
        watch: Callable[[], None] = lambda: None,
        share: Share = ALL,
    ) -> Evaluation:
        """Measure the network on a part of a dataset that has its vocabulary.

        Parameters
        ----------
        dynamic
            Learning rate with which the network goes on learning from the text while it is measured (see
            `dynamic_losses`); None to leave it as it is. Afterwards it is as before.
        interpolation
            Another model to mix with this one.
        watch
            Called at every window; what it raises ends the measuring.
        share
            What is measured of it, by a network that does not learn from it.

        Raises
        ------
        RnnlmError
            If that part is empty, or the network overflows, or diverges while it learns.
        """
        with closing(self._split_losses(split, dynamic, share)) as of_network:
            windows = _mixed(of_network, np.asarray(split.ids), interpolation)
            evaluation = Evaluation.of(windows, split, self._vocabulary, watch)
        refuse_overflow(evaluation.nats)
        return evaluation

    @np.errstate(all="ignore")
    def fit_weight(self, other: Predictor, split: Split, *, dynamic: float | None = None) -> float:
        """Return the network's weight in the mixture with another model that gives a text the highest probability.

        The text should not be the one on which the mixture is measured. Parameters and errors are those of
        `evaluate`.
        """
        of_other = other.of_text(np.asarray(split.ids))
        with closing(self._split_losses(split, dynamic)) as of_network:
            windows = [(-nats, of_other(at)) for at, nats in of_network]
        first, second = map(np.concatenate, zip(*windows, strict=True))
        refuse_overflow(first)
        return fit_weight(first, second)

    def _split_losses(
        self, split: Split, dynamic: float | None, share: Share = ALL
    ) -> Generator[Losses, None, None]:
        """Measure a split window by window."""
        split.refuse_empty()
        if dynamic is None:
            return split_losses(self._network, split, self._carries_state, share)
        ids = np.asarray(split.ids)
        parts = readings(ids, self._carries_state)
        return dynamic_losses(self._network, ids, parts, dynamic, self._bptt_steps)


def _mixed(windows: Iterable[Losses], ids: Ids, interpolation: Interpolation | None) -> Iterable[Losses]:
    """Mix a network's losses of a text with those of another model, if there is one."""
    return windows if interpolation is None else interpolation.losses(windows, ids)
