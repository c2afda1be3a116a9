"""Single steps of compiled layers one above the other, and of the softmax above them."""

from typing import Any

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.kernels import _passes
from rnnlm.nn.kernels.layers import CompiledLayer, packed
from rnnlm.nn.network import Network
from rnnlm.nn.threads import shared_out

WORTH_SHARING = 5 * 10**6
"""Multiplications of a step from which it is faster on several threads."""


class CompiledSteps:
    """Takes each step of B sequences in one compiled call; see `rnnlm.nn.stepping.Steps`.

    Weights are packed once. Every sequence is computed by itself, so that threads share a batch.

    Parameters
    ----------
    network
        A network whose layers are all a `CompiledLayer`.
    """

    def __init__(self, network: Network) -> None:
        self._stack, self._head = network.stack, network.head
        self._layers = [layer for layer in network.stack.layers if isinstance(layer, CompiledLayer)]
        self._weights = [layer.packed_weights() for layer in self._layers]
        self._products = sum(layer.products(of_rows=False) for layer in self._layers)
        self._V: Floats | None = None
        if isinstance(self._head, Softmax):
            self._V = packed(self._head.table.value, 1)
            self._products += self._V.size
        self._take_table(np.ascontiguousarray(network.source.table.value))
        self._array = Workspace(network.dtype).array
        self._batch_size = 0

    def _take_table(self, table: Floats) -> None:
        """Let the first layer look up what it makes of each token where that is less work than a product a step."""
        first, weights = self._layers[0], self._weights[0]
        self._table: Floats | None = table
        n = first.num_gates * first.hidden_size
        if first.projection.weight is None or len(table) <= n:
            weights.pop("U", None)
            weights["terms"] = np.empty((len(table), n), table.dtype)
            first.projection.multiply(table, weights["terms"])
            self._table = table if self._stack.residual[0] else None

    def begin(self, state: Floats) -> None:
        """Go on from a state (L, S, B, H)."""
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
        self._step(self._of_layers, ids)
        return self._hidden

    def log_probs(self, ids: Ids) -> Floats:
        """Read `ids` (B,) and return the log-probabilities of what follows, (B, C), which the next step overwrites."""
        if self._V is None:
            return self._head.log_probs(self.hidden(ids))
        self._step(self._of_all, ids)
        return self._log_probs

    def _step(self, steps: _passes.Steps, ids: Ids) -> None:
        self._ids[...] = ids
        if self._batch_size * self._products < WORTH_SHARING:
            steps.step(0, self._batch_size)
        else:
            shared_out(steps.step, self._batch_size)

    def _lay_out(self, B: int) -> None:
        """Lay out the arrays of a step of B sequences."""
        self._batch_size, self._ids, array = B, np.zeros(B, np.int64), self._array
        self._states: list[Floats] = []
        x = None if self._table is None else array("x", B, self._table.shape[1])
        table, vectors, windows = self._table, x, []
        for k, (layer, weights) in enumerate(zip(self._layers, self._weights, strict=True)):
            H, G = layer.hidden_size, layer.num_gates
            states = array(f"states_{k}", layer.num_states, 2, B, H)
            gates = array("gates", B, G * H)
            arrays: dict[str, Any] = {
                "terms": gates,
                "gates": gates,
                "kept": array("kept", B, H),
                "x": x,
                **weights,
            }
            arrays |= {"h": states[0], "c": states[1] if layer.num_states == 2 else None}
            arrays["ids"] = self._ids if "U" not in weights else None
            arrays["sum"] = array(f"sum_{k}", B, H) if self._stack.residual[k] else None
            windows.append(_passes.Window(layer.cell_name, (1, B, H), arrays))
            self._states.append(states)
            x = arrays["sum"] if self._stack.residual[k] else states[0, 0]
        self._hidden = x
        self._of_layers = _passes.Steps(windows, self._ids, table, vectors, None, None, x, None)
        if self._V is not None:
            self._log_probs = array("log_probs", B, len(self._head.table.value))
            bias = self._head.bias
            self._of_all = _passes.Steps(windows, self._ids, table, vectors, self._V, bias, x, self._log_probs)
