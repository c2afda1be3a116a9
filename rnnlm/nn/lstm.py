"""Long short-term memory, and its published variants.

Each class says its equations; ``a`` stands for the pre-activation ``U x_t + W h_{t-1} + b`` of a gate, and every
gate has H rows of U, W and b, in the order in which the gates are named. Greff et al., "LSTM: A Search Space
Odyssey", 2017, compare the variants.
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from rnnlm.nn.activations import sigmoid_in_place
from rnnlm.nn.arrays import Floats
from rnnlm.nn.cell import gates
from rnnlm.nn.initializers import Initialization
from rnnlm.nn.recurrent import RecurrentLayer

FORGET_BIAS = 1.0
"""Added to the initial bias of a forget gate, so that at first the cell remembers (Jozefowicz et al. 2015)."""


class LSTMLayer(RecurrentLayer):
    """LSTM with a forget gate (Gers et al. 2000); gates i, f, g, o, as in PyTorch.

    ::

        i, f, o = σ(a)    g = tanh(a)    c_t = f ⊙ c_{t-1} + i ⊙ g    h_t = o ⊙ tanh(c_t)
    """

    num_gates = 4
    gate_names = "ifgo"
    num_states = 2
    slopes: ClassVar[tuple[float, ...]] = (0.5, 0.5, 1.0, 0.5)
    """By gate: ½ where it is σ, which is ``½ tanh(a/2) + ½``, and 1 where it is tanh."""

    has_forget_bias = True

    def _initialize(self, start: Initialization) -> None:
        super()._initialize(start)
        if "bias_ih" in self.parameters and self.has_forget_bias:
            H = self.hidden_size
            self.parameters["bias_ih"][H : 2 * H] += FORGET_BIAS

    def _prepare(self, T: int, B: int) -> None:
        self._tanh_c = self._workspace.array("tanh_c", T, self.hidden_size, B)
        self._slopes = np.array(self.slopes, self._workspace.dtype).reshape(-1, 1, 1)
        self._shifts = 1 - self._slopes

    def _step(self, t: int) -> None:
        (h, c), (h_next, c_next), a = self._states[t], self._states[t + 1], self._a[t]
        Wh = self._product(h)
        a += Wh
        # The gates in place of the pre-activations, one tanh for all.
        a *= self._slopes
        np.tanh(a, out=a)
        a *= self._slopes
        a += self._shifts
        self._set_cell(a, c, c_next, Wh[0])
        self._output(t, a[-1], c_next, h_next)

    def _set_cell(self, a: Floats, c: Floats, c_next: Floats, scratch: Floats) -> None:
        """Set c_t, `c_next`, given the gates (G, H, B) and c_{t-1}."""
        i, f, g, _ = a
        np.multiply(f, c, out=c_next)
        c_next += np.multiply(i, g, out=scratch)

    def _output(self, t: int, o: Floats, c_next: Floats, h_next: Floats) -> None:
        np.tanh(c_next, out=self._tanh_c[t])
        np.multiply(o, self._tanh_c[t], out=h_next)

    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        i, f, g, o = gates(self._a[t])
        di, df, dg, do = gates(delta)
        c, h, tanh_c = self._states[:-1, 1][t], self._states[1:, 0][t], self._tanh_c[t]
        # dc = carry + dh o (1 - tanh²(c))    do = dh tanh(c) o (1 - o)    di = dc g i (1 - i)
        # df = dc c f (1 - f)    dg = dc i (1 - g²),    with h = o tanh(c) put in and no product formed twice
        np.multiply(dh * h, 1 - o, out=do)
        dc = carry + dh * (o - h * tanh_c)
        dc_i = dc * i
        dc_ig = dc_i * g
        np.multiply(dc_ig, 1 - i, out=di)
        np.subtract(dc_i, dc_ig * g, out=dg)
        dc_f: Floats = dc * f
        np.multiply(dc_f * c, 1 - f, out=df)
        return dc_f


class PeepholeLSTMLayer(LSTMLayer):
    """LSTM whose gates see the cell (Gers et al. 2002); gates i, f, g, o, and weights p of H elements.

    ::

        i = σ(a + p_i ⊙ c_{t-1})    f = σ(a + p_f ⊙ c_{t-1})    g = tanh(a)
        c_t = f ⊙ c_{t-1} + i ⊙ g    o = σ(a + p_o ⊙ c_t)    h_t = o ⊙ tanh(c_t)
    """

    def _initialize(self, start: Initialization) -> None:
        super()._initialize(start)
        for gate in "ifo":
            self.parameters[f"peephole_{gate}"] = start.vector(self.hidden_size, self.hidden_size)

    def _peepholes(self) -> list[Floats]:
        """Return p_i, p_f and p_o as columns (H, 1)."""
        return [self.parameters[f"peephole_{gate}"][:, None] for gate in "ifo"]

    def _step(self, t: int) -> None:
        (h, c), (h_next, c_next), a = self._states[t], self._states[t + 1], self._a[t]
        Wh = self._product(h)
        a += Wh
        p_i, p_f, p_o = self._peepholes()
        i, f, g, o = a
        i += p_i * c
        f += p_f * c
        sigmoid_in_place(a[:2])
        np.tanh(g, out=g)
        np.multiply(f, c, out=c_next)
        c_next += np.multiply(i, g, out=Wh[0])
        o += p_o * c_next
        sigmoid_in_place(o)
        self._output(t, o, c_next, h_next)

    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        p_i, p_f, p_o = self._peepholes()
        o, tanh_c = gates(self._a[t])[3], self._tanh_c[t]
        do = dh * tanh_c * o * (1 - o)
        carry = super()._step_back(t, dh, carry + p_o * do, delta)
        di, df, _, _ = gates(delta)
        return carry + p_i * di + p_f * df

    def _set_gradients(self, delta: Floats) -> Floats:
        di, df, _, do = gates(delta)
        c, c_next = self._states[:-1, 1], self._states[1:, 1]
        for gate, error, seen in (("i", di, c), ("f", df, c), ("o", do, c_next)):
            np.einsum("thb,thb->h", error, seen, out=self.gradients[f"peephole_{gate}"])
        return super()._set_gradients(delta)


class _ThreeGates(LSTMLayer):
    """What an LSTM without a gate f has in common; gates i, g, o."""

    num_gates = 3
    gate_names = "igo"
    slopes = (0.5, 1.0, 0.5)
    has_forget_bias = False

    @abstractmethod
    def _cell_slopes(self, t: int | slice, i: Floats, g: Floats) -> tuple[Floats, Floats | float]:
        """Return the derivatives of c_t with respect to the gate i and to c_{t-1}."""

    def _step_back(self, t: int | slice, dh: Floats, carry: Floats, delta: Floats) -> Floats:
        i, g, o = gates(self._a[t])
        di, dg, do = gates(delta)
        tanh_c = self._tanh_c[t]
        by_i, by_c = self._cell_slopes(t, i, g)
        np.multiply(dh * tanh_c, o * (1 - o), out=do)
        dc = carry + dh * o * (1 - tanh_c**2)
        np.multiply(dc * by_i, i * (1 - i), out=di)
        np.multiply(dc * i, 1 - g**2, out=dg)
        return dc * by_c


class CoupledLSTMLayer(_ThreeGates):
    """LSTM that forgets as much as it lets in; gates i, g, o.

    ::

        i, o = σ(a)    g = tanh(a)    c_t = (1 - i) ⊙ c_{t-1} + i ⊙ g    h_t = o ⊙ tanh(c_t)
    """

    def _set_cell(self, a: Floats, c: Floats, c_next: Floats, scratch: Floats) -> None:
        i, g, _ = a
        # (1 - i) c + i g = c + i (g - c)
        np.subtract(g, c, out=c_next)
        c_next *= i
        c_next += c

    def _cell_slopes(self, t: int | slice, i: Floats, g: Floats) -> tuple[Floats, Floats]:
        return g - self._states[:-1, 1][t], 1 - i


class NoForgetLSTMLayer(_ThreeGates):
    """The first LSTM, which cannot forget (Hochreiter and Schmidhuber 1997); gates i, g, o.

    ::

        i, o = σ(a)    g = tanh(a)    c_t = c_{t-1} + i ⊙ g    h_t = o ⊙ tanh(c_t)
    """

    def _set_cell(self, a: Floats, c: Floats, c_next: Floats, scratch: Floats) -> None:
        i, g, _ = a
        np.multiply(i, g, out=c_next)
        c_next += c

    def _cell_slopes(self, t: int | slice, i: Floats, g: Floats) -> tuple[Floats, float]:
        return g, 1.0
