"""How weights start."""

import numpy as np

from rnnlm.nn.arrays import Floats


def uniform(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Floats:
    """Draw from the uniform distribution over ``[-1/√n, 1/√n]``.

    Parameters
    ----------
    rng
        Source of randomness.
    shape
        Shape of the weight array.
    fan_in
        `n`, the number of connections from the layer before.

    References
    ----------
    LeCun et al., "Efficient BackProp", 1998, section 4.6.
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


def gate_matrices(name: str, rng: np.random.Generator, gates: int, hidden_size: int, inputs: int) -> Floats:
    """Make the weights of several gates, (gates · hidden_size, inputs), each gate's a matrix of its own."""
    return np.concatenate([matrix(name, rng, hidden_size, inputs) for _ in range(gates)])
