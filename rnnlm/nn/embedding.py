"""Token ids to vectors: a look-up in place of a product with a one-hot vector."""

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.layer import Rows, Vectors
from rnnlm.nn.source import Source
from rnnlm.nn.table import Table

FEW_TOKENS = 200
"""Size up to which a vocabulary, as of characters, may be given as `Rows`."""

REPETITIONS = 4
"""Places in a window, for each token of the vocabulary, from which `Rows` pay."""


class Embedding(Source[Ids]):
    """A table with one row a token: ``x_t = table[id_t]``.

    Parameters
    ----------
    table : (V, E)
        The vectors.
    word_dropout
        Probability with which a word is dropped wherever it stands in a window (Gal and Ghahramani 2016, Merity
        et al. 2017); only while training.
    is_trained
        Whether the vectors are trained, or stay as they begin.
    """

    tensor = "embedding.weight"
    token_axis = 0

    def __init__(self, table: Table, word_dropout: float = 0.0, is_trained: bool = True) -> None:
        self.table = table
        self.is_trained = is_trained
        self.parameters, self.gradients = {self.tensor: table.value}, {self.tensor: table.gradient}
        self.tables = {self.tensor: (table, self.token_axis)}
        self._word_dropout = Dropout(word_dropout, table.value.dtype, of_weights=True)
        self._workspace = Workspace(table.value.dtype)
        self._kept: Floats | None = None
        self._read: Ids | None = None

    def gives_rows(self, ids: Ids, rng: Generator | None) -> bool:
        """Whether `forward` gives `Rows`: tokens are few, repeat, and read alike."""
        tokens = len(self.table.value)
        drops = rng is not None and self._word_dropout.probability > 0
        return tokens <= FEW_TOKENS and ids.size >= REPETITIONS * tokens and not drops

    def forward(self, ids: Ids, rng: Generator | None = None) -> Vectors:
        """Look up `ids` (T, B); see `Source.forward`."""
        self._read, self._kept = ids, None
        rows = Rows(self.table.value, ids)
        if self.gives_rows(ids, rng):
            return rows
        y = rows.vectors(self._workspace)
        if rng is not None and self._word_dropout.probability > 0:
            words = np.ones((len(self.table.value), 1), y.dtype)
            self._kept = self._word_dropout.forward(words, rng)[ids]
            y *= self._kept
        return y

    def backward(self, dx: Floats) -> None:
        """Add the error of what the last `forward` gave to the table's gradient; see `Source.backward`."""
        if self._read is None:
            raise RuntimeError("backward needs a forward before it: an embedding serves once in a pass")
        ids, self._read = self._read, None
        if dx.ndim == 2:
            self.table.add(dx)
            return
        if self._kept is not None:
            dx = dx * self._kept
        self.table.add_rows(ids.ravel(), dx.reshape(-1, dx.shape[2]))


class OneHot(Embedding):
    """One-hot vectors, already multiplied with the first layer's U: the rows of the table are U's columns."""

    tensor = "rnn.weight_ih_l0"
    token_axis = 1

    def __init__(self, table: Table, word_dropout: float = 0.0) -> None:
        super().__init__(table, word_dropout)
        self.parameters, self.gradients = {self.tensor: table.value.T}, {self.tensor: table.gradient.T}


class DelayedOneHot(Embedding):
    """One-hot vectors, already multiplied with all W_k of a `TimeDelayLayer`.

    The row of a token has the products side by side, (C, width · H), in the order of the layer. The parameter has
    the shape of PyTorch's Conv1d, (H, C, width).
    """

    tensor = "rnn.weight_l0"
    token_axis = 1

    def __init__(self, table: Table, width: int, word_dropout: float = 0.0) -> None:
        super().__init__(table, word_dropout)
        self.parameters, self.gradients = (
            {self.tensor: array.reshape(len(array), width, -1).transpose(2, 0, 1)}
            for array in (table.value, table.gradient)
        )
