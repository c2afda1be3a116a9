"""How weights start."""

from dataclasses import dataclass

import numpy as np

from rnnlm.nn.arrays import Floats


def uniform(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Floats:
    """Draw from the uniform distribution over ``[-1/√n, 1/√n]`` (LeCun et al. 1998, "Efficient BackProp", 4.6).

    `fan_in` is n, the number of connections from the layer before.
    """
    bound = 1 / np.sqrt(fan_in)
    return rng.uniform(-bound, bound, shape)


def glorot(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Draw a matrix from the uniform distribution over ``±√(6 / (rows + columns))`` (Glorot and Bengio 2010)."""
    bound = np.sqrt(6 / (rows + columns))
    return rng.uniform(-bound, bound, (rows, columns))


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Draw a matrix with orthonormal columns, or rows where it has fewer of them (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    # The signs make the distribution uniform over the orthogonal matrices (Mezzadri 2007).
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


def identity(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Return the identity: at first each unit repeats itself, as Le et al. 2015 begin ReLU units."""
    return np.eye(rows, columns)


def matrix(name: str, rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Make a matrix from `columns` inputs to `rows` outputs by an initializer's name in a configuration."""
    if name == "uniform":
        return uniform(rng, (rows, columns), columns)
    return {"glorot": glorot, "orthogonal": orthogonal, "identity": identity}[name](rng, rows, columns)


@dataclass(frozen=True)
class Initialization:
    """Draws the initial weights of a network, part after part.

    Attributes
    ----------
    rng
        Source of randomness.
    kind, recurrent_kind
        How input and output weights, and recurrent weights, start: a name that `matrix` knows.
    recurrent_scale
        Factor on the recurrent weights.
    """

    rng: np.random.Generator
    kind: str
    recurrent_kind: str
    recurrent_scale: float

    def matrix(self, rows: int, columns: int) -> Floats:
        """Make the weights from `columns` inputs to `rows` outputs."""
        return matrix(self.kind, self.rng, rows, columns)

    def input_gates(self, gates: int, hidden_size: int, inputs: int) -> Floats:
        """Make the input weights of several gates, each a matrix of its own, (gates · hidden_size, inputs)."""
        return np.concatenate([self.matrix(hidden_size, inputs) for _ in range(gates)])

    def recurrent_gates(self, gates: int, hidden_size: int) -> Floats:
        """Make the recurrent weights of several gates, (gates · hidden_size, hidden_size)."""
        each = [matrix(self.recurrent_kind, self.rng, hidden_size, hidden_size) for _ in range(gates)]
        return self.recurrent_scale * np.concatenate(each)

    def vector(self, size: int, fan_in: int) -> Floats:
        """Make a bias, or weights of single units, from the uniform distribution."""
        return uniform(self.rng, (size,), fan_in)
