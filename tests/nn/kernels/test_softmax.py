"""The compiled steps of the softmax against those of NumPy, with every instruction set of the processor."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.nn import threads
from rnnlm.nn.heads import softmax as numpys
from rnnlm.nn.table import Table

passes = pytest.importorskip("rnnlm.nn.kernels._passes", reason="the compiled passes are not built")
compiled = pytest.importorskip("rnnlm.nn.kernels.softmax", reason="the compiled passes are not built")

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

every_instruction_set = pytest.mark.parametrize("instructions", passes.instruction_sets())
every_precision = pytest.mark.parametrize("dtype", TOLERANCE)


def computed(
    exponentials: Callable[..., None], logits: np.ndarray, bias: np.ndarray | None, targets: np.ndarray
) -> dict[str, np.ndarray]:
    e = logits.copy()
    losses, sums = np.empty((2, len(e)), e.dtype)
    with np.errstate(all="ignore"):
        exponentials(e, bias, targets, losses, sums)
    return {"exponentials": e, "losses": losses, "sums": sums}


def check(logits: np.ndarray, bias: np.ndarray | None, targets: np.ndarray) -> None:
    found, expected = (computed(e, logits, bias, targets) for e in (compiled.exponentials, numpys.exponentials))
    for name, array in expected.items():
        # Sums are as large as there are classes, losses as the logits.
        close = TOLERANCE[str(array.dtype)]
        np.testing.assert_allclose(found[name], array, rtol=close, atol=close, err_msg=name)


@every_instruction_set
@every_precision
def test_it_computes_what_numpy_does(instructions: str, dtype: str) -> None:
    passes.use(instructions)

    @given(
        N=st.integers(0, 20),
        C=st.integers(1, 100),
        seed=st.integers(0, 99),
        scale=st.sampled_from([0.1, 3.0, 100.0, 3000.0]),
        has_bias=st.booleans(),
    )
    def examples(N: int, C: int, seed: int, scale: float, has_bias: bool) -> None:
        rng = np.random.default_rng(seed)
        logits = (scale * rng.normal(size=(N, C))).astype(dtype)
        bias = rng.normal(size=C).astype(dtype) if has_bias else None
        check(logits, bias, rng.integers(0, C, N))

    examples()


@every_instruction_set
@every_precision
@pytest.mark.parametrize("C", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33])
def test_the_largest_and_the_target_may_stand_anywhere(instructions: str, dtype: str, C: int) -> None:
    passes.use(instructions)
    check((50 * np.eye(C)).astype(dtype), None, np.arange(C))
    check((50 * np.eye(C)).astype(dtype), np.linspace(-1, 1, C, dtype=dtype), np.arange(C)[::-1].copy())


@every_instruction_set
@every_precision
@pytest.mark.parametrize("C", [1, 3, 16, 19, 40])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_a_loss_that_overflows_is_seen(instructions: str, dtype: str, C: int, bad: float) -> None:
    passes.use(instructions)
    for place in {0, C // 2, C - 1}:
        for other in (0, C - 1):
            logits, targets = np.zeros((2, C), dtype), np.array([other, other])
            logits[1, place] = bad
            found, expected = (
                computed(e, logits, None, targets) for e in (compiled.exponentials, numpys.exponentials)
            )
            for name in ("losses", "sums"):
                np.testing.assert_allclose(found[name], expected[name], rtol=TOLERANCE[dtype], err_msg=name)


@every_instruction_set
@every_precision
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_of_nothing_else_is_not_a_number(instructions: str, dtype: str, bad: float) -> None:
    passes.use(instructions)
    for C in (1, 5, 16, 19, 40):
        found = computed(compiled.exponentials, np.full((1, C), bad, dtype), None, np.array([0]))
        assert all(np.isnan(array).all() for array in found.values())


@every_instruction_set
@every_precision
def test_every_number_of_threads_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, instructions: str, dtype: str
) -> None:
    passes.use(instructions)
    monkeypatch.setattr(compiled, "WORTH_SHARING", 0)
    rng = np.random.default_rng(0)
    for N, C in ((23, 77), (2, 5), (1, 40)):
        logits, bias = 3 * rng.normal(size=(N, C)).astype(dtype), rng.normal(size=C).astype(dtype)
        targets, found = rng.integers(0, C, N), []
        for number in (1, 2, 3, 7):
            monkeypatch.setattr(threads, "_number", number)
            found.append(computed(compiled.exponentials, logits, bias, targets))
        for other in found[1:]:
            for name, array in found[0].items():
                np.testing.assert_array_equal(other[name], array, err_msg=name)


@pytest.mark.parametrize("target", [-1, 5, 2**62])
def test_classes_that_do_not_exist_are_refused(target: int) -> None:
    with pytest.raises(IndexError, match=rf"^{target} is not one of 5$"):
        computed(compiled.exponentials, np.zeros((3, 5)), None, np.array([0, 4, target]))


def test_arrays_of_another_shape_or_type_are_refused() -> None:
    def arrays() -> list[np.ndarray]:
        return [np.zeros((3, 5)), np.zeros(5), np.zeros(3, np.int64), np.zeros(3), np.zeros(3)]

    passes.exponentials(*arrays())
    for k, array in enumerate(arrays()):
        readonly = array.copy()
        readonly.flags.writeable = False
        wide = np.zeros((*array.shape, 2), array.dtype)[..., 0]
        for bad in (array.astype(np.int32), array.astype(np.float16), wide, array[1:].copy(), readonly):
            if bad is readonly and k in (1, 2):  # they are not written
                continue
            given = arrays()
            given[k] = bad
            with pytest.raises((TypeError, ValueError, BufferError)):
                passes.exponentials(*given)


def derivatives(
    kind: type[numpys.Softmax], V: np.ndarray, bias: np.ndarray | None, s: np.ndarray, targets: np.ndarray
) -> dict[str, np.ndarray]:
    """What a softmax adds to a gradient in which it has added something already."""
    head = kind(Table(V), bias, None if bias is None else np.zeros_like(bias))
    head.begin()
    with np.errstate(all="ignore"):
        first, ds = head.loss_and_gradient(s, targets, 0.5)
        ds = ds.copy()
        second, _ = head.loss_and_gradient(-s, targets, 2.0)
    return {"losses": np.array([first, second]), "ds": ds, **head.gradients}


@every_instruction_set
@every_precision
def test_few_rows_give_what_numpy_does(monkeypatch: pytest.MonkeyPatch, instructions: str, dtype: str) -> None:
    passes.use(instructions)
    monkeypatch.setattr(compiled, "CLASSES_OF_A_PART", 37)

    @given(
        N=st.integers(1, passes.most_rows(np.dtype(dtype)) + 1),
        C=st.integers(1, 200),
        H=st.integers(1, 70),
        seed=st.integers(0, 99),
        scale=st.sampled_from([0.1, 1.0, 30.0]),
        has_bias=st.booleans(),
    )
    def examples(N: int, C: int, H: int, seed: int, scale: float, has_bias: bool) -> None:
        rng = np.random.default_rng(seed)
        V, s = (scale * rng.normal(size=(C, H)) / H**0.5).astype(dtype), rng.normal(size=(N, H)).astype(dtype)
        bias = rng.normal(size=C).astype(dtype) if has_bias else None
        targets = rng.integers(0, C, N)
        found, expected = (
            derivatives(kind, V, bias, s, targets) for kind in (compiled.CompiledSoftmax, numpys.Softmax)
        )
        for name, array in expected.items():
            close = TOLERANCE[dtype] * max(1, scale)
            np.testing.assert_allclose(found[name], array, rtol=close, atol=close * N, err_msg=name)

    examples()


@every_instruction_set
@every_precision
def test_few_rows_give_the_same_bits_on_every_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, instructions: str, dtype: str
) -> None:
    passes.use(instructions)
    monkeypatch.setattr(compiled, "PRODUCTS_WORTH_SHARING", 0)
    monkeypatch.setattr(compiled, "CLASSES_OF_A_PART", 10)
    rng = np.random.default_rng(0)
    V, bias, s = (rng.normal(size=shape).astype(dtype) for shape in ((55, 9), 55, (6, 9)))
    found = []
    for number in (1, 2, 3, 7):
        monkeypatch.setattr(threads, "_number", number)
        found.append(derivatives(compiled.CompiledSoftmax, V, bias, s, np.arange(6) * 9))
    for other in found[1:]:
        for name, array in found[0].items():
            np.testing.assert_array_equal(other[name], array, err_msg=name)


@every_instruction_set
@every_precision
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_of_few_rows_that_overflows_is_seen(
    monkeypatch: pytest.MonkeyPatch, instructions: str, dtype: str, bad: float
) -> None:
    passes.use(instructions)
    monkeypatch.setattr(compiled, "CLASSES_OF_A_PART", 8)
    for place in (0, 9, 22):
        V, s = np.ones((23, 3), dtype), np.ones((2, 3), dtype)
        V[place] = bad
        found = derivatives(compiled.CompiledSoftmax, V, None, s, np.array([3, 9]))
        assert not np.isfinite(found["losses"]).all()


def test_of_few_rows_classes_that_do_not_exist_are_refused() -> None:
    for target in (-1, 5):
        with pytest.raises(IndexError, match=rf"^{target} is not one of 5$"):
            derivatives(compiled.CompiledSoftmax, np.zeros((5, 4)), None, np.zeros((2, 4)), np.array([0, target]))


def test_arrays_of_few_rows_of_another_shape_or_type_are_refused() -> None:
    dtype = np.dtype(np.float64)
    N, H, C, lanes = 3, 4, 5, passes.packed_size(np.dtype(np.float64), 1, 3, 1)

    def arrays() -> dict[str, np.ndarray]:
        return {
            "s_by_unit": np.zeros(passes.packed_size(dtype, H, N, 1)),
            "s_by_row": np.zeros(passes.packed_size(dtype, N, H, 1)),
            "V": np.zeros((C, H)),
            "bias": np.zeros(C),
            "targets": np.zeros(N, np.int64),
            "e": np.zeros((C, lanes)),
            "target_logits": np.zeros(N),
        }

    def outputs() -> list[np.ndarray]:
        return [np.zeros(lanes), np.zeros((H, lanes)), np.zeros((C, H)), np.zeros(C)]

    few = passes.Few(arrays(), C)
    few.forward(np.zeros(lanes), np.zeros(lanes))
    few.backward(*outputs())
    for name, array in arrays().items():
        for bad in (array.astype(np.float16), array[1:].copy()):
            with pytest.raises((TypeError, ValueError, BufferError)):
                passes.Few(arrays() | {name: bad}, C)
    for k, array in enumerate(outputs()):
        for bad in (array.astype(np.float16), array[1:].copy()):
            given_outputs = outputs()
            given_outputs[k] = bad
            with pytest.raises((TypeError, ValueError, BufferError)):
                few.backward(*given_outputs)
    many = np.zeros(passes.most_rows(dtype) + 1, np.int64)
    with pytest.raises(ValueError, match="rows are not few"):
        passes.Few(arrays() | {"targets": many}, C)
    with pytest.raises(ValueError, match="0 classes no part"):
        passes.Few(arrays(), 0)
