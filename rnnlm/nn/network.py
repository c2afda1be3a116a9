"""The language model network: embedding or one-hot input, recurrent layers, softmax output."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Mask, TableGradient, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.embedding import Embedding
from rnnlm.nn.gru import GRULayer
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from rnnlm.nn.heads.sampled import SampledSoftmax
from rnnlm.nn.heads.softmax import SoftmaxOutput
from rnnlm.nn.initializers import gate_matrices, matrix, uniform
from rnnlm.nn.lstm import CoupledLSTMLayer, LSTMLayer, NoForgetLSTMLayer, PeepholeLSTMLayer
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.vanilla import Nonlinearity, VanillaLayer

Cell = Literal["rnn", "gru", "lstm", "lstm_peephole", "lstm_coupled", "lstm_no_forget"]

CELLS: dict[str, type[RecurrentLayer]] = {
    "rnn": VanillaLayer,
    "gru": GRULayer,
    "lstm": LSTMLayer,
    "lstm_peephole": PeepholeLSTMLayer,
    "lstm_coupled": CoupledLSTMLayer,
    "lstm_no_forget": NoForgetLSTMLayer,
}
"""The recurrent layers by the names of their cells in a configuration."""


FEW_TOKENS = 200
"""Size up to which a vocabulary, as of characters, may be read by token (see `Network.reads_by_token`)."""

REPETITIONS = 4
"""Places in a window, for each token of the vocabulary, from which reading by token pays."""


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
        A name in `CELLS`: "rnn" is the vanilla cell.
    nonlinearity
        "tanh" or "relu", of the vanilla cell.
    bias
        Whether recurrent and output layers have biases.
    residual
        Whether the input of a layer is added to its output, where their sizes agree.
    dropout
        Probability with which a feature is dropped between layers, after the embedding and before the output
        (Zaremba et al. 2014); like all that follows, only while training.
    variational_dropout
        Whether that dropout keeps one mask for all time steps of a window (Gal and Ghahramani 2016).
    recurrent_dropout
        Probability with which an element of a recurrent weight matrix is dropped for a window (DropConnect).
    embedding_dropout
        Probability with which a word is dropped wherever it stands in a window.
    activation_regularization, temporal_activation_regularization
        Weights α and β of the penalties on large activations and on their changes (Merity et al. 2017): a token
        adds α times the mean square of the last layer's output after dropout, and β times the mean squared
        difference of the last layer's output from that of the step before.
    tie_weights
        Use the embedding as the output weights too (Press and Wolf 2017); needs ``embedding_size ==
        hidden_size``.
    softmax_samples
        Words of the vocabulary, beside the targets, that a training step's softmax is estimated from (see
        `SampledSoftmax`); None sums over all. Evaluation always does.
    softmax_cutoffs
        First ids of the clusters of an `AdaptiveSoftmax`; None for one softmax over all words.
    initializer, recurrent_initializer
        How input and output weights, and recurrent weights, start: "uniform" (±1/√n, n the connections from the
        layer before), "glorot", "orthogonal" or "identity" (recurrent ones only).
    recurrent_scale
        Factor on the initial recurrent weights.
    seed
        Seed of the initial weights.
    dtype
        Precision: float32, or float64 for a gradient check.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names and in PyTorch's shapes; `gradients` is set by `backpropagate`.
    top : (T, B, H)
        Output of the last layer, before dropout, in the last `forward`.
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
        residual: bool = False,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        recurrent_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        activation_regularization: float = 0.0,
        temporal_activation_regularization: float = 0.0,
        tie_weights: bool = False,
        softmax_samples: int | None = None,
        softmax_cutoffs: Sequence[int] | None = None,
        initializer: str = "uniform",
        recurrent_initializer: str = "uniform",
        recurrent_scale: float = 1.0,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        if tie_weights and embedding_size != hidden_size:
            raise ValueError("tied weights need embedding_size equal to hidden_size")
        if softmax_cutoffs is not None and softmax_cutoffs[-1] >= vocabulary_size:
            raise ValueError("softmax_cutoffs must be below the size of the vocabulary")
        self.vocabulary_size = vocabulary_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dtype = np.dtype(dtype)
        rng = np.random.default_rng(seed)
        C, H, E = vocabulary_size, hidden_size, embedding_size

        layer_class = CELLS[cell]
        options: dict[str, Any] = {
            "initializer": initializer,
            "recurrent_initializer": recurrent_initializer,
            "recurrent_scale": recurrent_scale,
            "recurrent_dropout": recurrent_dropout,
        }
        if layer_class is VanillaLayer:
            options["nonlinearity"] = nonlinearity

        if E is None:
            # One-hot input: the table holds U of the first layer, transposed, so that a look-up reads a row.
            columns = gate_matrices(initializer, rng, layer_class.num_gates, H, C)
            table = np.ascontiguousarray(columns.T, self.dtype)
        else:
            table = uniform(rng, (C, E), E).astype(self.dtype)
        table_gradient = TableGradient(np.zeros_like(table))
        self.embedding = Embedding(table, table_gradient, shared=tie_weights, word_dropout=embedding_dropout)
        self.layers = [
            layer_class(E if k == 0 else H, H, bias, rng, self.dtype, **options) for k in range(num_layers)
        ]
        self.output: SoftmaxOutput | AdaptiveSoftmax
        self._sampled: SampledSoftmax | None = None
        self._output_gradient: TableGradient | None = None
        if softmax_cutoffs is not None:
            self.output = AdaptiveSoftmax(C, H, softmax_cutoffs, bias, rng, self.dtype, initializer)
        else:
            weight, weight_gradient = table, table_gradient
            if not tie_weights:
                weight = matrix(initializer, rng, C, H).astype(self.dtype)
                weight_gradient = TableGradient(np.zeros_like(weight))
            output_bias, bias_gradient = (np.zeros(C, self.dtype) if bias else None for _ in range(2))
            self.output = SoftmaxOutput(weight, weight_gradient.values, output_bias, bias_gradient)
            self._output_gradient = weight_gradient
            if softmax_samples is not None:
                self._sampled = SampledSoftmax(self.output, weight_gradient, softmax_samples)
        # The input of each layer and of the output, a one-hot input (which is never dropped) apart.
        self._dropouts = [
            Dropout(0.0 if E is None and k == 0 else dropout, self.dtype, variational_dropout)
            for k in range(num_layers + 1)
        ]
        self._drops_inputs = (dropout > 0 and E is not None) or embedding_dropout > 0
        self.residual = [residual and (k > 0 or E == H) for k in range(num_layers)]
        self._penalties = (activation_regularization, temporal_activation_regularization)
        self._workspace = Workspace(self.dtype)

        self.parameters: dict[str, Floats] = {}
        self.gradients: dict[str, Floats] = {}
        self._name_parameters(one_hot=E is None, tied=tie_weights)

    def _name_parameters(self, one_hot: bool, tied: bool) -> None:
        """Collect the parameters and gradients of all parts by PyTorch's names."""
        embedding, output = self.embedding, self.output
        self._vocabulary_axes = {"rnn.weight_ih_l0": 1} if one_hot else {"embedding.weight": 0}
        if one_hot:
            self._register("rnn.weight_ih_l0", embedding.weight.T, embedding.gradient.values.T)
        else:
            self._register("embedding.weight", embedding.weight, embedding.gradient.values)
        for k, layer in enumerate(self.layers):
            for name, value in layer.parameters.items():
                self._register(f"rnn.{name}_l{k}", value, layer.gradients[name])
        for name, value in output.parameters.items():
            if not (tied and name == "weight"):
                self._register(f"output.{name}", value, output.gradients[name])
                if isinstance(output, SoftmaxOutput):
                    self._vocabulary_axes[f"output.{name}"] = 0

    def _register(self, name: str, value: Floats, gradient: Floats) -> None:
        self.parameters[name] = value
        self.gradients[name] = gradient

    def tensors(self, values: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Return the parameters as they are saved: tied weights under both names, as PyTorch expects them.

        Parameters
        ----------
        values
            By name, what is saved in place of some parameters, such as their averages.
        """
        tensors = {**self.parameters, **(values or {})}
        if self.embedding.shared:
            tensors["output.weight"] = tensors["embedding.weight"]
        return tensors

    def vocabulary_axes(self) -> dict[str, int]:
        """Return which parameters have an entry for each token, and along which axis.

        The clusters of an adaptive softmax do not count: they have other sizes for another vocabulary.
        """
        return self._vocabulary_axes

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
        by_token = self._by_token = self.reads_by_token(inputs, rng)
        x = self.embedding.weight if by_token else self.embedding.forward(inputs, rng)
        for k, layer in enumerate(self.layers):
            ids = inputs if k == 0 and by_token else None
            y, final_state[k] = layer.forward(self._dropouts[k].forward(x, rng), state[k], rng, ids=ids)
            # A new array: the layer needs its own outputs for its gradients.
            x = np.add(x, y, out=self._workspace.array(f"sum_{k}", *y.shape)) if self.residual[k] else y
        self.top = x
        return self._dropouts[-1].forward(x, rng), final_state

    def objective(
        self, inputs: Ids, targets: Ids, mask: Mask, state: Floats, rng: np.random.Generator | None = None
    ) -> float:
        """Compute what `backpropagate` differentiates: the cross-entropy and the penalties of a window.

        The cross-entropy is summed over the time steps and averaged over the B sequences; parameters as for
        `backpropagate`.
        """
        hidden, _ = self.forward(inputs, state, rng)
        return self.objective_of(hidden, self.top, targets, mask, rng)

    def objective_of(
        self, hidden: Floats, top: Floats, targets: Ids, mask: Mask, rng: np.random.Generator | None = None
    ) -> float:
        """Compute the `objective` of what `forward` returned as `hidden` and left in `top`."""
        s, y = hidden[mask], targets[mask]
        if rng is not None and self._sampled is not None:
            losses = self._sampled.losses(s, y, rng)
        else:
            losses = self.output.losses(s, y)
        objective = float(losses.sum()) / len(targets[0])
        return objective if rng is None else objective + self._penalty(hidden, top, mask)

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
            Source of the dropout masks and of the softmax's samples; without it nothing is dropped or estimated.

        Returns
        -------
        loss
            Cross-entropy in nats, summed over the positions that count, or the samples' estimate of it.
        state : (L, S, B, H)
            State after the window.
        """
        hidden, final_state = self.forward(inputs, state, rng)
        # Where all places count, a slice takes them without a copy.
        places = slice(None) if mask.all() else np.flatnonzero(mask)
        rows, ds = hidden.reshape(mask.size, -1), np.zeros_like(hidden)
        s, y, scale = rows[places], targets.ravel()[places], 1 / inputs.shape[1]
        if rng is not None and self._sampled is not None:
            loss, ds_rows = self._sampled.loss_and_gradient(s, y, scale, rng)
        else:
            loss, ds_rows = self.output.loss_and_gradient(s, y, scale)
            if self._output_gradient is not None:
                self._output_gradient.rows = None
        ds.reshape(rows.shape)[places] = ds_rows
        if rng is not None:
            self._add_activation_error(ds, hidden, mask)
        error = self._dropouts[-1].backward(ds)
        if rng is not None:
            self._add_temporal_error(error, mask)
        steps = len(inputs) if bptt_truncate is None else bptt_truncate
        error = self._backward_through_layers(error, steps)
        if self._by_token:
            self.embedding.backward_table(error)
        else:
            self.embedding.backward(error)
        return loss, final_state

    def reads_by_token(self, inputs: Ids, rng: np.random.Generator | None) -> bool:
        """Whether the first layer's products over `inputs` (T, B) are taken once a token, not once a place.

        They are where tokens are few and repeat, and the same vector is read wherever a token stands; not past a
        residual connection, which needs the vectors at their places.
        """
        C = self.vocabulary_size
        drops = rng is not None and self._drops_inputs
        return C <= FEW_TOKENS and inputs.size >= REPETITIONS * C and not drops and not self.residual[0]

    def track_gradient_rows(self) -> None:
        """Let `gradient_rows` know them from now on; in return, `gradients` may be changed in these rows only."""
        self.embedding.gradient.tracks_rows = True
        if self._output_gradient is not None:
            self._output_gradient.tracks_rows = True

    def gradient_rows(self) -> dict[str, tuple[Ids, int]]:
        """Return which rows the last `backpropagate` used of each table, where these are known to be few.

        Elsewhere the gradient is zero. With the rows comes the axis that counts them: 1 in the
        ``rnn.weight_ih_l0`` of a one-hot input, which is the transposed table, else 0.
        """
        one_hot = "embedding.weight" not in self.parameters
        embedding = "rnn.weight_ih_l0" if one_hot else "embedding.weight"
        used = {embedding: (self.embedding.gradient.rows, int(one_hot))}
        if "output.weight" in self.parameters and self._output_gradient is not None:
            used["output.weight"] = (self._output_gradient.rows, 0)
        return {name: (ids, axis) for name, (ids, axis) in used.items() if ids is not None}

    def _backward_through_layers(self, error: Floats, steps: int) -> Floats:
        """Send the error of the last output (T, B, H) down to the embedding, at most `steps` time steps back.

        Returns
        -------
        (T, B, E) or (C, E)
            The error of the vectors looked up or, where they were read by token, of the table.
        """
        full = steps >= len(error) - 1
        by_lag = [error]
        for k in reversed(range(self.num_layers)):
            layer = self.layers[k]
            errors = [layer.backward(error)] if full else layer.backward_truncated(by_lag, steps)
            errors = [self._dropouts[k].backward(each) for each in errors]
            if self.residual[k]:
                # What went past the layer keeps its lag.
                errors[: len(by_lag)] = [below + above for below, above in zip(errors, by_lag, strict=False)]
            by_lag, error = errors, errors[0]
        return error if full else np.sum(by_lag, axis=0)

    def _penalty(self, hidden: Floats, top: Floats, mask: Mask) -> float:
        """Return the activation penalties of a window."""
        alpha, beta = self._penalties
        size = hidden[0].size  # of a step of all sequences: the mean over it, times T, is a sum over the steps
        changes = np.diff(top, axis=0)[mask[1:]]
        return float(alpha * np.sum(hidden[mask] ** 2) + beta * np.sum(changes**2)) / float(size)

    def _add_activation_error(self, error: Floats, hidden: Floats, mask: Mask) -> None:
        """Add the derivative of the penalty on activations to that with respect to `hidden`."""
        alpha, _ = self._penalties
        if alpha > 0:
            error += 2 * alpha / hidden[0].size * hidden * mask[..., None]

    def _add_temporal_error(self, error: Floats, mask: Mask) -> None:
        """Add the derivative of the penalty on changes to that with respect to the last layer's output."""
        _, beta = self._penalties
        if beta > 0:
            changes = 2 * beta / self.top[0].size * np.diff(self.top, axis=0) * mask[1:, :, None]
            error[1:] += changes
            error[:-1] -= changes

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
