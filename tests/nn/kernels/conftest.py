from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _instructions() -> Iterator[None]:
    """Go back to the fastest instructions after each test that chose others."""
    yield
    passes = pytest.importorskip("rnnlm.nn.kernels._passes")
    passes.use(passes.instruction_sets()[0])
