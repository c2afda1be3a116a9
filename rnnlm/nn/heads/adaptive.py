"""A softmax in clusters of words by their frequency, for large vocabularies."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.heads.head import Head
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.table import Table

REDUCTION = 4
"""How many times fewer features a cluster has than the one before it."""


class AdaptiveSoftmax(Head):
    """The adaptive softmax of Grave et al. (2017), as in PyTorch's ``AdaptiveLogSoftmaxWithLoss``.

    The head predicts the most frequent words and, as if they were words, the clusters of the others; a cluster's
    tail predicts the word in it from few features, and is computed where a target is in the cluster only::

        log P(w) = log softmax(V s + b)_w                                          w frequent
        log P(w) = log softmax(V s + b)_cluster(w) + log softmax(V' P s)_w         w in a cluster

    It is exact, in training as in evaluation: the probabilities of all words add up to one.

    Parameters
    ----------
    vocabulary_size
        Words, C; token ids are in order of falling frequency.
    hidden_size
        Features of what the words are predicted from, H.
    cutoffs
        The first id of each cluster. The first cluster has H/4 features, the second H/16, and so on.
    bias
        Whether the head has a bias.
    start, dtype
        As for a `RecurrentLayer`.
    softmax
        What computes the softmax of the head and of the tails.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names: ``head.weight`` is V (frequent words + clusters, H), ``tail.0.0.weight`` the
        first cluster's P (features, H), and ``tail.0.1.weight`` its V' (words, features).
    """

    def __init__(
        self,
        vocabulary_size: int,
        hidden_size: int,
        cutoffs: Sequence[int],
        bias: bool,
        start: Initialization,
        dtype: np.dtype[np.floating],
        softmax: type[Softmax] = Softmax,
    ) -> None:
        H, self._kind = hidden_size, softmax
        self.cutoffs = [*cutoffs, vocabulary_size]
        frequent, clusters = cutoffs[0], len(cutoffs)
        shapes = {"head.weight": (frequent + clusters, H)}
        for k, (first, end) in enumerate(zip(self.cutoffs, self.cutoffs[1:], strict=False)):
            features = max(1, H // REDUCTION ** (k + 1))
            shapes |= {f"tail.{k}.0.weight": (features, H), f"tail.{k}.1.weight": (end - first, features)}
        self.parameters: dict[str, Floats] = {
            name: start.matrix(*shape).astype(dtype) for name, shape in shapes.items()
        }
        if bias:
            self.parameters["head.bias"] = np.zeros(frequent + clusters, dtype)
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        # Each word has its place in a cluster of its own size: no parameter has an entry for every token.
        self.tables, self.class_parameters = {}, ()
        self._head = self._softmax("head.weight", "head.bias")
        self._tails = [self._softmax(f"tail.{k}.1.weight") for k in range(clusters)]

    @property
    def products(self) -> int:
        """Weights of the head: they take part in a product for every token, those of the tails for some."""
        return self.parameters["head.weight"].size

    def begin(self) -> None:
        """Begin a gradient: what was added before counts no more."""
        for softmax in (self._head, *self._tails):
            softmax.begin()
        for k in range(len(self._tails)):
            self.gradients[f"tail.{k}.0.weight"][...] = 0

    def log_probs(self, s: Floats) -> Floats:
        """Return the log-probabilities of all words for the rows of `s` (N, H), as a new (N, C)."""
        head, frequent = self._head.log_probs(s), self.cutoffs[0]
        log_probs = np.empty((len(s), self.cutoffs[-1]), head.dtype)
        log_probs[:, :frequent] = head[:, :frequent]
        for k, tail in enumerate(self._tails):
            within = tail.log_probs(s @ self.parameters[f"tail.{k}.0.weight"].T)
            log_probs[:, self.cutoffs[k] : self.cutoffs[k + 1]] = within + head[:, frequent + k, None]
        return log_probs

    def losses(self, s: Floats, targets: Ids, rng: Generator | None = None) -> Floats:
        """Return the cross-entropy in nats of each row of `s` (N, H) against `targets` (N,), as (N,)."""
        losses = self._head.losses(s, self._head_targets(targets))
        for k, rows, places in self._in_clusters(targets):
            losses[rows] += self._tails[k].losses(s[rows] @ self.parameters[f"tail.{k}.0.weight"].T, places)
        return losses

    def loss_and_gradient(
        self, s: Floats, targets: Ids, scale: float, rng: Generator | None = None
    ) -> tuple[float, Floats]:
        """Compute the cross-entropy and its derivatives; see `Head.loss_and_gradient`."""
        loss, ds = self._head.loss_and_gradient(s, self._head_targets(targets), scale)
        for k, rows, places in self._in_clusters(targets):
            P, s_in = self.parameters[f"tail.{k}.0.weight"], s[rows]
            tail_loss, error = self._tails[k].loss_and_gradient(s_in @ P.T, places, scale)
            self.gradients[f"tail.{k}.0.weight"] += error.T @ s_in
            ds[rows] += error @ P
            loss += tail_loss
        return loss, ds

    def _softmax(self, weight: str, bias: str = "") -> Softmax:
        table = Table(self.parameters[weight], self.gradients[weight])
        return self._kind(table, self.parameters.get(bias), self.gradients.get(bias))

    def _head_targets(self, targets: Ids) -> Ids:
        """Return what the head is to predict: frequent words, and for the others their clusters."""
        cluster = np.searchsorted(self.cutoffs[:-1], targets, side="right") - 1
        return np.where(cluster < 0, targets, self.cutoffs[0] + cluster)

    def _in_clusters(self, targets: Ids) -> Iterator[tuple[int, Ids, Ids]]:
        """Yield each cluster, the rows whose targets are in it, and these targets' places in it."""
        for k, (first, end) in enumerate(zip(self.cutoffs, self.cutoffs[1:], strict=False)):
            rows = np.flatnonzero((targets >= first) & (targets < end))
            yield k, rows, targets[rows] - first
