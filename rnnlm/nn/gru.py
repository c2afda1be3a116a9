"""The gated recurrent unit."""

import numpy as np

from rnnlm.nn.activations import sigmoid_in_place
from rnnlm.nn.arrays import Floats
from rnnlm.nn.cell import gates
from rnnlm.nn.recurrent import RecurrentLayer


class GRULayer(RecurrentLayer):
    """GRU (Cho et al. 2014), the reset gate applied after the recurrent product, as in PyTorch and cuDNN.

    The rows of U and W are those of r, z, n in this order, each of H rows::

        r, z = σ(U x_t + b + W h_{t-1} + b')        n = tanh(U x_t + b + r ⊙ (W h_{t-1} + b'))
        h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
    """

    num_gates = 3
    gate_names = "rzn"
    num_states = 1

    def _constant(self) -> Floats | None:
        constant = super()._constant()
        if constant is not None:
            # The recurrent bias of n goes through the reset gate, so it is added in the step.
            constant[2 * self.hidden_size :] = self.parameters["bias_ih"][2 * self.hidden_size :]
        return constant

    def _prepare(self, T: int, B: int) -> None:
        self._Wh_n = self._workspace.array("Wh_n", T, self.hidden_size, B)

    def _step(self, t: int) -> None:
        h, h_next, a, Wh_n = self._states[t, 0], self._states[t + 1, 0], self._a[t], self._Wh_n[t]
        Wh = self._product(h)
        rz, n = a[:2], a[2]
        rz += Wh[:2]
        sigmoid_in_place(rz)
        r, z = rz
        Wh_n[...] = Wh[2]
        if "bias_hh" in self.parameters:
            Wh_n += self.parameters["bias_hh"][2 * self.hidden_size :, None]
        n += np.multiply(r, Wh_n, out=Wh[2])
        np.tanh(n, out=n)
        # (1 - z) n + z h = n + z (h - n)
        np.subtract(h, n, out=h_next)
        h_next *= z
        h_next += n

    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        r, z, n = gates(self._a[t])
        dr, dz, dn = gates(delta)
        h = self._states[:-1, 0][t]
        dh += carry
        np.multiply(dh * (1 - z), 1 - n**2, out=dn)
        np.multiply(dh * (h - n), z * (1 - z), out=dz)
        np.multiply(dn * self._Wh_n[t], r * (1 - r), out=dr)
        return dh * z

    def _recurrent_delta(self, t: int | slice, delta: Floats) -> Floats:
        """Multiply n's part by r: what n sees of ``W h_{t-1}`` went through the reset gate."""
        recurrent: Floats = delta.copy()
        gates(recurrent)[2] *= gates(self._a[t])[0]
        return recurrent
