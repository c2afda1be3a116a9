"""Message passing on graphs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnlm.nn.activations import sigmoid_in_place
from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.group_sums import GroupSums
from rnnlm.nn.initializers import Initialization

AGGREGATIONS = ("sum", "mean")


@dataclass(frozen=True, eq=False)
class Graphs:
    """Directed graphs side by side: nodes of all of them are numbered together, and no edge leaves a graph.

    An undirected edge is two directed ones. An edge may occur more than once, or join a node with itself.

    Parameters
    ----------
    sources, targets : (E,)
        The node where each edge begins, and the one where it ends.
    num_nodes
        Nodes, N; some may have no edge.
    graph_of : (N,)
        The graph to which each node belongs, from 0 on, each with a node at least; None is one graph.

    Raises
    ------
    ValueError
        If the arrays are not such.
    """

    sources: Ids
    targets: Ids
    num_nodes: int
    graph_of: Ids | None = None

    def __post_init__(self) -> None:
        N = self.num_nodes
        if N < 1:
            raise ValueError("a graph needs a node")
        if self.sources.shape != self.targets.shape or self.sources.ndim != 1:
            shapes = f"{self.sources.shape} and {self.targets.shape}"
            raise ValueError(f"sources and targets must be of one length, not of shapes {shapes}")
        for name, nodes in (("sources", self.sources), ("targets", self.targets)):
            if nodes.dtype.kind != "i" or (len(nodes) and not 0 <= nodes.min() <= nodes.max() < N):
                raise ValueError(f"{name} must be whole numbers from 0 to {N - 1}")
        if self.graph_of is not None:
            if self.graph_of.shape != (N,) or self.graph_of.dtype.kind != "i":
                raise ValueError(f"graph_of must be {N} whole numbers, one for each node")
            if self.graph_of.min() < 0 or (np.bincount(self.graph_of) == 0).any():
                raise ValueError("graphs must be numbered from 0 on, each with a node at least")
            if (self.graph_of[self.sources] != self.graph_of[self.targets]).any():
                raise ValueError("an edge must join nodes of one graph")

    @classmethod
    def side_by_side(cls, each: Sequence["Graphs"]) -> "Graphs":
        """Put several into one, their nodes and graphs in order."""
        first_nodes = np.cumsum([0, *(one.num_nodes for one in each)])
        first_graphs = np.cumsum([0, *(one.num_graphs for one in each)])
        return cls(
            np.concatenate([one.sources + first_nodes[k] for k, one in enumerate(each)]),
            np.concatenate([one.targets + first_nodes[k] for k, one in enumerate(each)]),
            int(first_nodes[-1]),
            np.concatenate([one.graph_of_nodes + first_graphs[k] for k, one in enumerate(each)]),
        )

    @property
    def num_graphs(self) -> int:
        """How many graphs there are, B."""
        return 1 if self.graph_of is None else int(self.graph_of.max()) + 1

    @property
    def graph_of_nodes(self) -> Ids:
        """The graph of each node, (N,)."""
        return np.zeros(self.num_nodes, np.int64) if self.graph_of is None else self.graph_of

    @cached_property
    def incoming(self) -> GroupSums:
        """For each node, the sum of rows over the sources of its incoming edges; ``sizes`` are in-degrees."""
        return GroupSums(self.targets, self.sources, self.num_nodes)

    @cached_property
    def outgoing(self) -> GroupSums:
        """For each node, the sum of rows over the targets of its outgoing edges."""
        return GroupSums(self.sources, self.targets, self.num_nodes)

    @cached_property
    def members(self) -> GroupSums:
        """For each graph, the sum over its nodes; ``sizes`` are their numbers."""
        return GroupSums(self.graph_of_nodes, np.arange(self.num_nodes), self.num_graphs)


class GatedGraphLayer:
    """Rounds of messages along edges, each followed by a GRU in every node (Li et al. 2016; Gilmer et al. 2017).

    The sum runs over the edges that end in v, from u; with the aggregation "mean" it is divided by their number. A
    node in which no edge ends gets the message zero. The rows of U and W' are those of r, z, n, as in PyTorch's
    ``GRUCell``, and all rounds have the same weights::

        m_v = Σ_{u→v} (W h_u + b)                                                          the message
        r, z = σ(U m_v + b_i + W' h_v + b_h)     n = tanh(U m_v + b_i + r ⊙ (W' h_v + b_h))
        h_v ← (1 - z) ⊙ n + z ⊙ h_v                                                        the update

    Neighbours are added up before the product with W, which is linear. States are rows here, not columns as in a
    `RecurrentLayer`: to look up the state of a neighbour is then to copy one piece of memory.

    Parameters
    ----------
    hidden_size
        Features of a node's state, H.
    rounds
        How often messages go out, T: the edges that lie between a node and the farthest that it hears of.
    start
        How the weights start. The biases are zero at first: a node of which nothing is known, and whose state is
        therefore zero, stays so until a message says more.
    dtype
        Precision of everything in the layer.
    aggregation
        "sum", or "mean", which is as large in a node of many edges as in one of few.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names, of a ``Linear`` called message and a ``GRUCell`` called update:
        ``message.weight`` is W (H, H) and ``message.bias`` b; ``update.weight_ih`` is U (3·H, H),
        ``update.weight_hh`` W' (3·H, H), ``update.bias_ih`` b_i and ``update.bias_hh`` b_h.
    """

    def __init__(
        self,
        hidden_size: int,
        rounds: int,
        start: Initialization,
        dtype: np.dtype[np.floating],
        *,
        aggregation: str = "sum",
    ) -> None:
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"aggregation must be one of {', '.join(AGGREGATIONS)}, not {aggregation}")
        H = hidden_size
        self.hidden_size, self.rounds, self.dtype, self.aggregation = H, rounds, dtype, aggregation
        parameters = {
            "message.weight": start.matrix(H, H),
            "message.bias": np.zeros(H),
            "update.weight_ih": start.input_gates(3, H, H),
            "update.weight_hh": start.recurrent_gates(3, H),
            "update.bias_ih": np.zeros(3 * H),
            "update.bias_hh": np.zeros(3 * H),
        }
        self.parameters: dict[str, Floats] = {name: value.astype(dtype) for name, value in parameters.items()}
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._workspace = Workspace(dtype)

    def forward(self, h: Floats, graphs: Graphs) -> Floats:
        """Return the states (N, H) after all rounds, of nodes that begin with `h` (N, H).

        The result lies in memory that the next call overwrites.
        """
        T, (N, H) = self.rounds, h.shape
        self._graphs = graphs
        edges = graphs.incoming.sizes[:, None].astype(self.dtype)
        # By what the sum over neighbours is multiplied, and how often the bias is in it.
        self._shares = 1 / np.maximum(edges, 1) if self.aggregation == "mean" else np.ones_like(edges)
        self._biases = edges * self._shares
        self._states = self._workspace.array("states", T + 1, N, H)
        self._sums = self._workspace.array("sums", T, N, H)
        self._messages = self._workspace.array("messages", T, N, H)
        self._gates = self._workspace.array("gates", T, N, 3 * H)
        self._q_n = self._workspace.array("q_n", T, N, H)
        self._states[0] = h
        for t in range(T):
            self._send(t)
            self._update(t)
        last: Floats = self._states[T]
        return last

    def backward(self, dh: Floats) -> Floats:
        """Back-propagate through all rounds, and set the gradients.

        Parameters
        ----------
        dh : (N, H)
            Derivative of the loss with respect to the states that `forward` returned.

        Returns
        -------
        (N, H)
            That with respect to the states with which the nodes began, in memory that the next call overwrites.
        """
        T, (N, H) = self.rounds, dh.shape
        U, W = self.parameters["update.weight_ih"], self.parameters["update.weight_hh"]
        delta, recurrent = (self._workspace.array(name, T, N, 3 * H) for name in ("delta", "recurrent"))
        dm = self._workspace.array("dm", T, N, H)
        dstate, dsum, to_add = (self._workspace.array(name, N, H) for name in ("dstate", "dsum", "to_add"))
        dstate[...] = dh
        for t in reversed(range(T)):
            dstate *= self._update_back(t, dstate, delta[t], recurrent[t])
            np.matmul(delta[t], U, out=dm[t])
            np.matmul(dm[t], self.parameters["message.weight"], out=dsum)
            dsum *= self._shares
            dstate += self._graphs.outgoing(dsum, to_add, self._workspace)
            dstate += np.matmul(recurrent[t], W, out=to_add)
        self._set_gradients(dm, delta, recurrent)
        return dstate

    def _send(self, t: int) -> None:
        """Compute the messages of round t."""
        total, message = self._sums[t], self._messages[t]
        self._graphs.incoming(self._states[t], total, self._workspace)
        total *= self._shares
        np.matmul(total, self.parameters["message.weight"].T, out=message)
        message += self._biases * self.parameters["message.bias"]

    def _update(self, t: int) -> None:
        """Compute the states after round t."""
        H, h, h_next, a, q_n = self.hidden_size, self._states[t], self._states[t + 1], self._gates[t], self._q_n[t]
        np.matmul(self._messages[t], self.parameters["update.weight_ih"].T, out=a)
        a += self.parameters["update.bias_ih"]
        q = np.matmul(h, self.parameters["update.weight_hh"].T, out=self._workspace.array("q", *a.shape))
        q += self.parameters["update.bias_hh"]
        a[:, : 2 * H] += q[:, : 2 * H]
        sigmoid_in_place(a[:, : 2 * H])
        r, z, n = self._split(a)
        q_n[...] = q[:, 2 * H :]
        n += r * q_n
        np.tanh(n, out=n)
        # (1 - z) n + z h = n + z (h - n)
        np.subtract(h, n, out=h_next)
        h_next *= z
        h_next += n

    def _update_back(self, t: int, dh: Floats, delta: Floats, recurrent: Floats) -> Floats:
        """Send the error of the states after round t back to ``U m + b_i`` (`delta`) and ``W' h + b_h``.

        Returns z, the share of the error that goes straight to the states before.
        """
        r, z, n = self._split(self._gates[t])
        dr, dz, dn = self._split(delta)
        np.multiply(dh * (1 - z), 1 - n**2, out=dn)
        np.multiply(dh * (self._states[t] - n), z * (1 - z), out=dz)
        np.multiply(dn * self._q_n[t], r * (1 - r), out=dr)
        recurrent[...] = delta
        self._split(recurrent)[2][...] *= r
        return z

    def _split(self, array: Floats) -> list[Floats]:
        """Return views (N, H) of the parts r, z, n of an array (N, 3·H)."""
        H = self.hidden_size
        return [array[:, k * H : (k + 1) * H] for k in range(3)]

    def _set_gradients(self, dm: Floats, delta: Floats, recurrent: Floats) -> None:
        """Sum what the weights have done over nodes and rounds."""
        for name, error, x in (
            ("message.weight", dm, self._sums),
            ("update.weight_ih", delta, self._messages),
            ("update.weight_hh", recurrent, self._states[: self.rounds]),
        ):
            np.matmul(error.reshape(-1, error.shape[2]).T, x.reshape(-1, x.shape[2]), out=self.gradients[name])
        self.gradients["message.bias"][...] = (dm * self._biases).sum(axis=(0, 1))
        self.gradients["update.bias_ih"][...] = delta.sum(axis=(0, 1))
        self.gradients["update.bias_hh"][...] = recurrent.sum(axis=(0, 1))
