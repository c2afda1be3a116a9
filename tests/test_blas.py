import os
from collections.abc import Iterator

import pytest

from rnnlm import blas


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    before = blas.threads()
    yield
    blas.set_threads(before)


def test_the_kernel_has_a_name():
    assert blas.kernel()
    if blas._openblas("get_corename") is not None:
        assert blas.kernel().startswith("OpenBLAS ")


def test_threads_are_as_many_as_were_set():
    if blas._openblas("set_num_threads") is None:
        pytest.skip("NumPy has another BLAS than OpenBLAS here")
    for number in (1, 2, 1):
        assert blas.set_threads(number)
        assert blas.threads() == number


def test_another_blas_cannot_be_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blas, "_openblas", lambda function: None)
    assert not blas.set_threads(1)
    assert blas.threads() == (os.cpu_count() or 1)
    assert blas.kernel()


def test_variables_that_force_a_kernel_are_named(monkeypatch: pytest.MonkeyPatch):
    assert blas.forcing_variables() == {}
    unforced = blas.unforced_kernel()
    assert unforced
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    assert blas.forcing_variables() == {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}
    assert blas.unforced_kernel() == unforced


def test_the_peak_is_measured_at_least_once():
    assert blas.gemm_peak(seconds=1e-9) > 0.1
