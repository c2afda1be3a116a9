"""What every layer does."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace


class Rows(NamedTuple):
    """Vectors that are rows of a table: the vector at time t of sequence b is ``table[ids[t, b]]``.

    Attributes
    ----------
    table : (C, D)
        The vectors, few of them and each at several places.
    ids : (T, B)
        Which of them stands where.
    """

    table: Floats
    ids: Ids

    def vectors(self, workspace: Workspace) -> Floats:
        """Return the vector of every place, (T, B, D), in the array `vectors` of a workspace."""
        vectors = workspace.array("vectors", *self.ids.shape, self.table.shape[1])
        # mode "clip" lets NumPy write into `out` without a buffer; the ids are known to be in range.
        return np.take(self.table, self.ids, axis=0, out=vectors, mode="clip")


Vectors: TypeAlias = Floats | Rows
"""The vectors of a window: an array (T, B, D), or rows of a table."""


def tensor_name(parameter: str, k: int) -> str:
    """Return PyTorch's name of a parameter of layer k: the direction comes after the number."""
    name, reverse, _ = parameter.partition("_reverse")
    return f"{name}_l{k}{reverse}"


class Layer(ABC):
    """Arrays in, arrays out, error back.

    A layer keeps what its `forward` computed until its `backward`, so it serves once in a pass.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names and in PyTorch's shapes.
    dtype
        Precision of all arrays.
    """

    parameters: dict[str, Floats]
    gradients: dict[str, Floats]
    dtype: np.dtype[np.floating]

    @abstractmethod
    def products(self, of_rows: bool) -> int:
        """Count the weights that are multiplied for every token; those of the input are not where it is `Rows`."""

    @abstractmethod
    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state of B sequences, (S, B, H): S arrays are what a step hands to the next.

        Their features are those of the output or, in a layer that hands its inputs on, of the input.
        """

    @abstractmethod
    def forward(
        self, x: Vectors, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run over a window.

        Parameters
        ----------
        x : (T, B, D)
            The input.
        state : (S, B, H)
            What the step before the window hands on.
        rng
            Source of what is dropped; None, as in evaluation, drops nothing.
        lengths : (B,)
            Steps of each sequence; a sequence that has ended keeps its state. None takes all for T long.

        Returns
        -------
        y : (T, B, H)
            The output of each step, in memory that the next call overwrites.
        state : (S, B, H)
            What the last step of each sequence hands on.
        """

    @abstractmethod
    def activations(self) -> dict[str, Floats]:
        """Return what the last `forward` computed, by name, in memory that the next call overwrites.

        Returns
        -------
        dict of (T, B, H)
            The output ``h``; where a cell has them, the cell ``c`` and the gates by their letters. Of a layer that
            reads backwards the names end in ``_reverse``, and its values stand at what it read.
        """

    @abstractmethod
    def backward(self, dy: Floats, dstate: Floats | None = None) -> Floats:
        """Back-propagate through the window of the last `forward`.

        Parameters
        ----------
        dy : (T, B, H)
            Derivative of the loss with respect to each output.
        dstate : (S, B, H)
            Derivative with respect to the state handed on; None where nothing reads it.

        Returns
        -------
        (T, B, D) or (C, D)
            Derivative with respect to the input, or to the table where the input was `Rows`. The parameters'
            derivatives replace what `gradients` held.

        Raises
        ------
        RuntimeError
            If no `forward` came just before.
        """

    @abstractmethod
    def state_error(self) -> Floats:
        """Return the derivative with respect to the state before the window, (S, B, H), just after `backward`."""


class OneWayLayer(Layer):
    """A layer whose output depends on no later input, so that it can also take one step after another.

    Attributes
    ----------
    hidden_size
        Features of the output, `H`.
    hidden_gradients : (T, H, B)
        Derivative of the loss with respect to each output after `backward`, through all that follows from it; in
        memory that the next call overwrites.
    """

    is_compiled: ClassVar[bool] = False
    """Whether compiled passes may take its steps in place of `advance`."""

    hidden_size: int
    hidden_gradients: Floats

    @property
    @abstractmethod
    def state(self) -> Floats:
        """The state after the last step, (S, B, H)."""

    @abstractmethod
    def begin_steps(self, state: Floats) -> None:
        """Get ready to `advance` step by step from a state (S, B, H)."""

    @abstractmethod
    def advance(self, x: Floats) -> Floats:
        """Take one step, its input `x` (D, B); return the output (H, B), which the step after next overwrites."""
