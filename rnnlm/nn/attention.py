"""Attention: which places of a source each step of a decoder looks at."""

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.products import matmul
from rnnlm.nn.threads import shared_out


class AdditiveAttention:
    """Adds to each state of a decoder what it looks at in the source.

    The score of a place is that of Bahdanau et al. (2015), a network with one hidden layer; as in Luong et al.
    (2015) it is taken from the decoder's last layer, so that no step waits for another and all are computed at
    once. With the states h_t of the decoder and the annotations e_s of the source's own places::

        α_ts = softmax_s(v · tanh(W h_t + U e_s))    c_t = Σ_s α_ts e_s    y_t = tanh(V [c_t ; h_t] + b)

    Features of y_t are dropped in training.

    Parameters
    ----------
    hidden_size
        Features of h_t and y_t, `H`; the scores have a hidden layer of as many.
    source_size
        Features of e_s, `E`.
    start
        How the weights start.
    dtype
        Precision.
    dropout
        What drops features of the output; None drops none.

    Attributes
    ----------
    parameters, gradients
        By the names of PyTorch's linear layers: ``query.weight`` is W (H, H), ``key.weight`` U (H, E),
        ``score.weight`` v (1, H), ``output.weight`` V (H, E + H) and ``output.bias`` b (H).
    weights : (B, T, S)
        The α_ts of the last `forward`, in memory that the next call overwrites.
    """

    weights: Floats

    def __init__(
        self,
        hidden_size: int,
        source_size: int,
        start: Initialization,
        dtype: np.dtype[np.floating],
        dropout: Dropout | None = None,
    ) -> None:
        H, E = hidden_size, source_size
        self._dropout = dropout or Dropout(0.0, dtype)
        self.source_size = E
        parameters = {
            "query.weight": start.matrix(H, H),
            "key.weight": start.matrix(H, E),
            "score.weight": start.matrix(1, H),
            "output.weight": start.matrix(H, E + H),
            "output.bias": np.zeros(H),
        }
        self.parameters = {name: value.astype(dtype) for name, value in parameters.items()}
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._workspace = Workspace(dtype)

    @property
    def products(self) -> int:
        """Weights that are multiplied for every step of the decoder."""
        return self.parameters["query.weight"].size + self.parameters["output.weight"].size

    def read(self, e: Floats, lengths: Ids | None = None) -> None:
        """Take a source to look at: annotations (S, B, E), and how many places of each are its own, (B,)."""
        self._e = e
        self._keys = self._product("keys", e, self.parameters["key.weight"])
        places = np.arange(len(e))[:, None]
        self._padding = None if lengths is None or lengths.min() == len(e) else places >= lengths

    def choose(self, columns: Ids) -> None:
        """Go on with some sequences of the source, each as often as `columns` (B',) names it."""
        self._e, self._keys = self._e[:, columns], self._keys[:, columns]
        self._padding = None if self._padding is None else self._padding[:, columns]

    def forward(self, h: Floats, rng: Generator | None = None) -> Floats:
        """Return the y (T, B, H) of some h (T, B, H), in memory that the next call overwrites."""
        array, (T, B, H), S = self._workspace.array, h.shape, len(self._e)
        self._queries = self._product("queries", h, self.parameters["query.weight"])
        scores = array("scores", T, S, B)
        self._set_scores(scores)
        if self._padding is not None:
            scores[:, self._padding] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        self.weights = array("weights", B, T, S)
        np.copyto(self.weights, scores.transpose(2, 0, 1))
        self._seen = array("seen", T, B, self.source_size + H)
        seen = array("context", B, T, self.source_size)
        np.matmul(self.weights, self._e.swapaxes(0, 1), out=seen)
        self._seen[..., : self.source_size], self._seen[..., self.source_size :] = seen.swapaxes(0, 1), h
        self._y = self._product("y", self._seen, self.parameters["output.weight"])
        self._y += self.parameters["output.bias"]
        np.tanh(self._y, out=self._y)
        return self._dropout.forward(self._y, rng)

    def backward(self, dy: Floats) -> tuple[Floats, Floats]:
        """Return the errors of h (T, B, H) and of the annotations (S, B, E), given that of y, overwritten."""
        dy = self._dropout.backward(dy)
        (T, B, H), E, y = dy.shape, self.source_size, self._y
        # With z = V [c ; h] + b:  dz = dy ⊙ (1 - y²)
        dz = np.multiply(y, y, out=self._workspace.array("dz", T, B, H))
        np.subtract(1, dz, out=dz)
        dz *= dy
        self._set("output.weight", dz, self._seen)
        dz.sum(axis=(0, 1), out=self.gradients["output.bias"])
        d_seen = self._error("d_seen", dz, "output.weight")
        dc, dh = np.ascontiguousarray(d_seen[..., :E].swapaxes(0, 1)), d_seen[..., E:]
        # dα_ts = dc_t · e_s    de_s = Σ_t α_ts dc_t    and past the softmax  dscore = α ⊙ (dα - Σ_s α_s dα_s)
        by_sequence = self._e.swapaxes(0, 1)
        dscores = dc @ by_sequence.swapaxes(1, 2)
        de = np.ascontiguousarray((self.weights.swapaxes(1, 2) @ dc).swapaxes(0, 1))
        dscores -= np.einsum("bts,bts->bt", dscores, self.weights)[..., None]
        dscores *= self.weights
        d_queries, d_keys = self._score_errors(np.ascontiguousarray(dscores.transpose(1, 2, 0)))
        self._set("query.weight", d_queries, self._seen[..., E:])
        self._set("key.weight", d_keys, self._e)
        de += self._error("de", d_keys, "key.weight")
        return dh + self._error("dh", d_queries, "query.weight"), de

    def _set_scores(self, scores: Floats) -> None:
        """Set the scores ``v · tanh(W h_t + U e_s)``, (T, S, B)."""
        v, buffer = self.parameters["score.weight"][0], self._workspace.array("sums", self._keys.size)

        def of_sequences(first: int, last: int) -> None:
            sums = self._part(buffer, first, last)
            for t in range(len(scores)):
                np.add(self._queries[t, first:last], self._keys[:, first:last], out=sums)
                np.matmul(np.tanh(sums, out=sums), v, out=scores[t, :, first:last])

        shared_out(of_sequences, scores.shape[2])

    def _part(self, buffer: Floats, first: int, last: int) -> Floats:
        """Return the part of a buffer, as large as the keys, that is for some sequences, (S, last - first, H)."""
        S, _, H = self._keys.shape
        return buffer[S * first * H : S * last * H].reshape(S, last - first, H)

    def _score_errors(self, dscores: Floats) -> tuple[Floats, Floats]:
        """Set ∂v, and return the errors of ``W h_t`` and ``U e_s``, given that of the scores (T, S, B)."""
        v, array = self.parameters["score.weight"][0], self._workspace.array
        d_queries, d_keys = array("d_queries", *self._queries.shape), array("d_keys", *self._keys.shape)
        sums_buffer, slope_buffer = array("sums", d_keys.size), array("slope", d_keys.size)
        d_keys[...] = 0
        dv: dict[int, Floats] = {}

        def of_sequences(first: int, last: int) -> None:
            sums, slope = (self._part(buffer, first, last) for buffer in (sums_buffer, slope_buffer))
            of_part, dv[first] = dscores[..., first:last], np.zeros_like(v)
            for t in range(len(dscores)):
                # The tanh is computed again: kept for all steps at once it would need T times the memory.
                np.add(self._queries[t, first:last], self._keys[:, first:last], out=sums)
                np.tanh(sums, out=sums)
                dv[first] += of_part[t].ravel() @ sums.reshape(-1, len(v))
                np.multiply(sums, sums, out=slope)
                np.subtract(1, slope, out=slope)
                slope *= of_part[t][..., None]
                np.sum(slope, axis=0, out=d_queries[t, first:last])
                d_keys[:, first:last] += slope

        shared_out(of_sequences, dscores.shape[2])
        self.gradients["score.weight"][...] = sum(dv[first] for first in sorted(dv))
        d_queries *= v
        d_keys *= v
        return d_queries, d_keys

    def _product(self, name: str, x: Floats, weight: Floats) -> Floats:
        """Return ``weight x`` for each x of (…, D), in the array of a name."""
        out = self._workspace.array(name, *x.shape[:-1], len(weight))
        matmul(x.reshape(-1, x.shape[-1]), weight.T, out.reshape(-1, len(weight)))
        return out

    def _set(self, name: str, error: Floats, x: Floats) -> None:
        """Set the gradient of a weight, given the error of its products with x."""
        matmul(error.reshape(-1, error.shape[-1]).T, x.reshape(-1, x.shape[-1]), self.gradients[name])

    def _error(self, name: str, error: Floats, weight: str) -> Floats:
        """Return the error of x, in the array of a name, given that of a weight's products with it."""
        W = self.parameters[weight]
        out = self._workspace.array(name, *error.shape[:-1], W.shape[1])
        matmul(error.reshape(-1, len(W)), W, out.reshape(-1, W.shape[1]))
        return out
