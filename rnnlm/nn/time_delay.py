"""The time-delay layer: what it makes of its last inputs."""

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Mask, Workspace
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.layer import OneWayLayer, Rows, Vectors
from rnnlm.nn.projection import Projection

Activation = Literal["tanh", "relu", "linear"]


class TimeDelayLayer(OneWayLayer):
    """``y_t = f(Σ_k W_k x_{t-k} + b)``, k from 0 to width - 1 (Waibel et al. 1989).

    The layer is a convolution over time. Above an embedding it is the hidden layer of the feed-forward n-gram
    model of Bengio et al. (2003); linear and with one output it is an auto-regressive model. What it hands on from
    step to step is its last width - 1 inputs, the oldest first, (width - 1, B, D).

    No step waits for another. All W_k are multiplied with all inputs in one product, and each output is the sum of
    width of its results.

    Parameters
    ----------
    input_size
        Features of the input, `D`. None when the input is every ``W_k x_t`` already, looked up for a one-hot
        ``x_t``, the oldest k first: these are handed on then, (width - 1, B, width · H).
    hidden_size
        Units of the layer, `H`.
    width
        Inputs that an output sees, at least 1.
    bias
        Whether the layer has a bias.
    start
        How the weights start, with width · D connections into each unit.
    dtype
        Precision of everything in the layer.
    nonlinearity
        f: "tanh", "relu", or "linear" for none.

    Attributes
    ----------
    parameters, gradients
        Arrays by the names and in the shapes of PyTorch's Conv1d: ``weight`` (H, D, width), of which ``[..., -1]``
        is W_0, for the present input, and ``[..., 0]`` is W_{width-1}; and ``bias`` (H).
    """

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        width: int,
        bias: bool,
        start: Initialization,
        dtype: np.dtype[np.floating],
        nonlinearity: Activation = "tanh",
    ) -> None:
        self.dtype, self.hidden_size, self.width, self.nonlinearity = dtype, hidden_size, width, nonlinearity
        self.parameters, self.gradients = {}, {}
        U = gradient = None
        if input_size is not None:
            # Laid out for one product with every W_k; its blocks of rows are W_{width-1} … W_0.
            blocks = start.matrix(hidden_size, width * input_size).reshape(hidden_size, width, input_size)
            U = np.ascontiguousarray(blocks.swapaxes(0, 1), dtype).reshape(-1, input_size)
            gradient = np.zeros_like(U)
            self.parameters["weight"], self.gradients["weight"] = (
                array.reshape(width, hidden_size, input_size).transpose(1, 2, 0) for array in (U, gradient)
            )
        if bias:
            self.parameters["bias"] = start.vector(hidden_size, hidden_size).astype(dtype)
            self.gradients["bias"] = np.zeros_like(self.parameters["bias"])
        self._projection = Projection(U, gradient, dtype)
        self._state_size = width * hidden_size if input_size is None else input_size
        self._workspace = Workspace(dtype)
        self._last_pass = ""

    def products(self, of_rows: bool) -> int:
        """Count the weights that are multiplied for every token; see `Layer.products`."""
        U = self._projection.weight
        return 0 if U is None or of_rows else U.size

    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state (width - 1, B, D)."""
        return np.zeros((self.width - 1, batch_size, self._state_size), self.dtype)

    def forward(
        self, x: Vectors, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run the layer over a window; see `Layer.forward`.

        Outputs after a sequence's end are of what is read there.
        """
        (T, B), S = (x.ids if isinstance(x, Rows) else x).shape[:2], self.width - 1
        terms = self._workspace.array("terms", S + T, B, self.width * self.hidden_size)
        # A zero state, as of every sentence that begins, takes no product.
        self._before = state if state.any() else None
        if self._before is None:
            terms[:S] = 0
        else:
            self._projection.multiply(state, terms[:S])
        self._projection.rows(x, terms[S:])
        y = self._y = self._workspace.array("y", T, B, self.hidden_size)
        np.sum(self._seen(terms), axis=2, out=y)
        self._activate(y)
        # Which inputs are the last of each sequence, counted from the first in the state.
        self._last = np.arange(S)[:, None] + (np.full(B, T) if lengths is None else lengths)
        self._last_pass = "forward"
        return y, self._last_inputs(x, state)

    def activations(self) -> dict[str, Floats]:
        """Return the output of the last `forward`; see `Layer.activations`."""
        return {"h": self._y}

    def backward(self, dy: Floats, dstate: Floats | None = None) -> Floats:
        """Back-propagate through the window of the last `forward`; see `Layer.backward`."""
        if self._last_pass != "forward":
            raise RuntimeError("backward needs a forward before it: a layer serves once in a pass")
        (T, B, H), S = dy.shape, self.width - 1
        delta = self._delta(dy)
        dterms = self._workspace.array("dterms", S + T, B, self.width * H)
        dterms[:S] = dterms[T:] = 0  # what no step sees
        self._seen(dterms)[...] = delta[:, :, None]
        by_input = self._projection.weight_error(dterms[S:])
        if self._before is not None and self._projection.gradient is not None:
            before = self._before.reshape(-1, self._state_size)
            self._projection.gradient += dterms[:S].reshape(len(before), -1).T @ before
        if "bias" in self.gradients:
            # A product with ones, which is faster than a sum over the first axis.
            np.matmul(np.ones(T * B, self.dtype), delta.reshape(-1, H), out=self.gradients["bias"])
        dx = self._projection.input_error(by_input)
        if dstate is not None:
            self._add_state_error(dx, dstate)
        self._first_dterms, self._dstate = dterms[:S], dstate
        self.hidden_gradients = dy.transpose(0, 2, 1)
        self._last_pass = "backward"
        return dx

    def state_error(self) -> Floats:
        """Return the derivative with respect to the state before the window; see `Layer.state_error`."""
        if self._last_pass != "backward":
            raise RuntimeError("state_error needs a backward before it")
        error: Floats = self._projection.input_error(self._first_dterms, "dstate").copy()
        if self._dstate is not None:
            kept, at, sequence = self._kept()
            error[at, sequence] += self._dstate[kept]
        return error

    @property
    def state(self) -> Floats:
        """The inputs of the last steps, (width - 1, B, D)."""
        state: Floats = self._recent[1:].transpose(0, 2, 1).copy()
        return state

    def begin_steps(self, state: Floats) -> None:
        """Get ready to `advance` step by step from a state (width - 1, B, D)."""
        self._recent = self._workspace.array("recent", self.width, *state.shape[:0:-1])
        self._recent[1:] = state.transpose(0, 2, 1)
        self._last_pass = ""

    def advance(self, x: Floats) -> Floats:
        """Take one step; see `OneWayLayer.advance`."""
        self._recent[:-1] = self._recent[1:]
        self._recent[-1] = x
        U = self._projection.weight
        if U is None:
            terms = np.einsum("kkhb->khb", self._recent.reshape(self.width, self.width, self.hidden_size, -1))
        else:
            terms = U.reshape(self.width, self.hidden_size, -1) @ self._recent
        y: Floats = terms.sum(axis=0)
        self._activate(y.T)
        return y

    def _seen(self, terms: Floats) -> Floats:
        """Return a view of some (width - 1 + T, B, width · H) that has what each step sees, (T, B, width, H)."""
        T, (of_step, of_sequence, of_unit) = len(terms) - self.width + 1, terms.strides
        of_input = of_step + self.hidden_size * of_unit
        shape = (T, terms.shape[1], self.width, self.hidden_size)
        return as_strided(terms, shape, (of_step, of_sequence, of_input, of_unit))

    def _activate(self, y: Floats) -> None:
        """Replace the sums y (…, H) by ``f(y + b)``."""
        if "bias" in self.parameters:
            y += self.parameters["bias"]
        if self.nonlinearity == "tanh":
            np.tanh(y, out=y)
        elif self.nonlinearity == "relu":
            np.maximum(y, 0, out=y)

    def _delta(self, dy: Floats) -> Floats:
        """Return the derivative with respect to the sums: f' is 1 - y² for tanh and [y > 0] for ReLU."""
        y, delta = self._y, self._workspace.array("delta", *dy.shape)
        if self.nonlinearity == "linear":
            np.copyto(delta, dy)
        elif self.nonlinearity == "relu":
            np.multiply(dy, y > 0, out=delta)
        else:
            np.multiply(y, y, out=delta)
            np.subtract(1, delta, out=delta)
            delta *= dy
        return delta

    def _read(self) -> tuple[Mask, Ids, Ids]:
        """Return which of the last inputs (S, B) were read in the window, and their steps and sequences."""
        read = self._last >= self.width - 1
        return read, self._last[read] - self.width + 1, np.nonzero(read)[1]

    def _kept(self) -> tuple[Mask, Ids, Ids]:
        """Return which of the last inputs (S, B) are from the state before, and their places and sequences."""
        kept = self._last < self.width - 1
        return kept, self._last[kept], np.nonzero(kept)[1]

    def _last_inputs(self, x: Vectors, state: Floats) -> Floats:
        """Return the last inputs of each sequence, (S, B, D)."""
        after = np.empty_like(state)
        kept, at, sequence = self._kept()
        after[kept] = state[at, sequence]
        read, steps, sequence = self._read()
        after[read] = x.table[x.ids[steps, sequence]] if isinstance(x, Rows) else x[steps, sequence]
        return after

    def _add_state_error(self, dx: Floats, dstate: Floats) -> None:
        """Add the error of the last inputs to that of the inputs, (T, B, D) or (C, D)."""
        read, steps, sequence = self._read()
        x = self._projection.input
        if isinstance(x, Rows):
            np.add.at(dx, x.ids[steps, sequence], dstate[read])
        else:
            dx[steps, sequence] += dstate[read]
