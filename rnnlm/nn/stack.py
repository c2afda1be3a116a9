"""Layers one above the other."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.dropout import Dropout
from rnnlm.nn.layer import Layer, OneWayLayer, Rows, Vectors, tensor_name
from rnnlm.nn.penalties import ActivationPenalties
from rnnlm.nn.recurrent import RecurrentLayer


class Stack:
    """Layers, with dropout before each and after the last.

    The state of all layers is one array, (L, S, B, H), as wide as the widest state of a layer. What a narrower one
    leaves over is zero, and is not read.

    Parameters
    ----------
    layers
        L layers, the lowest first.
    dropouts
        What drops the input of each layer, and the last layer's output: L + 1 of them.
    residual
        Whether the input of each layer is added to its output.
    penalties
        On the last layer's activations; only while training.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names, which number the layers, and in PyTorch's shapes.
    hidden : (T, B, H)
        What the last `forward` returned.
    top : (T, B, H)
        The last layer's output before dropout.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        dropouts: Sequence[Dropout],
        residual: Sequence[bool],
        penalties: ActivationPenalties,
    ) -> None:
        self.layers, self.residual, self.penalties = layers, residual, penalties
        self._dropouts = dropouts
        self.dtype = layers[0].dtype
        self.parameters: dict[str, Floats] = {}
        self.gradients: dict[str, Floats] = {}
        for k, layer in enumerate(layers):
            for name, value in layer.parameters.items():
                self.parameters[tensor_name(name, k)] = value
                self.gradients[tensor_name(name, k)] = layer.gradients[name]
        self._state_sizes = [layer.initial_state(1).shape[2] for layer in layers]
        self._workspace = Workspace(self.dtype)

    @property
    def is_one_way(self) -> bool:
        """Whether no layer reads backwards."""
        return all(isinstance(layer, OneWayLayer) for layer in self.layers)

    @property
    def one_way(self) -> list[OneWayLayer]:
        """The layers of a network that takes one step after another; none of them may be bidirectional."""
        layers = [layer for layer in self.layers if isinstance(layer, OneWayLayer)]
        if len(layers) < len(self.layers):
            raise TypeError("a bidirectional layer needs the whole sequence, not one step after another")
        return layers

    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state of every layer, (L, S, B, H): h, for an LSTM c too, or the last inputs."""
        return self.joined([layer.initial_state(batch_size) for layer in self.layers])

    def joined(self, states: Sequence[Floats]) -> Floats:
        """Return the states of the layers as one array, (L, S, B, H)."""
        joined = np.zeros((len(states), *states[0].shape[:2], max(self._state_sizes)), states[0].dtype)
        for all_features, state in zip(joined, states, strict=True):
            all_features[..., : state.shape[2]] = state
        return joined

    def split(self, state: Floats) -> list[Floats]:
        """Return the state of each layer in one array of all, (L, S, B, H)."""
        return [each[..., :size] for each, size in zip(state, self._state_sizes, strict=True)]

    def takes_rows(self, rng: Generator | None) -> bool:
        """Whether `Rows` go to the first layer as they are: dropout and residual connections need every place."""
        return not self.residual[0] and (rng is None or self._dropouts[0].probability == 0)

    def forward(
        self, x: Vectors, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run the layers over a window, as `Layer.forward` does one; the states are those of all, (L, S, B, H)."""
        if isinstance(x, Rows) and not self.takes_rows(rng):
            x = x.vectors(self._workspace)
        before, after = self.split(state), []
        for k, layer in enumerate(self.layers):
            y, last = layer.forward(self._dropped(k, x, rng), before[k], rng, lengths=lengths)
            after.append(last)
            if self.residual[k] and not isinstance(x, Rows):
                # A new array: the layer needs its own outputs for its gradients.
                y = np.add(x, y, out=self._workspace.array(f"sum_{k}", *y.shape))
            x = y
        self.top = y
        self.hidden = self._dropouts[-1].forward(y, rng)
        return self.hidden, self.joined(after)

    def _dropped(self, k: int, x: Vectors, rng: Generator | None) -> Vectors:
        """Drop features of the input of layer k."""
        if isinstance(x, Rows):  # nothing is dropped; the mask of the window before is forgotten
            return Rows(self._dropouts[k].forward(x.table, None), x.ids)
        return self._dropouts[k].forward(x, rng)

    def backward(
        self,
        error: Floats,
        dstate: Floats | None = None,
        *,
        bptt_truncate: int | None = None,
        penalized: Floats | None = None,
    ) -> Floats:
        """Send the error of `hidden` down to the input of the first layer.

        Parameters
        ----------
        error : (T, B, H)
            The error of `hidden`, overwritten.
        dstate : (L, S, B, H)
            The error of the state after the window; None where nothing reads it. Truncation takes none.
        bptt_truncate
            The most time steps that an output's error goes back, in all layers together; None sets no limit.
        penalized : (T, B)
            How much the penalties on the activations of a place count: one over the sequences of the batch, or
            zero. None adds no penalties.

        Returns
        -------
        (T, B, D) or (C, D)
            The error of the input, or of the table where the first layer read `Rows`.
        """
        if penalized is not None:
            self.penalties.add_activation_error(error, self.hidden, penalized)
        error = self._dropouts[-1].backward(error)
        if penalized is not None:
            self.penalties.add_change_error(error, self.top, penalized)
        if bptt_truncate is not None and bptt_truncate < len(error) - 1:
            if dstate is not None:
                raise ValueError("truncated BPTT takes no error of the state after the window")
            return self._backward_truncated(error, bptt_truncate)
        dstates = len(self.layers) * [None] if dstate is None else self.split(dstate)
        for k in reversed(range(len(self.layers))):
            below = self.layers[k].backward(error, dstates[k])
            below = self._dropouts[k].backward(below)
            error = below + error if self.residual[k] else below
        return error

    def state_error(self) -> Floats:
        """Return the error of the state before the window, (L, S, B, H), after `backward`."""
        return self.joined([layer.state_error() for layer in self.layers])

    def _backward_truncated(self, error: Floats, steps: int) -> Floats:
        """Send the error of `top` down, at most `steps` time steps back."""
        by_lag = [error]
        for k in reversed(range(len(self.layers))):
            layer = self.layers[k]
            if not isinstance(layer, RecurrentLayer):
                raise TypeError("truncated BPTT is for recurrent layers that read one way")
            errors = layer.backward_truncated(by_lag, steps)
            errors = [self._dropouts[k].backward(each) for each in errors]
            if self.residual[k]:
                # What went past the layer keeps its lag.
                errors[: len(by_lag)] = [below + above for below, above in zip(errors, by_lag, strict=False)]
            by_lag = errors
        summed: Floats = np.sum(by_lag, axis=0)
        return summed
