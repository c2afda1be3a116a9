"""How fast the machine trains, as a coarse class: what is chosen is not to hang on noise."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from rnnlm.checks.benchmark import fastest_step
from rnnlm.choosing.sizes import Size
from rnnlm.config import Config

SECONDS = 0.7
"""How long each network is timed."""


@dataclass(frozen=True)
class Speed:
    """A machine's speed class.

    Attributes
    ----------
    exponent
        It does the arithmetic of training at ``2 ** exponent`` operations a second, or up to twice as fast.
    """

    exponent: int

    @property
    def operations_per_second(self) -> float:
        """Operations of `Size.operations`."""
        return 2.0**self.exponent

    def tokens(self, size: Size, seconds: float) -> float:
        """Return how many tokens a network is trained on in some seconds."""
        return seconds * self.operations_per_second / size.operations

    def seconds(self, size: Size, tokens: float) -> float:
        """Return how long a network is trained on so many tokens."""
        return tokens * size.operations / self.operations_per_second

    def __str__(self) -> str:
        return f"{self.exponent} ({self.operations_per_second / 1e9:.3g} billion operations a second)"


def measure(candidates: Iterable[tuple[Size, Config]]) -> Speed:
    """Time steps of some networks, and return the class of the fastest.

    Other programs on the machine slow steps down, and never speed one up.
    """
    return Speed(max(math.floor(math.log2(_operations_per_second(*candidate))) for candidate in candidates))


def _operations_per_second(size: Size, config: Config) -> float:
    training = config.training
    tokens = training.batch_size * training.bptt_steps
    return tokens * size.operations / fastest_step(config, SECONDS)
