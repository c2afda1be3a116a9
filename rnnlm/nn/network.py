"""The language model network: embedding or one-hot input, recurrent layers, softmax output."""

from typing import Literal

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.embedding import Embedding
from rnnlm.nn.gru import GRULayer
from rnnlm.nn.initializers import uniform
from rnnlm.nn.lstm import LSTMLayer
from rnnlm.nn.output import SoftmaxOutput
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.vanilla import Nonlinearity, VanillaLayer

Cell = Literal["rnn", "gru", "lstm"]

CELLS: dict[str, type[RecurrentLayer]] = {"rnn": VanillaLayer, "gru": GRULayer, "lstm": LSTMLayer}
"""The recurrent layers by the names of their cells in a configuration."""


class Network:
    """A stack of recurrent layers that predicts the next token.

    With the defaults it is the published tutorial's network: ``s_t = tanh(U x_t + W s_{t-1})``,
    ``ŷ_t = softmax(V s_t)``, x_t one-hot. Arrays over a window are (T, B): T time steps of B sequences.

    Parameters
    ----------
    vocabulary_size
        Number of tokens, C.
    embedding_size
        Features of the trained vector that stands for a token; None for one-hot input.
    hidden_size
        Units of each recurrent layer, H.
    num_layers
        Recurrent layers in the stack.
    cell
        "rnn", the vanilla cell, "gru" or "lstm".
    nonlinearity
        "tanh" or "relu", of the vanilla cell.
    bias
        Whether recurrent and output layers have biases.
    dropout
        Probability with which a feature is dropped between layers, after the embedding and before the output
        (Zaremba et al. 2014); only while training.
    tie_weights
        Use the embedding as the output weights too (Press and Wolf 2017); needs ``embedding_size ==
        hidden_size``.
    seed
        Seed of the initial weights.
    dtype
        Precision: float32, or float64 for a gradient check.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names and in PyTorch's shapes; `gradients` is set by `backpropagate`.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        cell: Cell = "rnn",
        embedding_size: int | None = None,
        hidden_size: int = 100,
        num_layers: int = 1,
        nonlinearity: Nonlinearity = "tanh",
        bias: bool = False,
        dropout: float = 0.0,
        tie_weights: bool = False,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        if tie_weights and embedding_size != hidden_size:
            raise ValueError("tied weights need embedding_size equal to hidden_size")
        self.vocabulary_size = vocabulary_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dtype = np.dtype(dtype)
        rng = np.random.default_rng(seed)
        C, H, E = vocabulary_size, hidden_size, embedding_size

        layer_class = CELLS[cell]
        layer_options = {"nonlinearity": nonlinearity} if layer_class is VanillaLayer else {}

        # One-hot input: the table holds U of the first layer, transposed, so that a look-up reads a row.
        rows, fan_in = (layer_class.num_gates * H, C) if E is None else (E, E)
        table = uniform(rng, (C, rows), fan_in).astype(self.dtype)
        table_gradient = np.zeros_like(table)
        self.embedding = Embedding(table, table_gradient, shared=tie_weights)
        self.layers = [
            layer_class(E if k == 0 else H, H, bias, rng, self.dtype, **layer_options) for k in range(num_layers)
        ]
        weight, weight_gradient = table, table_gradient
        if not tie_weights:
            weight = uniform(rng, (C, H), H).astype(self.dtype)
            weight_gradient = np.zeros_like(weight)
        output_bias = np.zeros(C, self.dtype) if bias else None
        bias_gradient = np.zeros(C, self.dtype) if bias else None
        self.output = SoftmaxOutput(weight, weight_gradient, output_bias, bias_gradient)
        # The input of each layer and of the output, a one-hot input (which is never dropped) apart.
        self._dropouts = [
            Dropout(0.0 if E is None and k == 0 else dropout, self.dtype) for k in range(num_layers + 1)
        ]

        self.parameters: dict[str, Floats] = {}
        self.gradients: dict[str, Floats] = {}
        if E is None:
            self._register("rnn.weight_ih_l0", table.T, table_gradient.T)
        else:
            self._register("embedding.weight", table, table_gradient)
        for k, layer in enumerate(self.layers):
            for name, value in layer.parameters.items():
                self._register(f"rnn.{name}_l{k}", value, layer.gradients[name])
        if not tie_weights:
            self._register("output.weight", weight, weight_gradient)
        if output_bias is not None and bias_gradient is not None:
            self._register("output.bias", output_bias, bias_gradient)

    def _register(self, name: str, value: Floats, gradient: Floats) -> None:
        self.parameters[name] = value
        self.gradients[name] = gradient

    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state of every layer, (L, S, B, H): h, and for an LSTM c after it."""
        return np.zeros((self.num_layers, self.layers[0].num_states, batch_size, self.hidden_size), self.dtype)

    def forward(self, inputs: Ids, state: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Floats]:
        """Run the recurrent layers over a window.

        Parameters
        ----------
        inputs : (T, B)
            Token ids.
        state : (L, S, B, H)
            State of each layer before the window.
        rng
            Source of the dropout masks; None, as in evaluation, drops nothing.

        Returns
        -------
        hidden : (T, B, H)
            What the output layer reads, in memory that the next call overwrites.
        state : (L, S, B, H)
            State after the window.
        """
        final_state = np.empty_like(state)
        x = self.embedding.forward(inputs)
        for k, layer in enumerate(self.layers):
            x, final_state[k] = layer.forward(self._dropouts[k].forward(x, rng), state[k])
        return self._dropouts[-1].forward(x, rng), final_state

    def backpropagate(
        self,
        inputs: Ids,
        targets: Ids,
        mask: Mask,
        state: Floats,
        *,
        bptt_truncate: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Floats]:
        """Forward pass, loss and back-propagation through time over a window.

        What is differentiated is the cross-entropy summed over the time steps and averaged over the B
        sequences: for one sentence the tutorial's objective, for a window of a stream Zaremba's. The loss
        reported is the plain sum.

        Parameters
        ----------
        inputs, targets : (T, B)
            Token ids, and the ids that follow them.
        mask : (T, B)
            False where a position is padding: it adds nothing to the loss or to any gradient.
        state : (L, S, B, H)
            State before the window; no error goes back into it.
        bptt_truncate
            The most time steps that an output's error goes back; None for the whole window.
        rng
            Source of the dropout masks.

        Returns
        -------
        loss
            Cross-entropy in nats, summed over the positions that count.
        state : (L, S, B, H)
            State after the window.
        """
        hidden, final_state = self.forward(inputs, state, rng)
        s, ds = hidden[mask], np.zeros_like(hidden)
        loss, ds[mask] = self.output.loss_and_gradient(s, targets[mask], scale=1 / inputs.shape[1])
        if bptt_truncate is None or bptt_truncate >= len(inputs) - 1:
            error = self._dropouts[-1].backward(ds)
            for k in reversed(range(self.num_layers)):
                error = self._dropouts[k].backward(self.layers[k].backward(error))
        else:
            errors = [self._dropouts[-1].backward(ds)]
            for k in reversed(range(self.num_layers)):
                by_lag = self.layers[k].backward_truncated(errors, bptt_truncate)
                errors = [self._dropouts[k].backward(error) for error in by_lag]
            error = np.sum(errors, axis=0)
        self.embedding.backward(error)
        return loss, final_state

    def losses(self, inputs: Ids, targets: Ids, mask: Mask, state: Floats) -> tuple[Floats, Floats]:
        """Evaluate a window without training.

        Returns
        -------
        losses : (N,)
            Cross-entropy in nats at each position where `mask` is true, in row order.
        state : (L, S, B, H)
            State after the window.
        """
        hidden, final_state = self.forward(inputs, state)
        return self.output.losses(hidden[mask], targets[mask]), final_state

    def log_probs(self, inputs: Ids, state: Floats) -> tuple[Floats, Floats]:
        """Return log-probabilities of the next token after each input, (T, B, C), and the state after."""
        hidden, final_state = self.forward(inputs, state)
        T, B, H = hidden.shape
        return self.output.log_probs(hidden.reshape(-1, H)).reshape(T, B, -1), final_state
