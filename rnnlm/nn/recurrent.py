"""The vanilla recurrent layer: forward pass and back-propagation through time.

Inside the layer the hidden state of a time step is a matrix of shape (H, B) whose columns are the examples of
the batch, as in the textbooks: ``W s`` is then the product it says, and on small batches it is also the faster
one. Between layers, arrays are (T, B, features), so that everything which does not depend on the step before
is one product over all T·B tokens.
"""

from typing import Literal

import numpy as np

from rnnlm.nn.arrays import Floats, Workspace
from rnnlm.nn.initializers import uniform

Nonlinearity = Literal["tanh", "relu"]


class RecurrentLayer:
    """Vanilla recurrent layer, ``s_t = f(U x_t + W s_{t-1} + b)`` (Elman 1990).

    Parameters
    ----------
    input_size
        Features of the input, `D`. None when the input is ``U x_t`` already, looked up for a one-hot ``x_t``.
    hidden_size
        Units of the layer, `H`.
    nonlinearity
        `f`: "tanh" or "relu".
    bias
        Whether the layer has biases. As in PyTorch there are two, one beside ``U`` and one beside ``W``.
    rng
        Source of the initial weights.
    dtype
        Precision of everything in the layer.

    Attributes
    ----------
    parameters, gradients
        Arrays by PyTorch's names: ``weight_ih`` is U (H, D), ``weight_hh`` is W (H, H), ``bias_ih`` and
        ``bias_hh`` (H).
    """

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        nonlinearity: Nonlinearity,
        bias: bool,
        rng: np.random.Generator,
        dtype: np.dtype[np.floating],
    ) -> None:
        self.hidden_size = hidden_size
        self.nonlinearity = nonlinearity
        self.parameters: dict[str, Floats] = {}
        if input_size is not None:
            self.parameters["weight_ih"] = uniform(rng, (hidden_size, input_size), input_size)
        self.parameters["weight_hh"] = uniform(rng, (hidden_size, hidden_size), hidden_size)
        if bias:
            self.parameters["bias_ih"] = uniform(rng, (hidden_size,), hidden_size)
            self.parameters["bias_hh"] = uniform(rng, (hidden_size,), hidden_size)
        self.parameters = {name: value.astype(dtype) for name, value in self.parameters.items()}
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._workspace = Workspace(dtype)

    def forward(self, x: Floats, s0: Floats) -> Floats:
        """Run the layer over a window.

        Parameters
        ----------
        x : (T, B, D)
            Input; (T, B, H) when it is ``U x_t`` already.
        s0 : (B, H)
            Hidden state before the first step.

        Returns
        -------
        (T, B, H)
            The hidden state after each step.
        """
        T, B = x.shape[:2]
        H = self.hidden_size
        W = self.parameters["weight_hh"]
        s = self._workspace.array("s", T + 1, H, B)
        Ux = self._workspace.array("Ux", T, H, B)
        np.copyto(Ux, self._project(x).transpose(0, 2, 1))
        s[0] = s0.T
        for t in range(T):
            np.matmul(W, s[t], out=s[t + 1])
            s[t + 1] += Ux[t]
            self._activate(s[t + 1])
        y = self._workspace.array("y", T + 1, B, H)
        np.copyto(y, s.transpose(0, 2, 1))
        self._x, self._s, self._y = x, s, y
        return y[1:]

    def backward(self, dy: Floats) -> Floats:
        """Back-propagate through the whole window (Werbos 1990).

        With ``δ_t`` the derivative of the loss with respect to ``U x_t + W s_{t-1} + b``::

            δ_t = (dy_t + Wᵀ δ_{t+1}) ⊙ f'_t

        Parameters
        ----------
        dy : (T, B, H)
            Derivative of the loss with respect to each output.

        Returns
        -------
        (T, B, D)
            Derivative with respect to the input. The parameters' derivatives are left in `gradients`.
        """
        T, B, H = dy.shape
        slope = self._slope()
        delta = self._workspace.array("delta", T, H, B)
        from_next = self._workspace.array("from_next", H, B)
        Wt = self._transposed_weights()
        np.copyto(delta, dy.transpose(0, 2, 1))
        for t in reversed(range(T)):
            if t + 1 < T:
                np.matmul(Wt, delta[t + 1], out=from_next)
                delta[t] += from_next
            delta[t] *= slope[t]
        tokens = self._token_major("delta_tokens", delta)
        self._set_gradients(tokens)
        return self._input_error("dx", tokens)

    def backward_truncated(self, dy: list[Floats], steps: int) -> list[Floats]:
        """Back-propagate each output's error at most `steps` time steps back.

        As published for one layer: the error of the output at time t reaches the hidden states of times t,
        t-1, …, t-`steps`. What has come from j steps later is kept apart as lag j, so one product a lag serves
        all time steps at once::

            δ_t⁽ʲ⁾ = (dy_t⁽ʲ⁾ + Wᵀ δ_{t+1}⁽ʲ⁻¹⁾) ⊙ f'_t        δ_t = Σ_j δ_t⁽ʲ⁾

        Parameters
        ----------
        dy
            Arrays (T, B, H) by lag, from 0; an absent lag is zero. The output layer gives lag 0 only.
        steps
            The largest lag, the `k` of truncated BPTT; 0 keeps the error within its own time step.

        Returns
        -------
        list of (T, B, D)
            The error of the input, by lag, for the layer below. Their sum is the derivative of the loss.
        """
        T, B, H = dy[0].shape
        slope = self._slope()
        Wt = self._transposed_weights()
        total = self._workspace.array("delta", T, H, B)
        total[...] = 0
        previous = total
        dx = []
        for lag in range(min(steps, T - 1) + 1):
            delta = self._workspace.array(f"delta_lag_{lag % 2}", T, H, B)
            delta[...] = dy[lag].transpose(0, 2, 1) if lag < len(dy) else 0
            if lag > 0:
                delta[:-1] += Wt @ previous[1:]
            delta *= slope
            total += delta
            dx.append(self._input_error(f"dx_lag_{lag}", self._token_major(f"delta_tokens_{lag}", delta)))
            previous = delta
        self._set_gradients(self._token_major("delta_tokens", total))
        return dx

    def _project(self, x: Floats) -> Floats:
        """Everything in the activation that does not depend on the step before, for all steps: U x + b."""
        U = self.parameters.get("weight_ih")
        if U is not None:
            projected = self._workspace.array("projected", *x.shape[:2], self.hidden_size)
            np.matmul(x.reshape(-1, x.shape[2]), U.T, out=projected.reshape(-1, self.hidden_size))
            x = projected
        if "bias_ih" in self.parameters:
            x += self.parameters["bias_ih"] + self.parameters["bias_hh"]
        return x

    def _activate(self, s: Floats) -> None:
        """Replace `s` by f(s)."""
        if self.nonlinearity == "tanh":
            np.tanh(s, out=s)
        else:
            np.maximum(s, 0, out=s)

    def _slope(self) -> Floats:
        """f'_t for every step, (T, H, B), from the activations: 1 - s² for tanh, [s > 0] for ReLU."""
        s = self._s[1:]
        slope = self._workspace.array("slope", *s.shape)
        if self.nonlinearity == "tanh":
            np.multiply(s, s, out=slope)
            np.subtract(1, slope, out=slope)
        else:
            np.greater(s, 0, out=slope, casting="unsafe")
        return slope

    def _transposed_weights(self) -> Floats:
        """Wᵀ laid out afresh: the product of every step of the backward loop reads it in order."""
        Wt = self._workspace.array("Wt", self.hidden_size, self.hidden_size)
        np.copyto(Wt, self.parameters["weight_hh"].T)
        return Wt

    def _token_major(self, name: str, delta: Floats) -> Floats:
        """Lay (T, H, B) out as (T, B, H)."""
        T, H, B = delta.shape
        tokens = self._workspace.array(name, T, B, H)
        np.copyto(tokens, delta.transpose(0, 2, 1))
        return tokens

    def _set_gradients(self, delta: Floats) -> None:
        """Set ∂U = Σ_t δ_t x_tᵀ, ∂W = Σ_t δ_t s_{t-1}ᵀ and ∂b = Σ_t δ_t from `delta` (T, B, H)."""
        H = self.hidden_size
        rows = delta.reshape(-1, H)
        np.matmul(rows.T, self._y[:-1].reshape(-1, H), out=self.gradients["weight_hh"])
        if "weight_ih" in self.gradients:
            np.matmul(rows.T, self._x.reshape(-1, self._x.shape[2]), out=self.gradients["weight_ih"])
        if "bias_ih" in self.gradients:
            np.sum(rows, axis=0, out=self.gradients["bias_ih"])
            self.gradients["bias_hh"][...] = self.gradients["bias_ih"]

    def _input_error(self, name: str, delta: Floats) -> Floats:
        """``Uᵀ δ_t`` for every step; δ_t itself when the input was ``U x_t``."""
        U = self.parameters.get("weight_ih")
        if U is None:
            return delta
        dx = self._workspace.array(name, *delta.shape[:2], U.shape[1])
        np.matmul(delta.reshape(-1, self.hidden_size), U, out=dx.reshape(-1, U.shape[1]))
        return dx
