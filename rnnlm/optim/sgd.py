"""Stochastic gradient descent."""

from rnnlm.nn.arrays import Floats


class SGD:
    """``θ ← θ - η (∂L/∂θ + λ θ)``, and what other optimizers change of it.

    Parameters
    ----------
    parameters, gradients
        Arrays by name.
    weight_decay
        λ, the weight of the L2 penalty.
    """

    def __init__(
        self, parameters: dict[str, Floats], gradients: dict[str, Floats], weight_decay: float = 0.0
    ) -> None:
        self.parameters = parameters
        self.gradients = gradients
        self.weight_decay = weight_decay

    def step(self, learning_rate: float) -> None:
        """Change the parameters in place by a step of size η = `learning_rate`; uses the gradients up."""
        for name, parameter in self.parameters.items():
            gradient = self.gradients[name]
            if self.weight_decay:
                parameter *= 1 - learning_rate * self.weight_decay
            gradient *= learning_rate
            parameter -= gradient

    def state(self) -> dict[str, Floats]:
        """Return what a resumed run needs, as arrays by name: nothing."""
        return {}

    def load_state(self, state: dict[str, Floats]) -> None:
        """Go on from what `state` returned."""
