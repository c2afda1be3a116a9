"""An encoder and a decoder: a sequence read to its end, and another one written from it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.attention import AdditiveAttention
from rnnlm.nn.batch import Batch, Inputs, Pairs
from rnnlm.nn.bidirectional import turned_places
from rnnlm.nn.heads.head import Head
from rnnlm.nn.network import Network
from rnnlm.nn.source import Source
from rnnlm.nn.stack import Stack


class Encoder:
    """Reads a source to its end.

    Parameters
    ----------
    source
        Token ids to vectors.
    stack
        Layers, one way or both.
    reverse
        Whether every sequence is read from its end, so that what comes first is read last, next to where the
        decoder begins (Sutskever et al. 2014).
    """

    def __init__(self, source: Source[Any], stack: Stack, reverse: bool = False) -> None:
        self.source, self.stack, self.reverse = source, stack, reverse

    def forward(self, ids: Ids, lengths: Ids, rng: Generator | None = None) -> tuple[Floats, Floats]:
        """Return the annotations (S, B, E) of some ids (S, B), in the order of reading, and the last state.

        The state is that of one direction, (L, S, B, H): of layers that read both ways, the mean of the two.
        """
        if self.reverse:
            ids = ids.take(turned_places(len(ids), len(lengths), lengths))
        before = self.stack.initial_state(ids.shape[1])
        annotations, state = self.stack.forward(self.source.forward(ids, rng), before, rng, lengths=lengths)
        self._is_both_ways = not self.stack.is_one_way
        if self._is_both_ways:
            ahead, reverse = np.split(state, 2, axis=1)
            state = (ahead + reverse) / 2
        return annotations, state

    def backward(self, error: Floats, dstate: Floats) -> None:
        """Send back the error of the annotations, which is overwritten, and that of the last state."""
        if self._is_both_ways:
            dstate = np.concatenate([dstate, dstate], axis=1) / 2
        self.source.backward(self.stack.backward(error, dstate))


class EncoderDecoder(Network):
    """Predicts every token of a target from those before it and from a source (Sutskever et al. 2014, Cho et al.).

    An encoder reads the source; its last state is the first of the decoder, which is a network like a language
    model's. With attention the head reads, at every step, also what the decoder looks at in the source.

    Parameters
    ----------
    encoder
        Reads the source.
    source, stack, head
        The decoder, as for `Network`; its layers have the sizes of the encoder's.
    attention
        What the decoder looks at; None lets it know the source by its first state only.
    """

    prefix = "decoder."

    def __init__(
        self,
        encoder: Encoder,
        source: Source[Any],
        stack: Stack,
        head: Head,
        attention: AdditiveAttention | None = None,
    ) -> None:
        self.encoder, self.attention = encoder, attention
        super().__init__(source, stack, head)
        self._reads_hidden = attention is None
        of_decoder = set(self.parameters)
        for part, of in (("", encoder.source), ("rnn.", encoder.stack)):
            self._register(f"encoder.{part}", of.parameters, of.gradients)
        if attention is not None:
            self._register("decoder.attention.", attention.parameters, attention.gradients)
        self.trained += [name for name in self.parameters if name not in of_decoder]
        self._tables |= {f"encoder.{name}": table for name, table in encoder.source.tables.items()}

    def products(self, inputs: Inputs, rng: Generator | None) -> int:
        """Count the weights that are multiplied for every token of a target, with its share of the source's."""
        pairs = _pairs(inputs)
        encoded = sum(layer.products(of_rows=False) for layer in self.encoder.stack.layers)
        attention = self.attention
        if attention is not None:
            encoded += attention.parameters["key.weight"].size
        looked = 0 if attention is None else attention.products
        return super().products(pairs.ids, rng) + looked + encoded * pairs.source.size // pairs.ids.size

    def begin(self, source: Ids, lengths: Ids, rng: Generator | None = None) -> Floats:
        """Read sources (S, B) of some lengths (B,), and return the state with which the decoder begins."""
        annotations, state = self.encoder.forward(source, lengths, rng)
        if self.attention is not None:
            self.attention.read(annotations, lengths)
        self._annotations_shape = annotations.shape
        return state

    def forward(
        self, inputs: Inputs, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Read the sources of some `Pairs` and then their targets; see `Network.forward`.

        The `state` is not read: the decoder begins with what the encoder has come to.
        """
        pairs = _pairs(inputs)
        begin = self.begin(pairs.source, pairs.source_lengths, rng)
        hidden, after = super().forward(pairs.ids, begin, rng, lengths=lengths)
        return hidden if self.attention is None else self.attention.forward(hidden, rng), after

    def backpropagate(
        self,
        batch: Batch,
        state: Floats,
        *,
        bptt_truncate: int | None = None,
        rng: Generator | None = None,
        on_output: Callable[[], None] = lambda: None,
    ) -> tuple[float, Floats]:
        """Do as `Network.backpropagate` does, through decoder and encoder; nothing is truncated."""
        self.encoder.source.begin()
        return super().backpropagate(batch, state, rng=rng, on_output=on_output)

    def _send_back(self, error: Floats, bptt_truncate: int | None, penalized: Floats | None) -> None:
        if self.attention is None:
            d_annotations = np.zeros(self._annotations_shape, self.dtype)
        else:
            error, d_annotations = self.attention.backward(error)
        super()._send_back(error, bptt_truncate, penalized)
        self.encoder.backward(d_annotations, self.stack.state_error())


def _pairs(inputs: Inputs) -> Pairs:
    if not isinstance(inputs, Pairs):
        raise TypeError("an encoder and a decoder read pairs")
    return inputs
