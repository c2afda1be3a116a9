"""A softmax over part of the vocabulary, for training with large ones."""

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.draws import ColumnDraws
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.table import Table


class SampledSoftmax(Softmax):
    """A softmax whose sum over the vocabulary is estimated, in training, from some of its words.

    Complementary sum sampling (Botev, Zheng and Barber 2017): of ``Z = Σ_c exp(V_c s + b_c)`` the terms of the
    most frequent words and of all targets are taken as they are, and k words drawn evenly from the other r stand
    for all of these::

        Z ≈ Σ_{c taken} exp(V_c s + b_c) + Σ_{c drawn} exp(V_c s + b_c + log(r/k))

    The estimate of Z is unbiased. It is the sum of a softmax over the words taken and drawn, the latter's biases
    raised by ``log(r/k)``, so that `Softmax` has the loss and the gradient.

    The estimate is best where token ids are in order of falling frequency.

    Parameters
    ----------
    samples
        Words beside the targets: one half the first of the vocabulary, the other drawn for each call. The other
        parameters are those of `Softmax`.
    """

    part: type[Softmax] = Softmax
    """What computes the softmax over the words taken and drawn."""

    def __init__(
        self,
        table: Table,
        bias: Floats | None,
        bias_gradient: Floats | None,
        samples: int,
    ) -> None:
        super().__init__(table, bias, bias_gradient)
        self.samples = samples

    @property
    def products(self) -> int:
        """Weights that take part in a product for every token, in training; those of the targets not counted."""
        C, H = self.table.value.shape
        return int(min(C, self.samples) * H)

    def losses(self, s: Floats, targets: Ids, rng: Generator | None = None) -> Floats:
        """Return the cross-entropy in nats of each row of `s` (N, H), estimated with `rng`; see `Head.losses`."""
        if rng is None:
            return super().losses(s, targets)
        part, _, places = self._draw(targets, rng)
        return part.losses(s, places)

    def loss_and_gradient(
        self, s: Floats, targets: Ids, scale: float, rng: Generator | None = None
    ) -> tuple[float, Floats]:
        """Estimate the loss, and compute the estimate's derivatives; see `Head.loss_and_gradient`.

        Words that are neither taken nor drawn add nothing to the gradient.
        """
        if rng is None:
            return super().loss_and_gradient(s, targets, scale)
        part, words, places = self._draw(targets, rng)
        part.begin()
        loss, ds = part.loss_and_gradient(s, places, scale)
        self.table.add_distinct(words, part.table.gradient)
        if self.bias_gradient is not None and part.bias_gradient is not None:
            self.bias_gradient[words] += part.bias_gradient
        return loss, ds

    def _draw(self, targets: Ids, rng: Generator) -> tuple[Softmax, Ids, Ids]:
        """Return a softmax over the words taken and drawn, their ids, and the targets' places among them."""
        C, H = self.table.value.shape
        frequent = min(self.samples // 2, C)
        # Those of a whole batch, also where some of its sequences are computed: all draw from the same words.
        of_batch = rng.targets if isinstance(rng, ColumnDraws) else targets
        rare_targets = np.unique(of_batch[of_batch >= frequent])
        is_other = np.ones(C, bool)
        is_other[:frequent] = False
        is_other[rare_targets] = False
        others = np.flatnonzero(is_other)
        drawn = rng.choice(others, min(self.samples - frequent, len(others)), replace=False)
        words = np.concatenate([np.arange(frequent), rare_targets, drawn])

        weight, gradient = self._workspace.array("weight_and_gradient", 2, len(words), H)
        np.take(self.table.value, words, axis=0, out=weight, mode="clip")
        bias, bias_gradient = self._workspace.array("bias_and_gradient", 2, len(words))
        bias[...] = 0 if self.bias is None else self.bias[words]
        if len(drawn):
            bias[-len(drawn) :] += np.log(len(others) / len(drawn))
        part = self.part(Table(weight, gradient), bias, bias_gradient, self._workspace)
        places = np.where(targets < frequent, targets, frequent + np.searchsorted(rare_targets, targets))
        return part, words, places
