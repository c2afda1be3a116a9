import importlib.util

import pytest

from rnnlm import backend, blas
from rnnlm.errors import RnnlmError
from rnnlm.nn import threads as own_threads
from tests import passes


def build(monkeypatch: pytest.MonkeyPatch, *instruction_sets: str) -> None:
    """Let there be compiled passes for these instruction sets; without any, none."""
    passes.build(monkeypatch, *instruction_sets)
    # What is chosen here is forgotten after the test.
    monkeypatch.setattr(backend, "_chosen", None)
    monkeypatch.setattr(own_threads, "_number", 0)


@pytest.mark.parametrize("setting", ["auto", "compiled"])
def test_compiled_passes_run_where_they_are_built(monkeypatch: pytest.MonkeyPatch, setting: str):
    build(monkeypatch, "AVX-512", "AVX2", "x86-64")
    backend.choose(setting)
    assert backend.available()
    assert backend.current() == "compiled"
    assert backend.instruction_set() == "AVX-512"
    assert backend.description() == "compiled passes, AVX-512"


@pytest.mark.parametrize(
    ("setting", "instruction_sets"), [("auto", []), ("numpy", []), ("numpy", ["NEON"])], ids=str
)
def test_numpy_runs_where_nothing_is_built_or_it_is_chosen(
    monkeypatch: pytest.MonkeyPatch, setting: str, instruction_sets: list[str]
):
    build(monkeypatch, *instruction_sets)
    backend.choose(setting)
    assert backend.available() == bool(instruction_sets)
    assert backend.current() == "numpy"
    assert backend.instruction_set() is None
    assert backend.description() == "NumPy passes"


@pytest.mark.parametrize(
    ("variable", "setting", "expected"),
    [
        ("numpy", "compiled", "numpy"),
        ("compiled", "numpy", "compiled"),
        ("auto", "numpy", "compiled"),
        ("", "numpy", "numpy"),
    ],
)
def test_the_variable_stands_above_the_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, setting: str, expected: str
):
    build(monkeypatch, "AVX2")
    monkeypatch.setenv("RNNLM_BACKEND", variable)
    backend.choose(setting)
    assert backend.current() == expected


def test_what_is_not_built_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    build(monkeypatch)
    advice = (
        "the compiled passes are not built here; install the package again where there is a C compiler, or choose"
    )
    with pytest.raises(RnnlmError, match=rf"^training\.backend: {advice} auto\.$"):
        backend.choose("compiled")
    assert backend.current() == "numpy"
    monkeypatch.setenv("RNNLM_BACKEND", "compiled")
    for ask in (backend.current, lambda: backend.choose("numpy")):
        with pytest.raises(RnnlmError, match=rf"^RNNLM_BACKEND: {advice} auto\.$"):
            ask()


def test_another_value_of_the_variable_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RNNLM_BACKEND", "cuda")
    with pytest.raises(RnnlmError, match=r"^RNNLM_BACKEND: must be auto, numpy or compiled, not 'cuda'\.$"):
        backend.current()


def test_here_it_is_what_is_installed():
    built = importlib.util.find_spec("rnnlm.nn.kernels._passes") is not None
    assert backend.available() == built
    if built:
        assert backend.instruction_set() in ("AVX-512", "AVX2", "x86-64", "NEON")


def test_without_a_number_there_are_as_many_threads_as_at_first(monkeypatch: pytest.MonkeyPatch):
    build(monkeypatch, "AVX2")
    threads = 3

    def set_threads(number: int) -> bool:
        nonlocal threads
        threads = number
        return True

    monkeypatch.setattr(blas, "threads", lambda: threads)
    monkeypatch.setattr(blas, "set_threads", set_threads)
    backend._threads_at_first.cache_clear()
    try:
        for setting, number, expected in (("auto", 2, 2), ("auto", None, 3), ("numpy", 1, 1), ("numpy", None, 3)):
            backend.choose(setting, number)
            assert backend.threads() == expected
    finally:
        backend._threads_at_first.cache_clear()
