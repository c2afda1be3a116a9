import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm import blas

passes = pytest.importorskip("rnnlm.nn.kernels._passes", reason="the compiled passes are not built")
every_instruction_set = pytest.mark.parametrize("instructions", passes.instruction_sets())
every_precision = pytest.mark.parametrize("dtype", ["float32", "float64"])
THREADS = (1, 2, 3, 7)
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@pytest.fixture(autouse=True)
def _gemms() -> Iterator[None]:
    passes.use_gemms(*blas.gemms())
    yield
    passes.use_gemms(*blas.gemms())


def matrix(rng: np.random.Generator, rows: int, columns: int, layout: str, dtype: str) -> np.ndarray:
    """Return a matrix that is whole, transposed, or cut out of a wider one."""
    if layout == "transposed":
        return rng.normal(size=(columns, rows)).astype(dtype).T
    wide = rng.normal(size=(rows, columns + 3 * (layout == "cut out"))).astype(dtype)
    return wide[:, :columns]


@every_precision
def test_products_are_numpys(dtype: str) -> None:
    if blas.gemms() == (0, 0):
        pytest.skip("NumPy's BLAS is another")
    layouts = st.sampled_from(["whole", "transposed", "cut out"])

    @given(
        shape=st.tuples(*(3 * [st.integers(1, 70)])),
        of_a=layouts,
        of_b=layouts,
        is_cut_out=st.booleans(),
        threads=st.sampled_from(THREADS),
        seed=st.integers(0, 99),
    )
    def examples(
        shape: tuple[int, int, int], of_a: str, of_b: str, is_cut_out: bool, threads: int, seed: int
    ) -> None:
        (M, K, N), rng = shape, np.random.default_rng(seed)
        a, b = matrix(rng, M, K, of_a, dtype), matrix(rng, K, N, of_b, dtype)
        around = np.full((M, N + 2 * is_cut_out), np.nan, dtype)
        out = around[:, :N]
        is_done = passes.multiply(a, b, out, threads)
        # Of a matrix of one row or column NumPy does not say how it lies.
        assert is_done or 1 in shape
        if is_done:
            np.testing.assert_allclose(out, a @ b, rtol=0, atol=TOLERANCE[dtype] * K)
            assert np.isnan(around[:, N:]).all()

    examples()


def test_other_products_are_left_to_numpy() -> None:
    a, b, out = np.ones((4, 6)), np.ones((6, 5)), np.full((4, 5), np.nan)
    everywhere = np.ones((8, 12))[::2, ::2]
    others = [(everywhere, b, out), (a, b.astype(np.float32), out), (a, b, np.full((5, 4), np.nan).T)]
    others += [(np.broadcast_to(np.ones(6), (4, 6)), b, out), (a[:, :0], b[:0], out)]
    for matrices in others:
        assert not passes.multiply(*matrices, 2)
        assert np.isnan(matrices[2]).all()
    passes.use_gemms(0, 0)
    assert not passes.multiply(a, b, out, 2)


def test_matrices_that_have_no_product_are_refused() -> None:
    a, b, out = np.ones((4, 6)), np.ones((6, 5)), np.ones((4, 5))
    for matrices in ((a[:, 1:], b, out), (a[1:], b, out), (a, b[:, 1:], out), (a, b, out[1:])):
        with pytest.raises(ValueError, match="have no product of shape"):
            passes.multiply(*matrices, 2)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        passes.multiply(a, b, out, 2)


@every_instruction_set
@every_precision
def test_rows_of_one_id_are_added_up(instructions: str, dtype: str) -> None:
    passes.use(instructions)
    rng = np.random.default_rng(0)
    for N, n, C in ((1, 1, 1), (40, 33, 5), (9, 64, 12), (0, 7, 2)):
        rows, ids = rng.normal(size=(N, n)).astype(dtype), rng.integers(0, C, N)
        expected = np.zeros((C, n))
        np.add.at(expected, ids, rows)
        found = [np.full((C, n), np.nan, dtype) for _ in THREADS]
        for threads, out in zip(THREADS, found, strict=True):
            passes.add_up(rows, ids, out, threads)
            np.testing.assert_array_equal(out, found[0])
        np.testing.assert_allclose(found[0], expected, rtol=0, atol=TOLERANCE[dtype] * 10)
        with pytest.raises(IndexError, match=f"{C} is not one of {C}"):
            passes.add_up(np.zeros((1, n), dtype), np.array([C]), found[0], 1)
        with pytest.raises(ValueError, match="elements"):
            passes.add_up(rows, np.append(ids, 0), found[0], 1)


@every_instruction_set
@every_precision
def test_gradient_descent_goes_against_the_gradient(instructions: str, dtype: str) -> None:
    passes.use(instructions)
    rng = np.random.default_rng(0)
    for n in (0, 1, 15, 16, 17, 1000):
        theta, g = rng.normal(size=(2, n)).astype(dtype)
        found = [theta.copy() for _ in THREADS]
        for threads, out in zip(THREADS, found, strict=True):
            passes.descend(out, g, 0.3, threads)
            np.testing.assert_array_equal(out, found[0])
        np.testing.assert_allclose(found[0], theta - 0.3 * g, rtol=0, atol=TOLERANCE[dtype])
        with pytest.raises(ValueError, match="elements"):
            passes.descend(theta, np.append(g, 1).astype(dtype), 0.3, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own() -> None:
    theta, g = np.ones(1000), np.ones(1000)
    passes.descend(theta, g, 0.5, 3)
    child = os.fork()
    if child == 0:
        for _ in range(100):
            passes.descend(theta, g, 0.5, 3)
        os._exit(int((theta != -49.5).any()))
    assert os.waitpid(child, 0)[1] == 0
