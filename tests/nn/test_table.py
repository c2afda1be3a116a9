import itertools

import numpy as np
import pytest

from rnnlm.nn.table import Table


@pytest.mark.parametrize("tracks_rows", [False, True])
def test_the_parts_that_share_a_table_add_up_in_whatever_order(tracks_rows: bool) -> None:
    rng = np.random.default_rng(0)
    a, b, whole, rows = (rng.normal(size=shape) for shape in ((4, 7), (4, 3), (7, 3), (2, 3)))
    ids = np.array([5, 5])
    expected = a.T @ b + whole
    np.add.at(expected, ids, rows)
    for order in itertools.permutations(range(3)):
        table = Table(np.zeros((7, 3)), np.full((7, 3), 9.0))
        table.tracks_rows = tracks_rows
        table.begin()
        for part in order:
            if part == 0:
                table.add_product(a, b)
            elif part == 1:
                table.add(whole)
            else:
                table.add_rows(ids, rows)
        np.testing.assert_allclose(table.gradient, expected, rtol=1e-12)
        assert table.rows is None
        table.begin()
        table.add_rows(ids, rows)
        assert (table.rows is None) != tracks_rows
        np.testing.assert_array_equal(np.flatnonzero(table.gradient.any(axis=1)), [5])
