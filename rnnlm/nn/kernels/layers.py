"""The recurrent layers, their passes over time compiled.

Inside these layers arrays are (T, B, features), as they are between layers. Every sequence is computed by itself,
so that threads that share a batch never wait for one another.
"""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.random import Generator

from rnnlm.nn import threads
from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.gru import GRULayer
from rnnlm.nn.kernels import _passes
from rnnlm.nn.layer import Rows, Vectors
from rnnlm.nn.lstm import LSTMLayer
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.vanilla import VanillaLayer

WORTH_SHARING = 10**7
"""Multiplications of a pass from which it is faster on several threads."""


class CompiledLayer(RecurrentLayer):
    """A layer whose windows are computed by compiled passes; truncated BPTT, and a step alone, are NumPy's.

    The arrays that the passes share go by the names of `struct window` in passes.h.
    """

    is_compiled = True
    _arrays: dict[str, Any]

    @property
    @abstractmethod
    def _cell_name(self) -> str:
        """The name of the cell in passes.h."""

    def forward(
        self, x: Vectors, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run the layer over a window; see `Layer.forward`."""
        T, B = (x.ids if isinstance(x, Rows) else x).shape[:2]
        H, G, array = self.hidden_size, self.num_gates, self._workspace.array
        self._W = self._dropconnect.forward(self.parameters["weight_hh"], rng)
        self._lengths = lengths
        gates = array("gates", T, B, G * H)
        terms, ids = self.projection.terms(x, gates)
        states = array("rows_of_states", self.num_states, T + 1, B, H)
        states[:, 0] = state
        self._arrays = {
            "lengths": None if lengths is None else np.ascontiguousarray(lengths, np.int64),
            "W": packed(self._workspace, "W_forward", self._W, G),
            "terms": np.ascontiguousarray(terms),
            "ids": None if ids is None else np.ascontiguousarray(ids, np.int64),
            "bias": self._constant(),
            "gates": gates,
            "h": states[0],
            "c": states[-1],
            "kept": array("kept", T, B, H),
            "bias_n": self._recurrent_bias(),
        }
        window = self.window(T, B, self._arrays)
        window.forward(self._threads(T, B))
        self._y = states[0]
        self._last_pass = "forward"
        return self._y[1:], states[:, -1].copy()

    def _computed(self) -> list[Floats]:
        states, gates = [self._arrays["h"][1:], self._arrays["c"][1:]], self._arrays["gates"]
        by_gate = gates.reshape(*gates.shape[:2], self.num_gates, self.hidden_size).transpose(2, 0, 1, 3)
        return [*states[: self.num_states], *by_gate]

    def backward(self, dy: Floats, dstate: Floats | None = None) -> Floats:
        """Back-propagate through the window of the last `forward`; see `Layer.backward`."""
        if self._last_pass != "forward":
            raise RuntimeError("backward needs a forward before it: a layer serves once in a pass")
        (T, B, H), G, array = dy.shape, self.num_gates, self._workspace.array
        carry = array("carry", B, H)
        carry[...] = 0
        if dstate is not None:
            dy = dy.copy()
            dy[-1] += dstate[0]
            if self.num_states == 2:
                carry[...] = dstate[1]
        delta = array("delta_rows", T, B, G * H)
        self._arrays |= {
            "W": packed_transpose(self._workspace, "W_backward", self._W),
            "dy": np.ascontiguousarray(dy),
            "dh": array("dh_rows", T, B, H),
            "delta": delta,
            "recurrent": delta,
            "carry": carry,
        }
        if self._cell_name == "GRU":
            self._arrays["recurrent"] = array("recurrent_rows", T, B, G * H)
        window = self.window(T, B, self._arrays)
        window.backward(self._threads(T, B))
        self.hidden_gradients = self._arrays["dh"].transpose(0, 2, 1)
        self._last_pass = "backward"
        return self.projection.input_error(self._set_gradients_of_rows(delta, self._arrays["recurrent"]))

    def state_error(self) -> Floats:
        """Return the derivative with respect to the state before the window; see `Layer.state_error`."""
        if self._last_pass != "backward":
            raise RuntimeError("state_error needs a backward before it")
        dh = self._arrays["recurrent"][0] @ self._W
        if self._lengths is not None:
            empty = self._lengths == 0
            dh[empty] += self._arrays["dh"][0][empty]
        carry = self._arrays["carry"]
        return np.stack([dh, carry] if self.num_states == 2 else [dh + carry])

    def backward_truncated(self, dy: list[Floats], steps: int) -> list[Floats]:
        """Back-propagate each output's error at most `steps` time steps back; see `RecurrentLayer`."""
        if self._last_pass == "forward":
            self._lay_out_columns()
        return super().backward_truncated(dy, steps)

    def _lay_out_columns(self) -> None:
        """Lay out what the last `forward` computed as NumPy's steps back read it."""
        states = np.stack([self._arrays["h"], self._arrays["c"]][: self.num_states], axis=1)
        self._states = np.ascontiguousarray(states.swapaxes(2, 3))
        gates = self._workspace.columns("a", self._arrays["gates"])
        self._a = gates.reshape(len(gates), self.num_gates, self.hidden_size, -1)

    def _recurrent_bias(self) -> Floats | None:
        """Return the bias that the cell adds to ``W h`` apart from ``U x``."""
        return None

    def window(self, T: int, B: int, arrays: dict[str, Any]) -> _passes.Window:
        """Return the passes over T steps of B sequences in some arrays."""
        return _passes.Window(self._cell_name, (T, B, self.hidden_size), arrays)

    def step_weights(self, *, with_input: bool) -> dict[str, Any]:
        """Return weights and biases as single steps read them, by the names of the struct."""
        parameters, G = self.parameters, self.num_gates
        self._last_pass = ""  # W is packed where that pass had its own
        weights = {"W": packed(self._workspace, "W_forward", parameters["weight_hh"], G)}
        if with_input:
            weights["U"] = packed(self._workspace, "U", parameters["weight_ih"], G)
        return weights | {"bias": self._constant(), "bias_n": self._recurrent_bias()}

    def _threads(self, T: int, B: int) -> int:
        """Return how many threads share T steps of B sequences."""
        return threads.free() if T * B * self._W.size >= WORTH_SHARING else 1


class CompiledVanillaLayer(CompiledLayer, VanillaLayer):
    """See `VanillaLayer`."""

    @property
    def _cell_name(self) -> str:
        return self.nonlinearity.upper()


class CompiledGRULayer(CompiledLayer, GRULayer):
    """See `GRULayer`."""

    @property
    def _cell_name(self) -> str:
        return "GRU"

    def _recurrent_bias(self) -> Floats | None:
        return self.parameters["bias_hh"][2 * self.hidden_size :] if "bias_hh" in self.parameters else None

    def _lay_out_columns(self) -> None:
        super()._lay_out_columns()
        self._Wh_n = self._workspace.columns("Wh_n", self._arrays["kept"])


class CompiledLSTMLayer(CompiledLayer, LSTMLayer):
    """See `LSTMLayer`."""

    @property
    def _cell_name(self) -> str:
        return "LSTM"

    def _lay_out_columns(self) -> None:
        super()._lay_out_columns()
        self._tanh_c = self._workspace.columns("tanh_c", self._arrays["kept"])


def packed(workspace: Workspace, name: str, weights: Floats, gates: int) -> Floats:
    """Return weights (gates · n, K) of some gates of n units each as passes forward read them."""
    units, K = len(weights) // gates, weights.shape[1]
    out = workspace.array(name, _passes.packed_size(weights.dtype, K, units, gates))
    _passes.pack(np.ascontiguousarray(weights), K, units, gates, 1, K, units * K, out)
    return out


def packed_transpose(workspace: Workspace, name: str, weights: Floats) -> Floats:
    """Return the transpose of weights (K, n) as passes backward read it."""
    K, units = weights.shape
    out = workspace.array(name, _passes.packed_size(weights.dtype, K, units, 1))
    _passes.pack(weights, K, units, 1, units, 1, 0, out)
    return out


COMPILED_CELLS: dict[str, type[RecurrentLayer]] = {
    "rnn": CompiledVanillaLayer,
    "gru": CompiledGRULayer,
    "lstm": CompiledLSTMLayer,
}
