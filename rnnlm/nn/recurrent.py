"""What recurrent layers share: the passes over time, and the products that need no time.

A cell is a subclass that knows one time step, forward and backward; `RecurrentLayer` runs it over a window. Inside
a layer the hidden state of a step is a matrix of shape (H, B) whose columns are the examples of the batch, as in
the textbooks: ``W h`` is then the product it says, and on small batches it is also the faster one. Between layers,
arrays are (T, B, features), so that whatever does not depend on the step before is one product over all tokens.
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.layer import Layer, Rows, Vectors
from rnnlm.nn.projection import Projection, take_columns

TRANSPOSED_ROWS = 128
"""Rows of W that are transposed at a time, so that what is read stays in the cache until it is written."""


class RecurrentLayer(Layer):
    """A recurrent layer whose step t begins with ``U x_t + b`` and ``W h_{t-1} + b'``, of G·H rows each.

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
    hidden_gradients : (T, H, B)
        Derivative of the loss with respect to each h_t after `backward`, through all that follows from it; in
        memory that the next call overwrites.
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
        self.output_size = self.hidden_size = hidden_size
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
        self._dropconnect = Dropout(recurrent_dropout, dtype)
        self._workspace = Workspace(dtype)
        self._lengths: Ids | None = None
        self._is_forward_done = False

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
            What the step after handed back past its products; zero at the last step.
        delta : (G, H, B)
            Where the derivative with respect to ``U x_t`` goes.

        Returns
        -------
        (H, B)
            The `carry` of the step before.
        """

    def forward(
        self,
        x: Vectors,
        state: Floats,
        rng: np.random.Generator | None = None,
        *,
        lengths: Ids | None = None,
    ) -> tuple[Floats, Floats]:
        """Run the layer over a window; see `Layer.forward`."""
        T = len(x.ids if isinstance(x, Rows) else x)
        self._lengths = lengths
        self._W = self._dropconnect.forward(self.parameters["weight_hh"], rng)
        self._lay_out(T, state)
        for t in self.projection.steps(x, self._constant(), self._a.reshape(T, -1, state.shape[1])):
            self._step(t)
            if lengths is not None:
                ended = t >= lengths
                self._states[t + 1][..., ended] = self._states[t][..., ended]
        # Row 0 is the state before the window: y[:-1] are the h_{t-1} that the gradient of W needs.
        self._y = self._rows("y", self._states[:, 0])
        self._is_forward_done = True
        return self._y[1:], self.state

    def begin_steps(self, state: Floats) -> None:
        """Get ready to `advance` step by step from a state (S, B, H)."""
        self._W = self.parameters["weight_hh"]
        self._lay_out(1, state)
        self._states[1] = self._states[0]  # where `state` and the first step find it
        self._a_columns = self._a.reshape(self.num_gates * self.hidden_size, state.shape[1])
        self._step_constant = self._constant()

    def columns(self, table: Floats) -> Floats:
        """Return ``U x + b`` for each row x of a table (C, D), as columns (G·H, C) for `advance_by`."""
        columns: Floats = self.projection.columns(table, self._constant()).copy()
        return columns

    def advance(self, x: Floats) -> Floats:
        """Take one step, its input `x` (D, B); return the output (H, B), which the step after next overwrites."""
        self.projection.step(x, self._step_constant, self._a_columns)
        return self._advance()

    def advance_by(self, columns: Floats, ids: Ids) -> Floats:
        """Take one step as `advance` does, the input being the rows `ids` (B,) that gave these `columns`."""
        take_columns(columns, ids, out=self._a_columns)
        return self._advance()

    @property
    def products(self) -> int:
        """Weights that take part in a product for every token."""
        return sum(value.size for value in self.parameters.values() if value.ndim == 2)

    @property
    def state(self) -> Floats:
        """The state after the last step or window, (S, B, H)."""
        state: Floats = self._states[-1].transpose(0, 2, 1).copy()
        return state

    def backward(self, dy: Floats, dstate: Floats | None = None) -> Floats:
        """Back-propagate through the whole window (Werbos 1990); see `Layer.backward`."""
        T, B, H = dy.shape
        Wt = self._begin_backward()
        dh = self._columns("dh", dy)
        delta = self._workspace.array("delta", T, self.num_gates, H, B)
        from_next = self._workspace.array("from_next", H, B)
        carry = np.zeros((H, B), self._workspace.dtype)
        if dstate is not None:
            dh[-1] += dstate[0].T
            if self.num_states == 2:
                carry[...] = dstate[1].T
        for t in reversed(range(T)):
            if t + 1 < T:
                recurrent = self._recurrent_delta(t + 1, delta[t + 1])
                dh[t] += np.matmul(Wt, recurrent.reshape(-1, B), out=from_next)
                self._pass_error_of_ended(t + 1, dh[t + 1], dh[t])
            after = carry
            carry = self._step_back(t, dh[t], carry, delta[t])
            if self._lengths is not None:
                ended = t >= self._lengths
                delta[t][..., ended] = 0
                carry[:, ended] = after[:, ended] if self.num_states == 2 else 0
        self.hidden_gradients, self._first_delta, self._first_carry = dh, delta[0], carry
        return self.projection.input_error(self._set_gradients(delta))

    def state_error(self) -> Floats:
        """Return the derivative with respect to the state before the window, (S, B, H), after `backward`."""
        delta, carry = self._first_delta, self._first_carry
        Wt = self._workspace.array("Wt", *self._W.T.shape)
        dh = Wt @ self._recurrent_delta(0, delta).reshape(-1, delta.shape[-1])
        self._pass_error_of_ended(0, self.hidden_gradients[0], dh)
        return np.stack([dh.T, carry.T] if self.num_states == 2 else [(dh + carry).T])

    def _pass_error_of_ended(self, t: int, dh: Floats, dh_before: Floats) -> None:
        """Pass the error of h past a step that kept it, for the sequences that had ended."""
        if self._lengths is not None:
            ended = t >= self._lengths
            dh_before[:, ended] += dh[:, ended]

    def backward_truncated(self, dy: list[Floats], steps: int) -> list[Floats]:
        """Back-propagate each output's error at most `steps` time steps back.

        As published for one vanilla layer: the error of the output at time t reaches the states of times t, t-1,
        …, t-`steps`. What has come from j steps later is kept apart as lag j, so one product a lag serves all
        time steps at once; the sum over the lags is the derivative of the loss.

        Parameters
        ----------
        dy
            Arrays (T, B, H) by lag, from 0; an absent lag is zero. The output layer gives lag 0 only.
        steps
            The largest lag, the `k` of truncated BPTT; 0 keeps the error within its own time step.

        Returns
        -------
        list of (T, B, D)
            The error of the input, by lag, for the layer below; where the input was `Rows`, the sum over the lags,
            (C, D).

        Raises
        ------
        ValueError
            If the window has lengths: the error of a state that was kept has no lag.
        """
        if self._lengths is not None:
            raise ValueError("truncated BPTT takes no lengths")
        T, B, H = dy[0].shape
        dtype = self._workspace.dtype
        Wt = self._begin_backward()
        delta = np.empty((T, self.num_gates, H, B), dtype)
        total = np.zeros_like(delta)
        carry = np.zeros((T, H, B), dtype)
        all_steps = slice(None)
        by_lag = not isinstance(self.projection.input, Rows)
        dx = []
        for lag in range(min(steps, T - 1) + 1):
            dh, from_next = np.zeros_like(carry), np.zeros_like(carry)
            if lag < len(dy):
                dh += dy[lag].transpose(0, 2, 1)
            if lag > 0:
                dh[:-1] += Wt @ self._recurrent_delta(all_steps, delta).reshape(T, -1, B)[1:]
                from_next[:-1] = carry[1:]
            carry = self._step_back(all_steps, dh, from_next, delta)
            total += delta
            if by_lag:
                dx.append(self.projection.input_error(self._rows(f"delta_lag_{lag}", delta), f"dx_lag_{lag}"))
        summed = self._set_gradients(total)
        return dx if by_lag else [self.projection.input_error(summed)]

    def _lay_out(self, T: int, state: Floats) -> None:
        """Lay out the arrays of T steps from a state (S, B, H)."""
        G, H, (S, B, _) = self.num_gates, self.hidden_size, state.shape
        self._a = self._workspace.array("a", T, G, H, B)
        self._Wh = self._workspace.array("Wh", G, H, B)
        self._states = self._workspace.array("states", T + 1, S, H, B)
        self._states[0] = state.transpose(0, 2, 1)
        self._prepare(T, B)

    def _advance(self) -> Floats:
        """Take the step for which `_a` is ready, from the state that the step before left."""
        self._states = self._states[::-1]
        self._step(0)
        h: Floats = self._states[1, 0]
        return h

    def _initialize(self, start: Initialization) -> None:
        """Add to `parameters` what the cell has besides, and change what it starts otherwise."""

    def _prepare(self, T: int, B: int) -> None:
        """Get ready for T forward steps of B examples."""

    def _prepare_back(self) -> None:
        """Get ready for the backward steps."""

    def _product(self, h: Floats) -> Floats:
        """Return ``W h`` as (G, H, B), in memory that the next call overwrites."""
        np.matmul(self._W, h, out=self._Wh.reshape(-1, h.shape[1]))
        return self._Wh

    def _recurrent_delta(self, t: int | slice, delta: Floats) -> Floats:
        """Return the derivative with respect to ``W h_{t-1} + b'``; for most cells it is that of ``U x_t + b``."""
        return delta

    def _constant(self) -> Floats | None:
        """Return what is added to every ``U x_t``: both biases, where the cell adds up both products."""
        if "bias_ih" not in self.parameters:
            return None
        return self.parameters["bias_ih"] + self.parameters["bias_hh"]

    def _begin_backward(self) -> Floats:
        """Get ready for the way back, and return Wᵀ laid out afresh: its products then read it in order."""
        if not self._is_forward_done:
            raise RuntimeError("backward needs a forward before it: a layer serves once in a pass")
        self._is_forward_done = False
        self._prepare_back()
        W, Wt = self._W, self._workspace.array("Wt", *self._W.T.shape)
        for start in range(0, len(W), TRANSPOSED_ROWS):
            rows = slice(start, start + TRANSPOSED_ROWS)
            np.copyto(Wt[:, rows], W[rows].T)
        return Wt

    def _columns(self, name: str, rows: Floats) -> Floats:
        """Lay (T, B, n) out as (T, n, B)."""
        T, B, n = rows.shape
        columns = self._workspace.array(name, T, n, B)
        np.copyto(columns, rows.transpose(0, 2, 1))
        return columns

    def _rows(self, name: str, columns: Floats) -> Floats:
        """Lay (T, n, B), or (T, G, H, B) with n = G·H, out as (T, B, n)."""
        T, B = len(columns), columns.shape[-1]
        columns = columns.reshape(T, -1, B)
        rows = self._workspace.array(name, T, B, columns.shape[1])
        np.copyto(rows, columns.transpose(0, 2, 1))
        return rows

    def _set_gradients(self, delta: Floats) -> Floats:
        """Set ∂W = Σ_t δ'_t h_{t-1}ᵀ, the biases' sums and ∂U.

        Returns
        -------
        (T, B, G·H) or (C, G·H)
            δ by place or, where the input was `Rows`, summed by row.
        """
        gradients = self.gradients
        rows = self._rows("delta_rows", delta)
        recurrent = self._recurrent_delta(slice(None), delta)
        recurrent_rows = rows if recurrent is delta else self._rows("recurrent_rows", recurrent)
        flat, recurrent_flat = (array.reshape(-1, array.shape[2]) for array in (rows, recurrent_rows))
        np.matmul(recurrent_flat.T, self._y[:-1].reshape(-1, self.hidden_size), out=gradients["weight_hh"])
        self._dropconnect.backward(gradients["weight_hh"])
        if "bias_ih" in gradients:
            # A product with ones, which is faster than a sum over the first axis.
            ones = np.ones(len(flat), flat.dtype)
            np.matmul(ones, flat, out=gradients["bias_ih"])
            np.matmul(ones, recurrent_flat, out=gradients["bias_hh"])
        return self.projection.weight_error(rows)


def gates(array: Floats) -> list[Floats]:
    """Return views of the G gates of a step (G, H, B), each (H, B), or of all steps, each (T, H, B)."""
    return list(array.swapaxes(0, -3))
