import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import threadpoolctl

from rnnlm import blas

NUMPY = Path(np.__file__).resolve().parent


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    blas._library.cache_clear()
    before = blas.threads()
    yield
    blas._library.cache_clear()
    blas.set_threads(before)


def load(monkeypatch: pytest.MonkeyPatch, *libraries: SimpleNamespace) -> None:
    """Let these libraries be the only ones that are loaded."""
    controller = SimpleNamespace(select=lambda user_api: SimpleNamespace(lib_controllers=libraries))
    monkeypatch.setattr(threadpoolctl, "ThreadpoolController", lambda: controller)
    blas._library.cache_clear()


def library(path: object, name: str, **attributes: object) -> SimpleNamespace:
    return SimpleNamespace(filepath=str(path), internal_api=name, version="1.2", **attributes)


def test_the_kernel_has_a_name():
    assert blas.kernel()
    if blas._library() is not None and blas._library().internal_api == "openblas":
        assert blas.kernel() == f"OpenBLAS {blas._library().architecture}"


def test_threads_are_as_many_as_were_set():
    if not blas.set_threads(1):
        pytest.skip("threadpoolctl does not know NumPy's BLAS here")
    for number in (1, 2, 1):
        assert blas.set_threads(number)
        assert blas.threads() == number


def test_any_thread_may_set_the_number_for_all():
    if not blas.set_threads(1):
        pytest.skip("threadpoolctl does not know NumPy's BLAS here")
    if blas._library().threading_layer == "openmp":
        pytest.skip("OpenMP has a number for every thread")
    other = threading.Thread(target=blas.set_threads, args=(2,))
    other.start()
    other.join()
    assert blas.threads() == 2


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("openblas", {"architecture": "SkylakeX"}, "OpenBLAS SkylakeX"),
        ("openblas", {"architecture": None}, "OpenBLAS 1.2"),
        ("blis", {"architecture": "zen3"}, "BLIS zen3"),
        ("flexiblas", {"current_backend": "NETLIB"}, "FlexiBLAS NETLIB"),
        ("mkl", {}, "MKL 1.2"),
    ],
)
def test_every_blas_is_named(monkeypatch: pytest.MonkeyPatch, name, attributes, expected):
    load(monkeypatch, library("/usr/lib/libblas.so", name, **attributes))
    assert blas.kernel() == expected


@pytest.mark.parametrize(
    "path",
    [NUMPY.parent / "numpy.libs" / "libopenblas.so", NUMPY / ".dylibs" / "lib.dylib", "/usr/lib/libblis.so"],
)
def test_the_blas_of_numpy_is_meant_among_several(monkeypatch: pytest.MonkeyPatch, path):
    of_numpy = library(path, "openblas", num_threads=3)
    of_scipy = library(NUMPY.parent / "site-packages" / "scipy.libs" / "libopenblas.so", "openblas", num_threads=5)
    for libraries in ((of_numpy, of_scipy), (of_scipy, of_numpy)):
        load(monkeypatch, *libraries)
        assert blas.threads() == 3


def test_another_blas_cannot_be_told(monkeypatch: pytest.MonkeyPatch):
    load(monkeypatch)
    assert not blas.set_threads(1)
    assert blas.threads() == (os.cpu_count() or 1)
    assert blas.kernel()


def test_importing_it_is_light():
    code = "import sys, rnnlm.blas; print('threadpoolctl' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_variables_that_force_a_kernel_are_named(monkeypatch: pytest.MonkeyPatch):
    assert blas.forcing_variables() == {}
    unforced = blas.unforced_kernel()
    assert unforced
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    assert blas.forcing_variables() == {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}
    assert blas.unforced_kernel() == unforced


def test_another_package_of_the_name_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("rnnlm").mkdir()
    Path("rnnlm", "__init__.py").write_text("raise ImportError")
    assert blas.unforced_kernel()


def test_the_peak_is_measured_at_least_once():
    assert blas.gemm_peak(seconds=1e-9) > 0.1
