"""A layer that reads in both directions."""

import numpy as np
from numpy.random import Generator

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.layer import Layer, OneWayLayer, Rows, Vectors
from rnnlm.nn.threads import side_by_side


class Bidirectional(Layer):
    """Two layers of the same cell, one of which reads each sequence from its end (Schuster and Paliwal 1997).

    ::

        h_t = f(x_t, h_{t-1})    g_t = f'(x_t, g_{t+1})    y_t = [h_t ; g_t]

    The reverse direction begins at each sequence's own end, so padding changes nothing. The output has the
    features of both, (T, B, 2H); the state is that of the forward direction, then that of the reverse one, which
    it has after the first step, (2S, B, H).

    Parameters
    ----------
    ahead, reverse
        The layer that reads forwards, and the one that reads backwards; both compute at the same time where there
        are two threads.
    """

    def __init__(self, ahead: OneWayLayer, reverse: OneWayLayer) -> None:
        self.ahead, self.reverse = ahead, reverse
        self.dtype = ahead.dtype
        self.parameters, self.gradients = dict(ahead.parameters), dict(ahead.gradients)
        self.parameters |= {f"{name}_reverse": value for name, value in reverse.parameters.items()}
        self.gradients |= {f"{name}_reverse": value for name, value in reverse.gradients.items()}
        self._workspace = Workspace(self.dtype)

    def products(self, of_rows: bool) -> int:
        """Count the weights that are multiplied for every token; see `Layer.products`."""
        return self.ahead.products(of_rows) + self.reverse.products(of_rows)

    def initial_state(self, batch_size: int) -> Floats:
        """Return the zero state (2S, B, H)."""
        return np.concatenate([layer.initial_state(batch_size) for layer in (self.ahead, self.reverse)])

    def forward(
        self, x: Vectors, state: Floats, rng: Generator | None = None, *, lengths: Ids | None = None
    ) -> tuple[Floats, Floats]:
        """Run both directions over a window; see `Layer.forward`."""
        T, B = (x.ids if isinstance(x, Rows) else x).shape[:2]
        self._places = turned_places(T, B, lengths)
        before_ahead, before_reverse = np.split(state, 2)
        # What one direction draws must not depend on how far the other is.
        rngs = (None, None) if rng is None else (rng, np.random.default_rng(rng.integers(2**63)))

        def forwards() -> tuple[Floats, Floats]:
            return self.ahead.forward(x, before_ahead, rngs[0], lengths=lengths)

        def backwards() -> tuple[Floats, Floats]:
            turned = Rows(x.table, x.ids.take(self._places)) if isinstance(x, Rows) else self._turn(x, "x")
            y, after = self.reverse.forward(turned, before_reverse, rngs[1], lengths=lengths)
            return self._turn(y, "y_reverse"), after

        (y_ahead, after_ahead), (y_reverse, after_reverse) = side_by_side(forwards, backwards)
        H = y_ahead.shape[2]
        y = self._workspace.array("y", T, B, 2 * H)
        y[..., :H], y[..., H:] = y_ahead, y_reverse
        return y, np.concatenate([after_ahead, after_reverse])

    def activations(self) -> dict[str, Floats]:
        """Return what both directions computed; see `Layer.activations`."""
        reverse = self.reverse.activations().items()
        return self.ahead.activations() | {
            f"{name}_reverse": self._turn(values, f"{name}_turned") for name, values in reverse
        }

    def backward(self, dy: Floats, dstate: Floats | None = None) -> Floats:
        """Back-propagate through both directions; see `Layer.backward`."""
        H = dy.shape[2] // 2
        d_ahead, d_reverse = (None, None) if dstate is None else np.split(dstate, 2)

        def forwards() -> Floats:
            return self.ahead.backward(dy[..., :H], d_ahead)

        def backwards() -> Floats:
            turned = self.reverse.backward(self._turn(dy[..., H:], "dy_reverse"), d_reverse)
            # Rows have no places, so their errors are not turned.
            return turned if turned.ndim == 2 else self._turn(turned, "dx")

        dx, dx_reverse = side_by_side(forwards, backwards)
        dx += dx_reverse
        return dx

    def state_error(self) -> Floats:
        """Return the derivative with respect to the state before the window; see `Layer.state_error`."""
        return np.concatenate([layer.state_error() for layer in (self.ahead, self.reverse)])

    def _turn(self, x: Floats, name: str) -> Floats:
        """Return each sequence of `x` (T, B, F) from its last step to its first, in the array of a name."""
        turned = self._workspace.array(name, *x.shape)
        rows = x.reshape(-1, x.shape[2])
        # mode "clip" lets NumPy write into `out` without a buffer; the places are in range.
        np.take(rows, self._places, axis=0, out=turned, mode="clip")
        return turned


def turned_places(T: int, B: int, lengths: Ids | None) -> Ids:
    """Return which of the T·B places comes to each, (T, B), where sequences are turned and padding stays."""
    step = np.arange(T)[:, None]
    ends = T if lengths is None else lengths
    return np.where(step < ends, ends - 1 - step, step) * B + np.arange(B)
