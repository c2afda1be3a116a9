"""Words and the characters that they are written with."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.embedding import Embedding
from rnnlm.nn.layer import Rows, tensor_name
from rnnlm.nn.pooling import LastPooling
from rnnlm.nn.source import Source
from rnnlm.nn.table import sums_by_id


class SpelledWords(NamedTuple):
    """The words of a window and how they are written.

    Attributes
    ----------
    ids : (T, B)
        The words.
    places : (T, B)
        Which of the N different spellings stands where.
    characters : (L, N)
        The characters of each spelling, padded with 0.
    lengths : (N,)
        How many characters each spelling has.
    """

    ids: Ids
    places: Ids
    characters: Ids
    lengths: Ids


class SpelledEmbedding(Source[SpelledWords]):
    """The vector of a word and, beside it, what a bidirectional layer has read in its characters.

    ::

        x_t = [table[id_t] ; h_n ; g_1],    h and g the outputs over the n characters of the word

    Each different spelling of a window is read once (Ling et al. 2015).

    Parameters
    ----------
    words, characters
        The vectors of the words, and of the characters.
    layer
        What reads the characters, A units in each direction.

    Attributes
    ----------
    characters, layer
        The parameters of these names.
    """

    def __init__(self, words: Embedding, characters: Embedding, layer: Bidirectional) -> None:
        self.table, self.tensor, self.token_axis = words.table, words.tensor, words.token_axis
        self.is_trained = words.is_trained
        self.parameters, self.gradients = dict(words.parameters), dict(words.gradients)
        for part, name_of in ((characters, str), (layer, lambda name: f"rnn.{tensor_name(name, 0)}")):
            for name, value in part.parameters.items():
                self.parameters[f"characters.{name_of(name)}"] = value
                self.gradients[f"characters.{name_of(name)}"] = part.gradients[name]
        self.tables = words.tables | {f"characters.{name}": table for name, table in characters.tables.items()}
        self._words, self.characters, self.layer = words, characters, layer
        self._pooling = LastPooling(layer.dtype, is_bidirectional=True)
        self._workspace = Workspace(layer.dtype)

    def products(self, inputs: SpelledWords) -> int:
        """Count the weights that are multiplied for each place, on an average; see `Source.products`."""
        of_rows = self.characters.gives_rows(inputs.characters, None)
        return self.layer.products(of_rows) * inputs.characters.size // inputs.ids.size

    def gives_rows(self, inputs: SpelledWords, rng: Generator | None) -> bool:
        """Return False: the same word may be written in several ways."""
        return False

    def forward(self, inputs: SpelledWords, rng: Generator | None = None) -> Floats:
        """Look the words up and read their characters; return (T, B, E + 2A). See `Source.forward`."""
        words = self._words.forward(inputs.ids, rng)
        if isinstance(words, Rows):
            words = words.vectors(self._workspace)
        state = self.layer.initial_state(len(inputs.lengths))
        characters = self.characters.forward(inputs.characters)
        y, _ = self.layer.forward(characters, state, rng, lengths=inputs.lengths)
        [spelled] = self._pooling.forward(y, inputs.lengths)
        self._read = inputs, spelled.shape
        E = words.shape[2]
        x = self._workspace.array("x", *inputs.ids.shape, E + spelled.shape[1])
        x[..., :E], x[..., E:] = words, spelled[inputs.places]
        return x

    def backward(self, dx: Floats) -> None:
        """Send the error of the vectors to the words and to the characters; see `Source.backward`."""
        E = self.table.value.shape[1]
        self._words.backward(dx[..., :E])
        inputs, shape = self._read
        error = dx[..., E:].reshape(inputs.places.size, -1)
        used, by_spelling = sums_by_id(inputs.places.ravel(), error, self._workspace)
        dspelled = np.zeros((1, *shape), dx.dtype)
        dspelled[0, used] = by_spelling
        self.characters.backward(self.layer.backward(self._pooling.backward(dspelled)))
