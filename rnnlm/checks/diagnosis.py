"""How far back in time the gradient of a network's loss reaches."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from rnnlm.dataset.batches import StreamBatches
from rnnlm.dataset.store import Split
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.report.picture import new_figure, save
from rnnlm.text.report import counted

WINDOWS = 200
STREAMS = 20
"""Windows that are measured, and streams that are read side by side, at most."""


@dataclass(frozen=True)
class Diagnosis:
    """The gradient of the loss at the last step of a window, by its distance back in time.

    Attributes
    ----------
    norms : (L, D + 1)
        ``‖∂L_T/∂h_{T-d}‖`` of each layer for d = 0 … D, the arithmetic mean over the windows. The derivative is
        the total one: through all later steps, and at every step through all layers above.
    windows
        How many windows were measured.
    """

    norms: Floats
    windows: int

    @property
    def relative(self) -> Floats:
        """The norms as parts of the layer's own at d = 0; zero where that is zero."""
        first = self.norms[:, :1]
        return np.divide(self.norms, first, out=np.zeros_like(self.norms), where=first > 0)


def diagnose(network: Network, split: Split, distance: int = 50) -> Diagnosis:
    """Measure how the gradient shrinks with the distance back in time.

    The text is read as a stream, the hidden state carried from window to window, whatever the network was trained
    on: so every distance is averaged over the same windows, and networks can be compared.

    Parameters
    ----------
    network
        The network; its `gradients` are overwritten.
    split
        The text. At most `WINDOWS` windows from places all over it are read.
    distance
        The largest distance, D; a window has D + 1 steps.

    Raises
    ------
    RnnlmError
        If the text is shorter than one window, or a gradient is not a finite number.
    """
    steps = distance + 1
    streams = min(STREAMS, split.num_tokens // steps)
    if streams == 0:
        raise RnnlmError(
            f"The text has {counted(split.num_tokens, 'token{s}')}, but a distance of {distance} needs {steps:,}; "
            "give more text or a smaller distance."
        )
    norms = np.zeros((len(network.stack.layers), steps))
    windows = 0
    state = network.initial_state(streams)
    for batch in islice(StreamBatches(split, streams, steps).epoch(0), WINDOWS // streams):
        if len(batch.mask) < steps:
            break
        # The loss of the last step alone, of the streams that have not ended.
        last = np.zeros_like(batch.mask)
        last[-1] = batch.mask.all(axis=0)
        windows += int(last.sum())
        with np.errstate(all="ignore"):
            _, state = network.backpropagate(replace(batch, mask=last), state)
            for k, layer in enumerate(network.stack.one_way):
                # The squares in a norm of very small numbers need double precision.
                dh = layer.hidden_gradients[::-1].astype(np.float64)
                norms[k] += np.linalg.norm(dh, axis=1).sum(axis=1)
    # What is differentiated is the mean over the streams.
    norms *= streams / windows
    if not np.isfinite(norms).all():
        raise RnnlmError(
            "The gradient is not a finite number; diagnose a checkpoint from before it grew so large."
        )
    return Diagnosis(norms, windows)


def plot(diagnoses: Mapping[str, Diagnosis], path: Path) -> None:
    """Draw the relative norms over the distance, a colour for each model and a line style for each layer.

    Parameters
    ----------
    diagnoses
        By the name of the model.
    path
        The picture, as for `save`.
    """
    figure = new_figure(8, 5)
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    for colour, (name, diagnosis) in enumerate(diagnoses.items()):
        for k, norms in enumerate(diagnosis.relative):
            style = ("-", "--", ":", "-.")[k % 4]
            # A logarithmic axis has no place for zero.
            axes.plot(
                np.where(norms > 0, norms, np.nan), style, color=f"C{colour}", label=f"{name}, layer {k + 1}"
            )
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("distance back in time, d")
    axes.set_ylabel(r"$\|\partial L_T / \partial h_{T-d}\|$ relative to $d = 0$")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)
