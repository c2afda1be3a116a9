"""A network that reads tokens: source, stack of layers, pooling, head."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.batch import Batch, Inputs
from rnnlm.nn.heads.head import Head
from rnnlm.nn.pooling import Pooling
from rnnlm.nn.source import Source
from rnnlm.nn.stack import Stack


class Network:
    """Reads tokens and predicts: a source of vectors, a stack of layers, and a head.

    It predicts at every step, the next token or a tag, or with a pooling once for each sequence. Arrays over a
    window are (T, B): T time steps of B sequences.

    Parameters
    ----------
    source
        Token ids, or words with their spellings, to vectors.
    stack
        Recurrent layers.
    head
        Hidden states and targets to losses. It may share its table with the source: these are tied weights (Press
        and Wolf 2017).
    pooling
        The steps of a sequence to the one vector that the head reads; None lets it read every step.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names and in PyTorch's shapes; `gradients` is set by `backpropagate`.
    trained
        The names of the parameters that are trained.
    output_parameters
        The names of those of the head alone, whose gradients are whole before the others are begun.
    input_tensor
        The name of the parameter with an entry for each token that is read.
    tracks_rows
        Whether `gradient_rows` are known.
    prefix
        What the names of the parameters of source, layers and head begin with.
    """

    prefix: ClassVar[str] = ""

    def __init__(self, source: Source[Any], stack: Stack, head: Head, pooling: Pooling | None = None) -> None:
        self.source, self.stack, self.head, self.pooling = source, stack, head, pooling
        self.tracks_rows = False
        self._reads_hidden = pooling is None  # whether the head reads what the stack gives, as it is
        self.dtype = stack.dtype
        self.vocabulary_size = len(source.table.value)
        self.parameters: dict[str, Floats] = {}
        self.gradients: dict[str, Floats] = {}
        self.input_tensor = f"{self.prefix}{source.tensor}"
        self._register(self.prefix, source.parameters, source.gradients)
        self._register(f"{self.prefix}rnn.", stack.parameters, stack.gradients)
        self._register(f"{self.prefix}output.", head.parameters, head.gradients)
        tables = {f"{self.prefix}output.{name}": table for name, table in head.tables.items()}
        self._tied = [name for name, table in tables.items() if table is source.table]
        self.output_parameters = [
            name for part in head.parameters if (name := f"{self.prefix}output.{part}") not in self._tied
        ]
        for name in self._tied:
            del self.parameters[name], self.gradients[name], tables[name]
        self._tables = {f"{self.prefix}{name}": table for name, table in source.tables.items()}
        self._tables |= {name: (table, 0) for name, table in tables.items()}
        self.trained = [name for name in self.parameters if source.is_trained or name != self.input_tensor]

    def _register(self, prefix: str, parameters: Mapping[str, Floats], gradients: Mapping[str, Floats]) -> None:
        for name, value in parameters.items():
            self.parameters[f"{prefix}{name}"] = value
            self.gradients[f"{prefix}{name}"] = gradients[name]

    def tensors(self, values: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Return the parameters as they are saved: tied weights under both names, as PyTorch expects them.

        Parameters
        ----------
        values
            By name, what is saved in place of some parameters, such as their averages.
        """
        tensors = {**self.parameters, **(values or {})}
        for name in self._tied:
            tensors[name] = tensors[self.input_tensor]
        return tensors

    def products(self, inputs: Inputs, rng: Generator | None) -> int:
        """Count the weights that are multiplied for every token of a window (T, B) in training.

        Look-ups need no product; neither does a first layer's input where products are taken once a token. What is
        done once a sequence is not counted.
        """
        by_token = self.reads_by_token(inputs, rng)
        layers = enumerate(self.stack.layers)
        counted = sum(layer.products(of_rows=by_token and k == 0) for k, layer in layers)
        return self.source.products(inputs) + counted + (self.head.products if self.pooling is None else 0)

    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state of every layer, (L, S, B, H): h, for an LSTM c too, or the last inputs."""
        return self.stack.initial_state(batch_size)

    def reads_by_token(self, inputs: Inputs, rng: Generator | None) -> bool:
        """Whether the first layer's products over `inputs` (T, B) are taken once a token, not once a place.

        They are where tokens are few and repeat, and the same vector is read wherever a token stands; not past a
        residual connection, which needs the vectors at their places.
        """
        return self.source.gives_rows(inputs, rng) and self.stack.takes_rows(rng)

    def forward(
        self, inputs: Inputs, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run source and layers over a window of inputs (T, B), as `Layer.forward` does a layer.

        The states are those of all layers, (L, S, B, H). The output is what the head reads, (T, B, F) or, with a
        pooling, (1, B, F).
        """
        hidden, state = self.stack.forward(self.source.forward(inputs, rng), state, rng, lengths=lengths)
        return hidden if self.pooling is None else self.pooling.forward(hidden, lengths), state

    def objective(self, batch: Batch, state: Floats, rng: Generator | None = None) -> float:
        """Compute what `backpropagate` differentiates: the cross-entropy and the penalties of a window.

        The cross-entropy is summed over the time steps and averaged over the B sequences; parameters as for
        `backpropagate`.
        """
        hidden, _ = self.forward(batch.inputs, state, rng, lengths=batch.lengths)
        return self.objective_of(hidden, self.stack.top, batch, rng)

    def objective_of(self, hidden: Floats, top: Floats, batch: Batch, rng: Generator | None = None) -> float:
        """Compute the `objective` of what `forward` returned as `hidden` and left in the stack's `top`."""
        losses = self.head.losses(hidden[batch.mask], batch.targets[batch.mask], rng)
        objective = float(losses.sum()) / len(batch.targets[0])
        if rng is None:
            return objective
        activations = hidden if self._reads_hidden else self.stack.hidden
        return objective + self.stack.penalties.value(activations, top, self._penalized(batch))

    def _penalized(self, batch: Batch) -> Mask:
        """Return where activations are penalized, (T, B): at all steps of which something is predicted."""
        if self.pooling is None:
            return batch.mask
        steps = np.arange(len(self.stack.top))[:, None]
        return batch.mask & (steps < (len(steps) if batch.lengths is None else batch.lengths))

    def backpropagate(
        self,
        batch: Batch,
        state: Floats,
        *,
        bptt_truncate: int | None = None,
        rng: Generator | None = None,
        on_output: Callable[[], None] = lambda: None,
    ) -> tuple[float, Floats]:
        """Forward pass, loss and back-propagation through time over a window.

        What is differentiated is the cross-entropy summed over the time steps and averaged over the B
        sequences: for one sentence the tutorial's objective, for a window of a stream Zaremba's. The loss
        reported is the plain sum.

        Parameters
        ----------
        batch
            The window.
        state : (L, S, B, H)
            State before the window.
        bptt_truncate
            The most time steps that an output's error goes back; None for the whole window.
        rng
            Source of the dropout masks and of the softmax's samples; without it nothing is dropped, estimated or
            penalized.
        on_output
            Called when the gradients of the `output_parameters` are whole, before the error goes further back.

        Returns
        -------
        loss
            Cross-entropy in nats, summed over the positions that count, or the samples' estimate of it.
        state : (L, S, B, H)
            State after the window.
        """
        self.source.begin()
        self.head.begin()
        hidden, final_state = self.forward(batch.inputs, state, rng, lengths=batch.lengths)
        # Where all places count, a slice takes them without a copy.
        places = slice(None) if batch.mask.all() else np.flatnonzero(batch.mask)
        rows, error = hidden.reshape(batch.mask.size, -1), np.zeros_like(hidden)
        loss, error_rows = self.head.loss_and_gradient(
            rows[places], batch.targets.ravel()[places], 1 / batch.averaged_over, rng
        )
        on_output()
        error.reshape(rows.shape)[places] = error_rows
        shares = None if rng is None else self._penalized(batch) / self.dtype.type(batch.averaged_over)
        self._send_back(error, bptt_truncate, shares)
        return loss, final_state

    def _send_back(self, error: Floats, bptt_truncate: int | None, penalized: Floats | None) -> None:
        """Send the error of what the head read back through everything below it."""
        if self.pooling is not None:
            error = self.pooling.backward(error)
        self.source.backward(self.stack.backward(error, bptt_truncate=bptt_truncate, penalized=penalized))

    def track_gradient_rows(self) -> None:
        """Let `gradient_rows` know them from now on; in return, `gradients` may be changed in these rows only."""
        self.tracks_rows = True
        for table, _ in self._tables.values():
            table.tracks_rows = True

    def gradient_rows(self) -> dict[str, tuple[Ids, int]]:
        """Return which rows the last `backpropagate` used of each table, where these are known to be few.

        Elsewhere the gradient is zero. With the rows comes the axis of the tensor that counts them.
        """
        return {name: (table.rows, axis) for name, (table, axis) in self._tables.items() if table.rows is not None}

    def losses(self, batch: Batch, state: Floats) -> tuple[Floats, Floats]:
        """Evaluate a window without training.

        Returns
        -------
        losses : (N,)
            Cross-entropy in nats at each position where the batch's mask is true, in row order.
        state : (L, S, B, H)
            State after the window.
        """
        hidden, final_state = self.forward(batch.inputs, state, lengths=batch.lengths)
        return self.head.losses(hidden[batch.mask], batch.targets[batch.mask]), final_state

    def log_probs(self, inputs: Inputs, state: Floats, *, lengths: Ids | None = None) -> tuple[Floats, Floats]:
        """Return the log-probabilities of all that may be predicted, and the state after.

        They are (T, B, C), such as those of the next token after each input, or with a pooling (1, B, C).
        """
        hidden, final_state = self.forward(inputs, state, lengths=lengths)
        T, B, H = hidden.shape
        return self.head.log_probs(hidden.reshape(-1, H)).reshape(T, B, -1), final_state
