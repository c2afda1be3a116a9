"""The passes over time, and the products that need no time.

A cell knows one time step, forward and backward; `RecurrentLayer` runs it over a window. Between layers, arrays
are (T, B, features), so that whatever does not depend on the step before is one product over all tokens.
"""

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.cell import Cell
from rnnlm.nn.layer import OneWayLayer, Rows, Vectors
from rnnlm.nn.products import matmul, product
from rnnlm.nn.projection import take_columns

TRANSPOSED_ROWS = 128
"""Rows of W that are transposed at a time, so that what is read stays in the cache until it is written."""


class RecurrentLayer(Cell, OneWayLayer):
    """A cell run over the time steps of a window; a subclass says which."""

    _lengths: Ids | None = None
    _last_pass = ""

    def forward(
        self, x: Vectors, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run the layer over a window; see `Layer.forward`."""
        T = len(x.ids if isinstance(x, Rows) else x)
        self._lengths, shortest = lengths, T if lengths is None else lengths.min()
        self._lay_out(T, state, rng)
        for t in self.projection.steps(x, self._constant(), self._a.reshape(T, -1, state.shape[1])):
            self._step(t)
            if lengths is not None and t >= shortest:
                ended = t >= lengths
                self._states[t + 1][..., ended] = self._states[t][..., ended]
        # Row 0 is the state before the window: y[:-1] are the h_{t-1} that the gradient of W needs.
        self._y = self._workspace.rows("y", self._states[:, 0])
        self._last_pass = "forward"
        return self._y[1:], self.state

    def activations(self) -> dict[str, Floats]:
        """Return states and gates of the last `forward`; see `Layer.activations`."""
        return dict(zip((*"hc"[: self.num_states], *self.gate_names), self._computed(), strict=False))

    def _computed(self) -> list[Floats]:
        """Return the states after each step of the last `forward` and then its gates, each (T, B, H)."""
        return [*self._states[1:].transpose(1, 0, 3, 2), *self._a.transpose(1, 0, 3, 2)]

    def begin_steps(self, state: Floats) -> None:
        """Get ready to `advance` step by step from a state (S, B, H)."""
        self._lay_out(1, state)
        self._last_pass = ""
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

    def backward(self, dy: Floats, dstate: Floats | None = None) -> Floats:
        """Back-propagate through the whole window (Werbos 1990); see `Layer.backward`."""
        T, B, H = dy.shape
        Wt = self._begin_backward()
        dh = self._workspace.columns("dh", dy)
        delta = self._workspace.array("delta", T, self.num_gates, H, B)
        from_next = self._workspace.array("from_next", H, B)
        carry = np.zeros((H, B), self.dtype)
        if dstate is not None:
            dh[-1] += dstate[0].T
            if self.num_states == 2:
                carry[...] = dstate[1].T
        shortest = T if self._lengths is None else self._lengths.min()
        for t in reversed(range(T)):
            if t + 1 < T:
                recurrent = self._recurrent_delta(t + 1, delta[t + 1])
                product(Wt, recurrent.reshape(-1, B), from_next)
                dh[t] += from_next
            after = carry
            carry = self._step_back(t, dh[t], carry, delta[t])
            if self._lengths is not None and t >= shortest:
                ended = t >= self._lengths
                delta[t][..., ended] = 0
                carry[:, ended] = after[:, ended] if self.num_states == 2 else 0
                if t > 0:
                    dh[t - 1][:, ended] += dh[t][:, ended]
        self.hidden_gradients, self._first_delta, self._first_carry = dh, delta[0], carry
        self._last_pass = "backward"
        return self.projection.input_error(self._set_gradients(delta))

    def state_error(self) -> Floats:
        """Return the derivative with respect to the state before the window; see `Layer.state_error`."""
        if self._last_pass != "backward":
            raise RuntimeError("state_error needs a backward before it")
        delta, carry = self._first_delta, self._first_carry
        Wt = self._workspace.array("Wt", *self._W.T.shape)
        dh = Wt @ self._recurrent_delta(0, delta).reshape(-1, delta.shape[-1])
        if self._lengths is not None:
            empty = self._lengths == 0
            dh[:, empty] += self.hidden_gradients[0][:, empty]
        return np.stack([dh.T, carry.T] if self.num_states == 2 else [(dh + carry).T])

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
        Wt = self._begin_backward()
        delta = np.empty((T, self.num_gates, H, B), self.dtype)
        total = np.zeros_like(delta)
        carry = np.zeros((T, H, B), self.dtype)
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
                dx.append(
                    self.projection.input_error(self._workspace.rows(f"delta_lag_{lag}", delta), f"dx_lag_{lag}")
                )
        summed = self._set_gradients(total)
        return dx if by_lag else [self.projection.input_error(summed)]

    def _advance(self) -> Floats:
        """Take the step for which `_a` is ready, from the state that the step before left."""
        self._states = self._states[::-1]
        self._step(0)
        h: Floats = self._states[1, 0]
        return h

    def _begin_backward(self) -> Floats:
        """Get ready for the way back, and return Wᵀ laid out afresh: its products then read it in order."""
        if self._last_pass != "forward":
            raise RuntimeError("backward needs a forward before it: a layer serves once in a pass")
        self._last_pass = ""
        self._prepare_back()
        W, Wt = self._W, self._workspace.array("Wt", *self._W.T.shape)
        for start in range(0, len(W), TRANSPOSED_ROWS):
            rows = slice(start, start + TRANSPOSED_ROWS)
            np.copyto(Wt[:, rows], W[rows].T)
        return Wt

    def _set_gradients(self, delta: Floats) -> Floats:
        """Set ∂W = Σ_t δ'_t h_{t-1}ᵀ, the biases' sums and ∂U.

        Returns
        -------
        (T, B, G·H) or (C, G·H)
            δ by place or, where the input was `Rows`, summed by row.
        """
        rows = self._workspace.rows("delta_rows", delta)
        recurrent = self._recurrent_delta(slice(None), delta)
        recurrent_rows = rows if recurrent is delta else self._workspace.rows("recurrent_rows", recurrent)
        return self._set_gradients_of_rows(rows, recurrent_rows)

    def _set_gradients_of_rows(self, rows: Floats, recurrent_rows: Floats) -> Floats:
        """Do as `_set_gradients` with the errors of ``U x_t`` and ``W h_{t-1}``, both (T, B, G·H)."""
        gradients = self.gradients
        flat, recurrent_flat = (array.reshape(-1, array.shape[2]) for array in (rows, recurrent_rows))
        matmul(recurrent_flat.T, self._y[:-1].reshape(-1, self.hidden_size), gradients["weight_hh"])
        self._dropconnect.backward(gradients["weight_hh"])
        if "bias_ih" in gradients:
            # Products with ones, which are faster than sums over the first axis.
            ones = np.ones(len(flat), flat.dtype)
            np.matmul(ones, flat, out=gradients["bias_ih"])
            if recurrent_rows is rows:
                gradients["bias_hh"][...] = gradients["bias_ih"]
            else:
                np.matmul(ones, recurrent_flat, out=gradients["bias_hh"])
        return self.projection.weight_error(rows)
