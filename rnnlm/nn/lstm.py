"""Long short-term memory."""

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.nn.recurrent import RecurrentLayer


class LSTMLayer(RecurrentLayer):
    """LSTM with a forget gate (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    The rows of U and W are those of the gates i, f, g, o in this order, each of H rows::

        i, f, o = σ(U x_t + W h_{t-1} + b)        g = tanh(U x_t + W h_{t-1} + b)
        c_t = f ⊙ c_{t-1} + i ⊙ g                 h_t = o ⊙ tanh(c_t)

    Parameters
    ----------
    forget_bias
        What is added to the initial bias of the forget gate, so that at first the cell remembers (Jozefowicz et
        al. 2015).
    """

    num_gates = 4
    num_states = 2

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        bias: bool,
        rng: np.random.Generator,
        dtype: np.dtype[np.floating],
        forget_bias: float = 0.0,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, rng, dtype)
        if bias:
            self.parameters["bias_ih"][hidden_size : 2 * hidden_size] += forget_bias

    def _prepare(self, T: int, B: int) -> None:
        H = self.hidden_size
        self._Wh = self._workspace.array("Wh", 4 * H, B)
        self._tanh_c = self._workspace.array("tanh_c", T, H, B)
        self._ig = self._workspace.array("ig", H, B)

    def _step(self, t: int) -> None:
        (h, c), (h_next, c_next), a = self._states[t], self._states[t + 1], self._a[t]
        H = self.hidden_size
        a += np.matmul(self.parameters["weight_hh"], h, out=self._Wh)
        # σ(x) = ½ tanh(x/2) + ½ makes one call of tanh serve all gates.
        sigmoids = (a[: 2 * H], a[3 * H :])
        for gate in sigmoids:
            gate *= 0.5
        np.tanh(a, out=a)
        for gate in sigmoids:
            gate *= 0.5
            gate += 0.5
        i, f, g, o = self._gates(t)
        np.multiply(f, c, out=c_next)
        c_next += np.multiply(i, g, out=self._ig)
        np.tanh(c_next, out=self._tanh_c[t])
        np.multiply(o, self._tanh_c[t], out=h_next)

    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        i, f, g, o = self._gates(t)
        di, df, dg, do = np.split(delta, 4, axis=-2)
        c, tanh_c = self._states[:-1, 1][t], self._tanh_c[t]
        dc = dh * o * (1 - tanh_c**2) + carry
        np.multiply(dc * g, i * (1 - i), out=di)
        np.multiply(dc * c, f * (1 - f), out=df)
        np.multiply(dc * i, 1 - g**2, out=dg)
        np.multiply(dh * tanh_c, o * (1 - o), out=do)
        return dc * f

    def _gates(self, t: int | slice) -> list[Floats]:
        """Return i, f, g and o, each (H, B), or (T, H, B) of all steps."""
        return np.split(self._a[t], 4, axis=-2)
