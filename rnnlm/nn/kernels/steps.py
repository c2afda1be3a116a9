"""Single steps of compiled layers one above the other, and of the softmax above them."""

from typing import Any

import numpy as np

from rnnlm.nn import threads
from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.kernels import _passes
from rnnlm.nn.kernels.layers import CompiledLayer, packed
from rnnlm.nn.network import Network

WORTH_SHARING = 10**5
"""Multiplications of a step from which it is faster on several threads."""


class CompiledSteps:
    """Takes each step of B sequences in one compiled call; see `rnnlm.nn.stepping.Steps`.

    Weights are packed once. Threads share the units of a layer, whatever the number of sequences.

    Parameters
    ----------
    network
        A network whose layers are all a `CompiledLayer`.
    """

    def __init__(self, network: Network) -> None:
        self._stack, self._head, workspace = network.stack, network.head, Workspace(network.dtype)
        self._array, self._batch_size = workspace.array, -1
        self._layers = [layer for layer in network.stack.layers if isinstance(layer, CompiledLayer)]
        self._products = sum(layer.products(of_rows=False) for layer in self._layers) + self._head.products
        first, table = self._layers[0], np.ascontiguousarray(network.source.table.value)
        # What the first layer makes of each token is looked up where that is less work than its other products.
        n = first.num_gates * first.hidden_size
        is_looked_up = first.projection.weight is None or len(table) <= n
        self._weights = [
            layer.step_weights(with_input=k > 0 or not is_looked_up) for k, layer in enumerate(self._layers)
        ]
        if is_looked_up:
            self._weights[0]["terms"] = terms = workspace.array("terms", len(table), n)
            first.projection.multiply(table, terms)
        self._table = None if is_looked_up and not self._stack.residual[0] else table
        self._output: tuple[Floats, Floats | None] | None = None
        if isinstance(self._head, Softmax):
            self._output = packed(workspace, "V", self._head.table.value, 1), self._head.bias
            self._num_classes = len(self._head.table.value)

    def begin(self, state: Floats) -> None:
        """Go on from a state (L, S, B, H); see `Stepper.begin`."""
        if state.shape[2] != self._batch_size:
            self._lay_out(state.shape[2])
        for states, before in zip(self._states, self._stack.split(state), strict=True):
            states[:, 0] = before

    @property
    def state(self) -> Floats:
        """The state of each layer after the last step, (L, S, B, H)."""
        return self._stack.joined([states[:, 0] for states in self._states])

    def hidden(self, ids: Ids) -> Floats:
        """Read `ids` (B,) and return the output of the last layer, (B, H), which the next step overwrites."""
        self._take(self._to_hidden, ids)
        hidden: Floats = self._hidden
        return hidden

    def log_probs(self, ids: Ids) -> Floats:
        """Read `ids` (B,) and return the log-probabilities of what follows, (B, C), until the next step."""
        if self._output is None:
            return self._head.log_probs(self.hidden(ids))
        self._take(self._to_output, ids)
        return self._log_probs

    def draw(self, log_probs: Floats, draws: Floats, temperature: float) -> Ids:
        """Draw a token for each row of log-probabilities (B, C); see `SamplingSettings.choose`."""
        tokens = np.empty(len(log_probs), np.int64)
        _passes.draw(log_probs, np.ascontiguousarray(draws), temperature, tokens)
        return tokens

    def _take(self, steps: _passes.Steps, ids: Ids) -> None:
        self._ids[...] = ids
        steps.step(threads.free() if self._batch_size * self._products >= WORTH_SHARING else 1)

    def _lay_out(self, B: int) -> None:
        """Lay out the arrays of a step of B sequences."""
        self._batch_size, self._ids, self._states = B, np.zeros(B, np.int64), list[Floats]()
        lookup, windows = None, []
        x: Any = None
        if self._table is not None:
            x = self._array("x", B, self._table.shape[1])
            lookup = self._table, x
        for k in range(len(self._layers)):
            arrays = self._arrays(k, B) | {"x": x}
            windows.append(self._layers[k].window(1, B, arrays))
            x = self._hidden = arrays["h"][1] if arrays["sum"] is None else arrays["sum"]
        self._to_hidden = _passes.Steps(windows, B, self._ids, lookup, None)
        if self._output is not None:
            self._log_probs = self._array("log_probs", B, self._num_classes)
            output = *self._output, self._hidden, self._log_probs
            self._to_output = _passes.Steps(windows, B, self._ids, lookup, output)

    def _arrays(self, k: int, B: int) -> dict[str, Any]:
        """Return what the step of layer k computes with, by the names of `struct window` in passes.h."""
        layer, array, weights = self._layers[k], self._array, self._weights[k]
        H, G, S = layer.hidden_size, layer.num_gates, layer.num_states
        states, gates = array(f"states_{k}", S, 2, B, H), array("gates", B, G * H)
        self._states.append(states)
        return {
            "terms": gates,
            "ids": None if "U" in weights else self._ids,
            "gates": gates,
            "h": states[0],
            "c": states[-1],
            "kept": array("kept", B, H),
            "sum": array(f"sum_{k}", B, H) if self._stack.residual[k] else None,
            **weights,
        }
