"""What recurrent layers share: the passes over time, and the products that need no time.

A cell is a subclass that knows one time step, forward and backward; `RecurrentLayer` runs it over a window. Inside
a layer the hidden state of a step is a matrix of shape (H, B) whose columns are the examples of the batch, as in
the textbooks: ``W h`` is then the product it says, and on small batches it is also the faster one. Between layers,
arrays are (T, B, features), so that whatever does not depend on the step before is one product over all tokens.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.initializers import gate_matrices, uniform

TRANSPOSED_ROWS = 128
"""Rows of W that are transposed at a time, so that what is read stays in the cache until it is written."""


class RecurrentLayer(ABC):
    """A recurrent layer whose step t begins with ``U x_t + b`` and ``W h_{t-1} + b'``, of G·H rows each.

    Parameters
    ----------
    input_size
        Features of the input, `D`. None when the input is ``U x_t`` already, looked up for a one-hot ``x_t``.
    hidden_size
        Units of the layer, `H`.
    bias
        Whether the layer has biases. As in PyTorch there are two, one beside ``U`` and one beside ``W``.
    rng
        Source of the initial weights.
    dtype
        Precision of everything in the layer.
    initializer, recurrent_initializer
        How each gate's part of U and of W starts: a name that `rnnlm.nn.initializers.matrix` knows.
    recurrent_scale
        Factor on the initial W.
    recurrent_dropout
        Probability with which an element of W is dropped for a window (DropConnect: Wan et al. 2013, Merity et
        al. 2017); only while training.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names: ``weight_ih`` is U (G·H, D), ``weight_hh`` is W (G·H, H), ``bias_ih`` and
        ``bias_hh`` (G·H).
    hidden_gradients : (T, H, B)
        Derivative of the loss with respect to each h_t after `backward`, through all that follows from it; in
        memory that the next call overwrites.
    """

    num_gates: ClassVar[int]
    """G: blocks of H rows in U and W."""

    num_states: ClassVar[int]
    """S: arrays that a step hands to the next; the first is the output h."""

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        bias: bool,
        rng: np.random.Generator,
        dtype: np.dtype[np.floating],
        *,
        initializer: str = "uniform",
        recurrent_initializer: str = "uniform",
        recurrent_scale: float = 1.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        self.hidden_size = hidden_size
        H, G = hidden_size, self.num_gates
        self.parameters: dict[str, Floats] = {}
        if input_size is not None:
            self.parameters["weight_ih"] = gate_matrices(initializer, rng, G, H, input_size)
        self.parameters["weight_hh"] = recurrent_scale * gate_matrices(recurrent_initializer, rng, G, H, H)
        if bias:
            self.parameters["bias_ih"] = uniform(rng, (G * H,), H)
            self.parameters["bias_hh"] = uniform(rng, (G * H,), H)
        self._initialize(rng)
        self.parameters = {name: value.astype(dtype) for name, value in self.parameters.items()}
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._dropconnect = Dropout(recurrent_dropout, dtype)
        self._workspace = Workspace(dtype)

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
        self, x: Floats, state: Floats, rng: np.random.Generator | None = None, *, ids: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run the layer over a window.

        Parameters
        ----------
        x : (T, B, D) or (C, D)
            Input; with G·H in place of D when it is ``U x_t`` already.
        state : (S, B, H)
            What the step before the window hands on.
        rng
            Source of the mask on W; None, as in evaluation, drops nothing.
        ids : (T, B), optional
            Which row of `x`, then (C, D), is the input at each place. Products with U are then taken once a row:
            less work where rows are fewer than places.

        Returns
        -------
        y : (T, B, H)
            The output of each step.
        state : (S, B, H)
            What the last step hands on.
        """
        T = len(x if ids is None else ids)
        self._x, self._ids = x, ids
        self._W = self._dropconnect.forward(self.parameters["weight_hh"], rng)
        self._lay_out(T, state)
        a = self._a.reshape(T, -1, state.shape[1])
        if ids is None:
            np.copyto(a, self._input_terms(x).transpose(0, 2, 1))
        else:
            terms = self.row_terms(x)
        for t in range(T):
            if ids is not None:
                take_columns(terms, ids[t], out=a[t])
            self._step(t)
        # Row 0 is the state before the window: y[:-1] are the h_{t-1} that the gradient of W needs.
        self._y = self._rows("y", self._states[:, 0])
        return self._y[1:], self.state

    def row_terms(self, x: Floats) -> Floats:
        """Compute ``U x + b`` for each row x of (C, D), as columns (G·H, C) that the next call overwrites."""
        U, constant = self.parameters.get("weight_ih"), self._constant()
        terms = self._workspace.array("terms", self.num_gates * self.hidden_size, len(x))
        if U is None:
            np.copyto(terms, x.T)
        else:
            np.matmul(U, x.T, out=terms)
        if constant is not None:
            terms += constant[:, None]
        return terms

    def begin_steps(self, state: Floats) -> None:
        """Get ready to `advance` step by step from a state (S, B, H)."""
        self._W = self.parameters["weight_hh"]
        self._lay_out(1, state)
        self._states[1] = self._states[0]  # where `state` and the first step find it
        self._a_columns = self._a.reshape(self.num_gates * self.hidden_size, state.shape[1])
        constant = self._constant()
        self._constant_column = None if constant is None else constant[:, None]

    def advance(self, x: Floats) -> Floats:
        """Take one step, its input `x` (D, B); return the output (H, B), which the step after next overwrites.

        As for `forward`, `x` is (G·H, B) where it is ``U x_t`` already.
        """
        U, a = self.parameters.get("weight_ih"), self._a_columns
        if U is None:
            np.copyto(a, x)
        else:
            np.matmul(U, x, out=a)
        if self._constant_column is not None:
            a += self._constant_column
        return self._advance()

    def advance_by(self, terms: Floats, ids: Ids) -> Floats:
        """Take one step as `advance` does, the input being the rows `ids` (B,) that gave these `row_terms`."""
        take_columns(terms, ids, out=self._a_columns)
        return self._advance()

    @property
    def state(self) -> Floats:
        """The state after the last step or window, (S, B, H)."""
        state: Floats = self._states[-1].transpose(0, 2, 1).copy()
        return state

    def backward(self, dy: Floats) -> Floats:
        """Back-propagate through the whole window (Werbos 1990).

        Parameters
        ----------
        dy : (T, B, H)
            Derivative of the loss with respect to each output.

        Returns
        -------
        (T, B, D) or (C, D)
            Derivative with respect to the input `x`. The parameters' derivatives are left in `gradients`.
        """
        T, B, H = dy.shape
        Wt = self._transposed_weights()
        dh = self._columns("dh", dy)
        delta = self._workspace.array("delta", T, self.num_gates, H, B)
        from_next = self._workspace.array("from_next", H, B)
        carry = np.zeros((H, B), self._workspace.dtype)
        self._prepare_back()
        for t in reversed(range(T)):
            if t + 1 < T:
                recurrent = self._recurrent_delta(t + 1, delta[t + 1])
                dh[t] += np.matmul(Wt, recurrent.reshape(-1, B), out=from_next)
            carry = self._step_back(t, dh[t], carry, delta[t])
        self.hidden_gradients = dh
        return self._input_error("dx", self._set_gradients(delta))

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
            The error of the input, by lag, for the layer below; the sum over the lags, (C, D), where rows of the
            input were given by their ids.
        """
        T, B, H = dy[0].shape
        dtype = self._workspace.dtype
        Wt = self._transposed_weights()
        delta = np.empty((T, self.num_gates, H, B), dtype)
        total = np.zeros_like(delta)
        carry = np.zeros((T, H, B), dtype)
        all_steps = slice(None)
        self._prepare_back()
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
            if self._ids is None:
                dx.append(self._input_error(f"dx_lag_{lag}", self._rows(f"delta_lag_{lag}", delta)))
        summed = self._set_gradients(total)
        return dx if self._ids is None else [self._input_error("dx", summed)]

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

    def _initialize(self, rng: np.random.Generator) -> None:
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

    def _transposed_weights(self) -> Floats:
        """Return Wᵀ, laid out afresh: the product of every backward step then reads it in order."""
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
        """Set ∂U = Σ_t δ_t x_tᵀ, ∂W = Σ_t δ'_t h_{t-1}ᵀ and the biases' sums.

        Returns
        -------
        (T, B, G·H) or (C, G·H)
            δ by place or, where rows of the input were given by their ids, summed by row.
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
        if self._ids is not None:
            rows = flat = self._sum_by_row(flat, self._ids)
        if "weight_ih" in gradients:
            np.matmul(flat.T, self._x.reshape(len(flat), -1), out=gradients["weight_ih"])
        return rows

    def _sum_by_row(self, delta: Floats, ids: Ids) -> Floats:
        """Add up the rows of (T·B, G·H) that belong to the same row of the input, (C, G·H)."""
        # A product with ones and zeros, one row of them for each row of the input.
        belongs = self._workspace.array("belongs", len(self._x), ids.size)
        belongs[...] = 0
        belongs[ids.ravel(), np.arange(ids.size)] = 1
        return np.matmul(belongs, delta, out=self._workspace.array("delta_by_row", len(self._x), delta.shape[1]))

    def _input_terms(self, x: Floats) -> Floats:
        """Compute ``U x_t + b`` of all steps, (T, B, G·H), in place where the input is ``U x_t`` already."""
        U = self.parameters.get("weight_ih")
        if U is not None:
            projected = self._workspace.array("projected", *x.shape[:2], len(U))
            np.matmul(x.reshape(-1, x.shape[2]), U.T, out=projected.reshape(-1, len(U)))
            x = projected
        constant = self._constant()
        if constant is not None:
            x += constant
        return x

    def _input_error(self, name: str, delta: Floats) -> Floats:
        """Return ``Uᵀ δ`` for every δ of (…, G·H); δ itself where the input was ``U x_t``."""
        U = self.parameters.get("weight_ih")
        if U is None:
            return delta
        dx = self._workspace.array(name, *delta.shape[:-1], U.shape[1])
        np.matmul(delta.reshape(-1, len(U)), U, out=dx.reshape(-1, U.shape[1]))
        return dx


def take_columns(array: Floats, ids: Ids, out: Floats) -> None:
    """Write the columns `ids` (B,) of an array (n, C) to `out` (n, B)."""
    # mode "clip" lets NumPy write into `out` without a buffer; the ids are in range.
    array.take(ids, axis=1, out=out, mode="clip")


def gates(array: Floats) -> list[Floats]:
    """Return views of the G gates of a step (G, H, B), each (H, B), or of all steps, each (T, H, B)."""
    return list(array.swapaxes(0, -3))
