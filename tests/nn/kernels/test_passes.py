"""The compiled passes against those of NumPy, with every instruction set of the processor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.nn import threads
from rnnlm.nn.cells import CELLS
from rnnlm.nn.layer import Rows, Vectors
from rnnlm.nn.recurrent import RecurrentLayer
from tests.networks import initialization

passes = pytest.importorskip("rnnlm.nn.kernels._passes", reason="the compiled passes are not built")
layers = pytest.importorskip("rnnlm.nn.kernels.layers", reason="the compiled passes are not built")

NAMES = ("tanh", "relu", "gru", "lstm")
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
Arrays = dict[str, np.ndarray]

every_instruction_set = pytest.mark.parametrize("instructions", passes.instruction_sets())
every_cell = pytest.mark.parametrize("name", NAMES)


def make(
    compiled: bool,
    name: str,
    input_size: int | None,
    hidden_size: int,
    *,
    bias: bool = True,
    dtype: str = "float64",
    **options: Any,
) -> RecurrentLayer:
    """Make a layer of one back end; those of both have the same weights."""
    cell = name if name in CELLS else "rnn"
    if cell == "rnn":
        options["nonlinearity"] = name
    cells = layers.COMPILED_CELLS if compiled else CELLS
    layer: RecurrentLayer = cells[cell](
        input_size, hidden_size, bias, initialization(), np.dtype(dtype), **options
    )
    # With weights of this size neither states nor errors grow over time, and no rounding with them.
    layer.parameters["weight_hh"] /= np.sqrt(hidden_size).astype(dtype)
    return layer


def passed(layer: RecurrentLayer, x: Vectors, state: np.ndarray, dy: np.ndarray, **options: Any) -> Arrays:
    """Return all that a pass forward and backward computes."""
    lengths, dstate = options.get("lengths"), options.get("dstate")
    y, last = layer.forward(x, state, np.random.default_rng(1), lengths=lengths)
    y = y.copy()  # the way back must not need what is handed out
    dx = layer.backward(dy, dstate)
    return {
        **{"y": y, "last": last, "dx": dx.copy(), "dstate": layer.state_error()},
        "hidden_gradients": layer.hidden_gradients.copy(),
        **{f"gradient of {key}": gradient.copy() for key, gradient in layer.gradients.items()},
    }


def check(found: Arrays, expected: Arrays, dtype: str) -> None:
    """Compare arrays by the size of the largest element of each."""
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        scale = max(1.0, float(np.abs(array).max(initial=0)))
        close = {"rtol": 0, "atol": TOLERANCE[dtype] * scale, "err_msg": key}
        assert found[key].dtype == array.dtype
        np.testing.assert_allclose(found[key], array, **close)


class Case:
    """A layer's shape and what it is given, drawn at random."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], name: str, dtype: str) -> None:
        self.name, self.dtype = name, dtype
        B, H = draw(st.integers(1, 70)), draw(st.integers(1, 200))
        T = draw(st.integers(1, max(1, min(40, 60_000 // (B * H)))))  # the largest of all at once take long
        self.T, self.B, self.H, D = T, B, H, draw(st.integers(1, 9))
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        G, S = {"gru": 3, "lstm": 4}.get(name, 1), 2 if name == "lstm" else 1

        def numbers(*shape: int) -> np.ndarray:
            return rng.normal(size=shape).astype(dtype)

        looked_up, by_row = draw(st.booleans()), draw(st.booleans())
        self.input_size = None if looked_up else D
        width = G * H if looked_up else D
        C = draw(st.integers(1, 5))
        self.x: Vectors = numbers(T, B, width)
        if by_row:
            self.x = Rows(numbers(C, width), rng.integers(0, C, (T, B)))
        self.state, self.dy = numbers(S, B, H), numbers(T, B, H)
        self.bias = draw(st.booleans())
        self.lengths = rng.integers(0, T + 1, B) if draw(st.booleans()) else None
        self.dstate = numbers(S, B, H) if draw(st.booleans()) else None
        self.dropout = draw(st.sampled_from([0.0, 0.0, 0.3]))
        if draw(st.booleans()):
            # As a network of two directions hands arrays on: not in the order of their elements.
            self.dy = np.asfortranarray(self.dy)
            self.state = np.ascontiguousarray(self.state.swapaxes(1, 2)).swapaxes(1, 2)

    def __repr__(self) -> str:
        return str({k: v for k, v in vars(self).items() if not isinstance(v, np.ndarray | Rows)})

    def layer(self, compiled: bool) -> RecurrentLayer:
        options = {"bias": self.bias, "dtype": self.dtype, "recurrent_dropout": self.dropout}
        return make(compiled, self.name, self.input_size, self.H, **options)

    def passed(self, compiled: bool) -> Arrays:
        options = {"lengths": self.lengths, "dstate": self.dstate}
        return passed(self.layer(compiled), self.x, self.state, self.dy, **options)

    def truncated(self, compiled: bool) -> Arrays:
        layer, rng = self.layer(compiled), np.random.default_rng(1)
        layer.forward(self.x, self.state, rng)
        errors = layer.backward_truncated([self.dy], 2)
        return {f"lag {lag}": dx.copy() for lag, dx in enumerate(errors)} | layer.gradients


@every_instruction_set
@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_pass_computes_what_numpy_does(instructions: str, name: str, dtype: str) -> None:
    passes.use(instructions)

    @settings(max_examples=18, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def examples(data: st.DataObject) -> None:
        case = Case(data.draw, name, dtype)
        check(case.passed(True), case.passed(False), dtype)

    examples()


@every_cell
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_truncated_errors_are_those_of_numpy(name: str, data: st.DataObject) -> None:
    case = Case(data.draw, name, "float64")
    check(case.truncated(True), case.truncated(False), "float64")


@every_instruction_set
@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("B", [1, 6, 7, 13])
def test_units_at_the_edge_of_a_vector(instructions: str, name: str, dtype: str, B: int) -> None:
    passes.use(instructions)
    rng = np.random.default_rng(0)
    for H in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65):
        numpys, compiled = (make(which, name, 2, H, dtype=dtype) for which in (False, True))
        S = numpys.num_states
        x, state, dy = (rng.normal(size=shape).astype(dtype) for shape in ((2, B, 2), (S, B, H), (2, B, H)))
        check(passed(compiled, x, state, dy), passed(numpys, x, state, dy), dtype)


@every_instruction_set
@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_number_of_threads_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, instructions: str, name: str, dtype: str
) -> None:
    passes.use(instructions)
    monkeypatch.setattr(layers, "WORTH_SHARING", 0)
    rng = np.random.default_rng(0)
    for T, B, H in ((5, 23, 37), (3, 8, 70), (4, 2, 5), (3, 1, 9)):
        found = []
        for number in (1, 2, 3, 7):
            monkeypatch.setattr(threads, "_number", number)
            layer, rng = make(True, name, 3, H, dtype=dtype), np.random.default_rng(0)
            shapes = ((T, B, 3), (layer.num_states, B, H), (T, B, H), (layer.num_states, B, H))
            x, state, dy, dstate = (rng.normal(size=shape).astype(dtype) for shape in shapes)
            found.append(passed(layer, x, state, dy, dstate=dstate, lengths=rng.integers(0, T + 1, B)))
        for other in found[1:]:
            for key in found[0]:
                np.testing.assert_array_equal(other[key], found[0][key], err_msg=f"{key} {T, B, H}")


@every_instruction_set
@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_what_overflows_is_as_with_numpy(instructions: str, name: str, dtype: str, bad: float) -> None:
    passes.use(instructions)
    # Enough units that one stands in a whole vector and one in a part of one.
    for unit in (0, 16, 18):
        x, state = np.zeros((2, 3, 19 * {"gru": 3, "lstm": 4}.get(name, 1)), dtype), np.zeros((2, 3, 19), dtype)
        x[0, 1, unit::19] = bad
        with np.errstate(all="ignore"):
            found, expected = (
                make(which, name, None, 19, dtype=dtype).forward(x, state[: 1 + (name == "lstm")])[0]
                for which in (True, False)
            )
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        finite = np.isfinite(expected) & (np.abs(expected) < 1e10)
        np.testing.assert_allclose(found[finite], expected[finite], atol=TOLERANCE[dtype], rtol=0)
        np.testing.assert_allclose(found[~finite], expected[~finite], rtol=1e-5)


@every_instruction_set
@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_an_error_that_is_not_a_number_reaches_the_weights(instructions: str, name: str, dtype: str) -> None:
    passes.use(instructions)
    layer = make(True, name, 2, 19, dtype=dtype)
    state, dy = np.ones((layer.num_states, 3, 19), dtype), np.zeros((4, 3, 19), dtype)
    y, _ = layer.forward(np.ones((4, 3, 2), dtype), state)
    dy[-1, 1, int(y[-1, 1].argmax())] = np.nan
    layer.backward(dy)
    assert all(np.isnan(gradient).any() for gradient in layer.gradients.values())


@every_cell
def test_no_sequences_are_no_work(name: str) -> None:
    layer = make(True, name, 2, 5)
    y, last = layer.forward(np.empty((3, 0, 2)), layer.initial_state(0), lengths=np.empty(0, np.int64))
    assert (y.shape, last.shape) == ((3, 0, 5), (layer.num_states, 0, 5))
    assert layer.backward(np.empty((3, 0, 5))).shape == (3, 0, 2)
    assert not layer.gradients["weight_hh"].any()


@every_cell
def test_no_steps_keep_the_state(name: str) -> None:
    layer = make(True, name, 2, 5)
    state = np.random.default_rng(0).normal(size=(layer.num_states, 3, 5))
    y, last = layer.forward(np.empty((0, 3, 2)), state)
    assert y.shape == (0, 3, 5)
    np.testing.assert_array_equal(last, state)


@every_cell
def test_what_is_handed_in_is_not_changed(name: str) -> None:
    layer, rng = make(True, name, 2, 5), np.random.default_rng(0)
    shapes = ((3, 4, 2), (layer.num_states, 4, 5), (3, 4, 5), (layer.num_states, 4, 5))
    x, state, dy, dstate = arrays = [rng.normal(size=shape) for shape in shapes]
    for array in arrays:
        array.flags.writeable = False
    passed(layer, x, state, dy, dstate=dstate)


@every_cell
def test_steps_out_of_order_are_refused(name: str) -> None:
    layer = make(True, name, 2, 5)
    dy = np.zeros((3, 4, 5))
    for back in (lambda: layer.backward(dy), lambda: layer.backward_truncated([dy], 2)):
        with pytest.raises(RuntimeError, match="backward needs a forward before it"):
            back()
    with pytest.raises(RuntimeError, match="state_error needs a backward before it"):
        layer.state_error()
    layer.forward(np.zeros((3, 4, 2)), layer.initial_state(4))
    layer.backward(dy)
    with pytest.raises(RuntimeError, match="backward needs a forward before it"):
        layer.backward(dy)
    layer.forward(np.zeros((3, 4, 2)), layer.initial_state(4), lengths=np.array([1, 2, 3, 3]))
    with pytest.raises(ValueError, match="truncated BPTT takes no lengths"):
        layer.backward_truncated([dy], 2)


def window_arrays(T: int, B: int, H: int, dtype: str = "float64") -> dict[str, Any]:
    """Return all arrays of an LSTM's window."""
    shapes = {
        **{"terms": (T, B, 4 * H), "gates": (T, B, 4 * H), "h": (T + 1, B, H), "c": (T + 1, B, H)},
        **{"kept": (T, B, H), "bias": (4 * H,), "bias_n": (H,), "dy": (T, B, H), "dh": (T, B, H)},
        **{"delta": (T, B, 4 * H), "recurrent": (T, B, 4 * H), "carry": (B, H)},
        "W": (passes.packed_size(np.dtype(dtype), H, H, 4),),
    }
    return {
        **{name: np.zeros(shape, dtype) for name, shape in shapes.items()},
        "lengths": np.full(B, T),
        "ids": np.zeros((T, B), np.int64),
    } | {"terms": np.zeros((2, 4 * H), dtype)}


def spoilt(array: np.ndarray) -> list[Any]:
    """Return what no pass may take in place of an array."""
    wide = np.zeros((*array.shape, 2), array.dtype)[..., 0]
    misaligned = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype)
    other = np.float32 if array.dtype == np.float64 else np.float64
    return [
        *(array.ravel()[:-1].copy(), np.zeros(array.size + 1, array.dtype), wide, misaligned),
        *(array.astype(other), array.astype(np.float16), array.astype(array.dtype.newbyteorder())),
        *(array.astype(np.int32), array.tolist(), 7),
    ]


@pytest.mark.parametrize("name", window_arrays(1, 1, 1))
def test_arrays_of_another_shape_or_type_are_refused(name: str) -> None:
    T, B, H = 3, 4, 5
    arrays = window_arrays(T, B, H)
    passes.Window("LSTM", (T, B, H), arrays).backward()
    for bad in spoilt(arrays[name]):
        with pytest.raises((TypeError, ValueError, BufferError, AttributeError)):
            passes.Window("LSTM", (T, B, H), arrays | {name: bad})


@pytest.mark.parametrize("name", window_arrays(1, 1, 1))
def test_what_is_written_must_be_writable(name: str) -> None:
    arrays = window_arrays(3, 4, 5)
    arrays[name].flags.writeable = False
    if name in ("W", "terms", "bias", "bias_n", "dy", "lengths", "ids"):
        passes.Window("LSTM", (3, 4, 5), arrays).backward()
    else:
        with pytest.raises(ValueError, match="read-only"):
            passes.Window("LSTM", (3, 4, 5), arrays)


@pytest.mark.parametrize("number", [-1, 2, 2**62])
def test_rows_that_do_not_exist_are_refused(number: int) -> None:
    arrays = window_arrays(3, 4, 5)
    arrays["ids"][2, 3] = number
    with pytest.raises(IndexError, match=rf"^{number} is not one of 2$"):
        passes.Window("LSTM", (3, 4, 5), arrays)


@pytest.mark.parametrize("shape", [(-3, -4, 5), (3, 4, -5), (2**40, 2**40, 5), (2**62, 4, 5), (4, 3, 2**64)])
def test_shapes_that_cannot_be_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        passes.Window("LSTM", shape, window_arrays(3, 4, 5))


def test_a_pass_without_what_it_needs_is_refused() -> None:
    arrays = window_arrays(3, 4, 5)
    for name in ("W", "terms", "gates", "c", "kept"):
        with pytest.raises(ValueError, match=f"^the pass needs {name}$"):
            passes.Window("LSTM", (3, 4, 5), arrays | {name: None}).forward()
    for name in ("W", "gates", "dy", "dh", "delta", "recurrent", "carry"):
        with pytest.raises(ValueError, match=f"^the pass needs {name}$"):
            passes.Window("LSTM", (3, 4, 5), arrays | {name: None}).backward()


def test_weights_are_not_read_past_their_end() -> None:
    W = np.zeros((20, 5))
    packed = np.empty(passes.packed_size(W.dtype, 5, 5, 4))
    passes.pack(W, 5, 5, 4, 1, 5, 25, packed)
    for strides in ((2, 5, 25), (1, 6, 25), (1, 5, 30), (-1, 5, 25), (2**61, 5, 25)):
        with pytest.raises((ValueError, OverflowError)):
            passes.pack(W, 5, 5, 4, *strides, packed)
    with pytest.raises(ValueError, match="elements"):
        passes.pack(W, 5, 5, 4, 1, 5, 25, packed[1:].copy())


def test_instructions_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="does not have SSE9"):
        passes.use("SSE9")
