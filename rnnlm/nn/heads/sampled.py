"""A softmax over part of the vocabulary, for training with large ones."""

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, TableGradient, Workspace
from rnnlm.nn.heads.softmax import SoftmaxOutput


class SampledSoftmax:
    """Estimates the softmax's sum over the vocabulary from some of its words.

    Complementary sum sampling (Botev, Zheng and Barber 2017): of ``Z = Σ_c exp(V_c s + b_c)`` the terms of the
    most frequent words and of all targets are taken as they are, and k words drawn evenly from the other r stand
    for all of these::

        Z ≈ Σ_{c taken} exp(V_c s + b_c) + Σ_{c drawn} exp(V_c s + b_c + log(r/k))

    The estimate of Z is unbiased. It is the sum of a softmax over the words taken and drawn, the latter's biases
    raised by ``log(r/k)``, so that `SoftmaxOutput` has the loss and the gradient.

    Parameters
    ----------
    output
        The layer with all words, whose weights are trained. The estimate is best where token ids are in order of
        falling frequency.
    weight_gradient
        The gradient of its weights.
    samples
        Words beside the targets: one half the first of the vocabulary, the other drawn for each call.
    """

    def __init__(self, output: SoftmaxOutput, weight_gradient: TableGradient, samples: int) -> None:
        self.output = output
        self.weight_gradient = weight_gradient
        self.samples = samples
        self._workspace = Workspace(output.weight.dtype)

    def losses(self, s: Floats, targets: Ids, rng: np.random.Generator) -> Floats:
        """Estimate the cross-entropy in nats of each row of `s` (N, H) against `targets` (N,), as (N,)."""
        part, _, places = self._draw(targets, rng)
        return part.losses(s, places)

    def loss_and_gradient(
        self, s: Floats, targets: Ids, scale: float, rng: np.random.Generator
    ) -> tuple[float, Floats]:
        """Estimate the loss, and compute the estimate's derivatives.

        Parameters and results are those of `SoftmaxOutput.loss_and_gradient`; words that are neither taken nor
        drawn have the gradient zero.
        """
        part, words, places = self._draw(targets, rng)
        loss, ds = part.loss_and_gradient(s, places, scale)
        output = self.output
        self.weight_gradient.replace(words, part.weight_gradient)
        if output.bias_gradient is not None:
            output.bias_gradient[...] = 0
            output.bias_gradient[words] = part.bias_gradient
        return loss, ds

    def _draw(self, targets: Ids, rng: np.random.Generator) -> tuple[SoftmaxOutput, Ids, Ids]:
        """Return an output layer over the words taken and drawn, their ids, and the targets' places among them."""
        C, H = self.output.weight.shape
        frequent = min(self.samples // 2, C)
        rare_targets = np.unique(targets[targets >= frequent])
        is_other = np.ones(C, bool)
        is_other[:frequent] = False
        is_other[rare_targets] = False
        others = np.flatnonzero(is_other)
        drawn = rng.choice(others, min(self.samples - frequent, len(others)), replace=False)
        words = np.concatenate([np.arange(frequent), rare_targets, drawn])

        weight, gradient = self._workspace.array("weight_and_gradient", 2, len(words), H)
        np.take(self.output.weight, words, axis=0, out=weight, mode="clip")
        bias, bias_gradient = self._workspace.array("bias_and_gradient", 2, len(words))
        bias[...] = 0 if self.output.bias is None else self.output.bias[words]
        if len(drawn):
            bias[-len(drawn) :] += np.log(len(others) / len(drawn))
        part = SoftmaxOutput(weight, gradient, bias, bias_gradient, self._workspace)
        places = np.where(targets < frequent, targets, frequent + np.searchsorted(rare_targets, targets))
        return part, words, places
