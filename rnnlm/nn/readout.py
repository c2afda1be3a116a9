"""One vector of all the nodes of a graph."""

from abc import ABC, abstractmethod

import numpy as np

from rnnlm.nn.activations import sigmoid_in_place
from rnnlm.nn.arrays import Floats, Workspace
from rnnlm.nn.graph import Graphs
from rnnlm.nn.initializers import Initialization


class Readout(ABC):
    """Makes one vector of the states of a graph's nodes, whatever their order.

    Parameters
    ----------
    dtype
        Precision.
    """

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self.dtype = dtype
        self.parameters: dict[str, Floats] = {}
        self.gradients: dict[str, Floats] = {}
        self._workspace = Workspace(dtype)

    @abstractmethod
    def forward(self, h: Floats, graphs: Graphs) -> Floats:
        """Return the vector of each graph, (B, F'), of the states `h` (N, F) of its nodes."""

    @abstractmethod
    def backward(self, dy: Floats) -> Floats:
        """Set the gradients, and return the error of the states, (N, F), given that of the vectors, (B, F')."""

    def _sum(self, rows: Floats, graphs: Graphs) -> Floats:
        """Return the sum of a graph's rows for each graph, (B, F)."""
        sums = np.empty((graphs.num_graphs, rows.shape[1]), self.dtype)
        return graphs.members(rows, sums, self._workspace)


class SumReadout(Readout):
    """The sum over the nodes, ``y = Σ_v h_v``."""

    def forward(self, h: Floats, graphs: Graphs) -> Floats:
        """Return the sums; see `Readout.forward`."""
        self._graphs = graphs
        return self._sum(h, graphs)

    def backward(self, dy: Floats) -> Floats:
        """Hand the error of a graph to each of its nodes; see `Readout.backward`."""
        return dy[self._graphs.graph_of_nodes]


class MeanReadout(SumReadout):
    """The mean over the nodes, ``y = Σ_v h_v / N``."""

    def forward(self, h: Floats, graphs: Graphs) -> Floats:
        """Return the means; see `Readout.forward`."""
        self._shares = 1 / graphs.members.sizes[:, None].astype(self.dtype)
        mean: Floats = super().forward(h, graphs) * self._shares
        return mean

    def backward(self, dy: Floats) -> Floats:
        """Hand each node its share of the error; see `Readout.backward`."""
        return super().backward(dy * self._shares)


class GatedSumReadout(Readout):
    """``y = Σ_v σ(A h_v + a) ⊙ tanh(V h_v + c)``: a gate says how much a node counts (Li et al. 2016, equation 7).

    There ``h_v`` is the last state beside the first one: ``np.concatenate([h, h_0], axis=1)``.

    Parameters
    ----------
    input_size, output_size
        Features of a node, F, and of the vector of a graph, F'.
    start, dtype
        As for a `GatedGraphLayer`.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names: ``gate.weight`` is A (F', F), ``gate.bias`` a, ``value.weight`` V (F', F) and
        ``value.bias`` c.
    """

    def __init__(
        self, input_size: int, output_size: int, start: Initialization, dtype: np.dtype[np.floating]
    ) -> None:
        super().__init__(dtype)
        for part in ("gate", "value"):
            self.parameters[f"{part}.weight"] = start.matrix(output_size, input_size).astype(dtype)
            self.parameters[f"{part}.bias"] = start.vector(output_size, input_size).astype(dtype)
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}

    def forward(self, h: Floats, graphs: Graphs) -> Floats:
        """Return the gated sums; see `Readout.forward`."""
        self._h, self._graphs = h, graphs
        self._gate = h @ self.parameters["gate.weight"].T + self.parameters["gate.bias"]
        sigmoid_in_place(self._gate)
        self._value = np.tanh(h @ self.parameters["value.weight"].T + self.parameters["value.bias"])
        return self._sum(self._gate * self._value, graphs)

    def backward(self, dy: Floats) -> Floats:
        """Back-propagate through gates and values; see `Readout.backward`."""
        error, gate, value = dy[self._graphs.graph_of_nodes], self._gate, self._value
        dh: Floats = np.zeros_like(self._h)
        for part, delta in (
            ("gate", error * value * gate * (1 - gate)),
            ("value", error * gate * (1 - value**2)),
        ):
            np.matmul(delta.T, self._h, out=self.gradients[f"{part}.weight"])
            delta.sum(axis=0, out=self.gradients[f"{part}.bias"])
            dh += delta @ self.parameters[f"{part}.weight"]
        return dh
