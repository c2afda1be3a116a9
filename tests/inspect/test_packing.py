import base64
import zlib

import numpy as np

from rnnlm.inspect.packing import STEPS, in_steps, packed


def test_arrays_are_packed_with_the_lowest_byte_first() -> None:
    content = zlib.decompress(base64.b64decode(packed(np.array([[1, 258], [-1, 0]], ">i4"))))
    assert content.hex() == "0100000002010000ffffffff00000000"


def test_values_are_kept_within_half_a_step() -> None:
    values = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32) * [1, 0.01, 30, 0]
    steps, largest = in_steps(values)
    assert (steps.shape, steps.dtype) == ((4, 50), np.int8)
    assert np.abs(steps).max(axis=1).tolist() == [STEPS, STEPS, STEPS, 0]
    np.testing.assert_allclose(largest, np.abs(values).max(axis=0), rtol=1e-6)
    assert np.all(np.abs(steps.T / STEPS * largest - values) <= largest / STEPS / 2 + 1e-6)
