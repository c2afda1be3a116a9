"""What recurrent cells share: weights, memory, and one time step.

Inside a layer the hidden state of a step is a matrix of shape (H, B) whose columns are the examples of the batch,
as in the textbooks: ``W h`` is then the product it says, and on small batches it is also the faster one.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.products import product
from rnnlm.nn.projection import Projection


class Cell(ABC):
    """Weights, memory and one time step of a recurrent layer; `RecurrentLayer` runs it over a window.

    A step begins with ``U x_t + b`` and ``W h_{t-1} + b'``, of G·H rows each.

    Parameters
    ----------
    input_size
        Features of the input, `D`. None when the input is ``U x_t`` already, looked up for a one-hot ``x_t``.
    hidden_size
        Units of the layer, `H`.
    bias
        Whether the layer has biases. As in PyTorch there are two, one beside ``U`` and one beside ``W``.
    start
        How the weights start.
    dtype
        Precision of everything in the layer.
    recurrent_dropout
        Probability with which an element of W is dropped for a window (DropConnect: Wan et al. 2013, Merity et
        al. 2017); only while training.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names: ``weight_ih`` is U (G·H, D), ``weight_hh`` is W (G·H, H), ``bias_ih`` and
        ``bias_hh`` (G·H).
    projection
        Computes ``U x_t + b``.
    """

    num_gates: ClassVar[int]
    """G: blocks of H rows in U and W."""

    num_states: ClassVar[int]
    """S: arrays that a step hands to the next: the output h and, for an LSTM, the cell c."""

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        bias: bool,
        start: Initialization,
        dtype: np.dtype[np.floating],
        *,
        recurrent_dropout: float = 0.0,
    ) -> None:
        self.dtype, self.hidden_size = dtype, hidden_size
        H, G = hidden_size, self.num_gates
        self.parameters: dict[str, Floats] = {}
        if input_size is not None:
            self.parameters["weight_ih"] = start.input_gates(G, H, input_size)
        self.parameters["weight_hh"] = start.recurrent_gates(G, H)
        if bias:
            self.parameters["bias_ih"] = start.vector(G * H, H)
            self.parameters["bias_hh"] = start.vector(G * H, H)
        self._initialize(start)
        self.parameters = {name: value.astype(dtype) for name, value in self.parameters.items()}
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.projection = Projection(self.parameters.get("weight_ih"), self.gradients.get("weight_ih"), dtype)
        self._dropconnect = Dropout(recurrent_dropout, dtype, of_weights=True)
        self._workspace = Workspace(dtype)

    def products(self, of_rows: bool) -> int:
        """Count the weights that are multiplied for every token; see `Layer.products`."""
        U, W = self.projection.weight, self.parameters["weight_hh"]
        return W.size if U is None or of_rows else W.size + U.size

    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state (S, B, H)."""
        return np.zeros((self.num_states, batch_size, self.hidden_size), self.dtype)

    @property
    def state(self) -> Floats:
        """The state after the last step or window, (S, B, H)."""
        state: Floats = self._states[-1].transpose(0, 2, 1).copy()
        return state

    @abstractmethod
    def _step(self, t: int) -> None:
        """Take step t: from ``_a[t]``, which holds ``U x_t`` and the biases, and state t to state t + 1."""

    @abstractmethod
    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        """Send the error of step t back to what the step began with.

        Parameters
        ----------
        t
            The step, or all of them: then the other arrays have T as their first axis.
        dh : (H, B)
            Derivative of the loss with respect to the output of the step. What `carry` brings to it, as in a GRU,
            the cell adds in place.
        carry : (H, B)
            What the step after handed back past its products: for an LSTM the error of the cell, which is all of
            it; for a GRU a part of that of h. Zero at the last step, unless the state after it has an error.
        delta : (G, H, B)
            Where the derivative with respect to ``U x_t`` goes.

        Returns
        -------
        (H, B)
            The `carry` of the step before.
        """

    def _lay_out(self, T: int, state: Floats, rng: Generator | None = None) -> None:
        """Lay out the arrays of T steps from a state (S, B, H), with the W that `rng` leaves of it."""
        self._W = self._dropconnect.forward(self.parameters["weight_hh"], rng)
        G, H, (S, B, _) = self.num_gates, self.hidden_size, state.shape
        self._a = self._workspace.array("a", T, G, H, B)
        self._Wh = self._workspace.array("Wh", G, H, B)
        self._states = self._workspace.array("states", T + 1, S, H, B)
        self._states[0] = state.transpose(0, 2, 1)
        self._prepare(T, B)

    def _initialize(self, start: Initialization) -> None:
        """Add to `parameters` what the cell has besides, and change what it starts otherwise."""

    def _prepare(self, T: int, B: int) -> None:
        """Get ready for T forward steps of B examples."""

    def _prepare_back(self) -> None:
        """Get ready for the backward steps."""

    def _product(self, h: Floats) -> Floats:
        """Return ``W h`` as (G, H, B), in memory that the next call overwrites."""
        product(self._W, h, self._Wh.reshape(-1, h.shape[1]))
        return self._Wh

    def _recurrent_delta(self, t: int | slice, delta: Floats) -> Floats:
        """Return the derivative with respect to ``W h_{t-1} + b'``; for most cells it is that of ``U x_t + b``."""
        return delta

    def _constant(self) -> Floats | None:
        """Return what is added to every ``U x_t``: both biases, where the cell adds up both products."""
        if "bias_ih" not in self.parameters:
            return None
        return self.parameters["bias_ih"] + self.parameters["bias_hh"]


def gates(array: Floats) -> list[Floats]:
    """Return views of the G gates of a step (G, H, B), each (H, B), or of all steps, each (T, H, B)."""
    return list(array.swapaxes(0, -3))
