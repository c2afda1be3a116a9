import numpy as np
import pytest

from rnnlm.nn.arrays import Workspace
from rnnlm.nn.group_sums import PART, GroupSums

SIZES = [0, 1, 5, PART, PART + 1, 3 * PART, PART**2 + 7, 0]


@pytest.mark.parametrize("sizes", [SIZES, [1], [0, 0], [PART * PART * PART + 1]])
def test_sums_are_those_of_a_loop(sizes: list[int]) -> None:
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    places, rows = rng.integers(0, 50, len(groups)), rng.normal(size=(50, 3))
    expected = np.zeros((len(sizes), 3))
    np.add.at(expected, groups, rows[places])
    sums = GroupSums(groups, places, len(sizes))
    workspace, out = Workspace(rows.dtype), np.full_like(expected, np.nan)
    for _ in range(2):
        np.testing.assert_allclose(sums(rows, out, workspace), expected, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(sums.sizes, sizes)


def test_a_large_group_takes_few_steps() -> None:
    sums = GroupSums(np.zeros(100_000, int), np.arange(100_000), 1)
    steps = 0
    level: GroupSums | None = sums
    while level is not None:
        steps += len(level._diagonals)
        level = level._of_parts
    assert steps <= 4 * PART
