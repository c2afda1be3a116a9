"""One time step after another, as text is written token by token."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.encoder_decoder import EncoderDecoder
from rnnlm.nn.network import Network
from rnnlm.nn.recurrent import RecurrentLayer

if TYPE_CHECKING:
    from rnnlm.nn.kernels.steps import CompiledSteps

PROMPT_WINDOW = 1024
"""Tokens of a prompt that are read at a time, so that memory stays bounded."""


Draw: TypeAlias = Callable[[Floats, Floats, float], Ids]
"""Draws a token for each row of log-probabilities (B, C) by random numbers (B,), given a temperature."""


class Steps:
    """Takes the steps of B sequences with NumPy, a layer after another."""

    draw: Draw | None = None

    def __init__(self, network: Network) -> None:
        self._network, self._layers = network, network.stack.one_way
        # What the first layer makes of each token: for a small vocabulary less work than its other products.
        table, first = network.source.table.value, self._layers[0]
        self._first_columns: Floats | None = None
        if isinstance(first, RecurrentLayer) and len(table) <= first.num_gates * first.hidden_size:
            self._first_columns = first.columns(table)

    def begin(self, state: Floats) -> None:
        """Go on from a state; see `Stepper.begin`."""
        for layer, before in zip(self._layers, self._network.stack.split(state), strict=True):
            layer.begin_steps(before)
        self._sum = np.empty((self._layers[0].hidden_size, state.shape[2]), self._network.dtype)

    @property
    def state(self) -> Floats:
        """The state of each layer after the last step, (L, S, B, H)."""
        return self._network.stack.joined([layer.state for layer in self._layers])

    def log_probs(self, ids: Ids) -> Floats:
        """Read `ids` (B,) and return the log-probabilities of what follows, (B, C)."""
        return self._network.head.log_probs(self.hidden(ids))

    def hidden(self, ids: Ids) -> Floats:
        """Read `ids` (B,) and return the output of the last layer, (B, H), which a later step overwrites."""
        stack, columns = self._network.stack, self._first_columns
        if columns is None or stack.residual[0]:
            x = self._network.source.table.value[ids].T
        for k, layer in enumerate(self._layers):
            if k == 0 and columns is not None and isinstance(layer, RecurrentLayer):
                y = layer.advance_by(columns, ids)
            else:
                y = layer.advance(x)
            x = np.add(x, y, out=self._sum) if stack.residual[k] else y
        hidden: Floats = x.T
        return hidden


class Stepper:
    """Reads one token at a time in each of B sequences, and predicts the next.

    The layers take the same steps as in `Network.forward`, but arrays are laid out once for all steps and nothing
    is kept for a gradient. A network serves one stepper at a time: a window, or another stepper, takes its memory
    over. Meanwhile the weights may not change.

    Parameters
    ----------
    network
        The network.
    state : (L, S, B, H)
        State of each layer to begin with.
    """

    def __init__(self, network: Network, state: Floats) -> None:
        self.network, self._steps = network, _steps(network)
        self.begin(state)

    @property
    def draw(self) -> Draw | None:
        """Draws from log-probabilities, where that is compiled."""
        return self._steps.draw

    def begin(self, state: Floats) -> None:
        """Go on from a state (L, S, B, H), such as some columns of the present one, or one that was put aside."""
        self._steps.begin(state)

    @property
    def state(self) -> Floats:
        """The state of each layer after the last step, (L, S, B, H)."""
        return self._steps.state

    def log_probs(self, ids: Ids) -> Floats:
        """Read `ids` (B,) and return the log-probabilities of what follows, (B, C), until the next step."""
        return self._steps.log_probs(ids)


class DecoderStepper(Stepper):
    """Writes one token at a time from sources that an encoder has read.

    Parameters
    ----------
    network
        The network.
    source, lengths
        Ids of the sources (S, B), and how many of each are its own, (B,).
    """

    network: EncoderDecoder

    def __init__(self, network: EncoderDecoder, source: Ids, lengths: Ids) -> None:
        super().__init__(network, network.begin(source, lengths))
        self._sources = np.arange(len(lengths))

    def choose(self, columns: Ids) -> None:
        """Go on with some of the texts, each as often as `columns` names it, and with the sources of these."""
        sources = self._sources[columns]
        # Texts of one source look at the same, whichever of them goes on.
        if self.network.attention is not None and not np.array_equal(sources, self._sources):
            self.network.attention.choose(columns)
        self._sources = sources
        self.begin(self.state[:, :, columns])

    def log_probs(self, ids: Ids) -> Floats:
        """Do as `Stepper.log_probs`, with what is seen in the sources."""
        attention = self.network.attention
        if attention is None:
            return super().log_probs(ids)
        return self.network.head.log_probs(attention.forward(self._steps.hidden(ids)[None])[0])


def _steps(network: Network) -> "Steps | CompiledSteps":
    """Return what takes the steps: compiled passes, where all layers have some."""
    if all(layer.is_compiled for layer in network.stack.one_way):
        from rnnlm.nn.kernels.steps import CompiledSteps

        return CompiledSteps(network)
    return Steps(network)


def read_prompt(network: Network, prompt: list[int]) -> tuple[Floats, Floats]:
    """Read at least one id from the zero state, as many as there are.

    Returns
    -------
    log_probs : (1, C)
        Log-probabilities of what follows.
    state : (L, S, 1, H)
        State of each layer.
    """
    state = network.initial_state(1)
    for start in range(0, len(prompt), PROMPT_WINDOW):
        hidden, state = network.forward(np.array(prompt[start : start + PROMPT_WINDOW])[:, None], state)
    return network.head.log_probs(hidden[-1]), state
