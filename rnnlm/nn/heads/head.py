"""What every head does."""

from abc import ABC, abstractmethod

from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.table import Table


class Head(ABC):
    """Hidden states and targets to losses and their error.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names and in PyTorch's shapes.
    tables
        By name, the parameters that are a `Table` over the vocabulary.
    class_parameters
        Names of the parameters whose first axis counts what is chosen from, such as the tokens of the vocabulary.
    """

    parameters: dict[str, Floats]
    gradients: dict[str, Floats]
    tables: dict[str, Table]
    class_parameters: tuple[str, ...]

    @abstractmethod
    def begin(self) -> None:
        """Begin a gradient: what was added before counts no more."""

    def log_probs(self, s: Floats) -> Floats:
        """Return the log-probabilities of all C tokens for the rows of `s` (N, H), as a new (N, C).

        Raises
        ------
        TypeError
            If the head predicts a number, and chooses from nothing.
        """
        raise TypeError("a number is predicted, not one of some tokens")

    @abstractmethod
    def losses(self, s: Floats, targets: Ids, rng: Generator | None = None) -> Floats:
        """Return the cross-entropy in nats of each row of `s` (N, H) against `targets` (N,), as (N,).

        With `rng`, as in training, it may be an estimate from samples; without, it is exact.
        """

    @abstractmethod
    def loss_and_gradient(
        self, s: Floats, targets: Ids, scale: float, rng: Generator | None = None
    ) -> tuple[float, Floats]:
        """Compute the cross-entropy and its derivatives.

        Parameters
        ----------
        s : (N, H)
            Hidden states.
        targets : (N,)
            The token that followed each.
        scale
            Factor on every derivative (not on the loss).
        rng
            Source of samples for an estimate; None computes the exact loss.

        Returns
        -------
        loss
            Sum over the rows, in nats.
        ds : (N, H)
            Derivative with respect to `s`, in memory that the next call overwrites. The parameters' derivatives
            are added to `gradients`.
        """

    @property
    @abstractmethod
    def products(self) -> int:
        """Weights that take part in a product for every token, in training."""
