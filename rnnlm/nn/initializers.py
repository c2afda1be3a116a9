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
