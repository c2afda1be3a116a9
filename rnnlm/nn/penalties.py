"""Penalties on what the last recurrent layer does."""

from dataclasses import dataclass

import numpy as np

from rnnlm.nn.arrays import Floats, Mask


@dataclass(frozen=True)
class ActivationPenalties:
    """Penalties on large activations and on their changes (Merity et al. 2017).

    A token adds α times the mean square of the last layer's output after dropout, and β times the mean squared
    difference of the last layer's output from that of the step before.

    Attributes
    ----------
    alpha, beta
        α and β; 0 for no penalty.
    """

    alpha: float = 0.0
    beta: float = 0.0

    def value(self, hidden: Floats, top: Floats, mask: Mask) -> float:
        """Return the penalties of a window, the last layer's outputs (T, B, H) being `hidden` after dropout."""
        size = hidden[0].size  # of a step of all sequences: the mean over it, times T, is a sum over the steps
        changes = np.diff(top, axis=0)[mask[1:]]
        return float(self.alpha * np.sum(hidden[mask] ** 2) + self.beta * np.sum(changes**2)) / float(size)

    def add_activation_error(self, error: Floats, hidden: Floats, shares: Floats) -> None:
        """Add the derivative of the penalty on activations to that with respect to `hidden`.

        A place counts as much as its share says, (T, B): one over the sequences of the batch, or zero.
        """
        if self.alpha > 0:
            error += 2 * self.alpha / hidden.shape[2] * hidden * shares[..., None]

    def add_change_error(self, error: Floats, top: Floats, shares: Floats) -> None:
        """Add the derivative of the penalty on changes to that with respect to the last layer's output."""
        if self.beta > 0:
            changes = 2 * self.beta / top.shape[2] * np.diff(top, axis=0) * shares[1:, :, None]
            error[1:] += changes
            error[:-1] -= changes
