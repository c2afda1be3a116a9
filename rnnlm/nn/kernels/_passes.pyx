# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled passes on NumPy's arrays; `layers.py` says what each array is."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t
from libc.string cimport memcpy


cdef extern from "passes.h":
    enum cell:
        TANH, RELU, GRU, LSTM

    struct window:
        ptrdiff_t T, B, H, first, last
        const int64_t *lengths
        const void *W
        const void *terms
        const void *U
        const void *x
        ptrdiff_t D
        const int64_t *ids
        const void *bias
        const void *bias_n
        void *gates
        void *h
        void *c
        void *kept
        void *sum
        const void *dy
        void *dh
        void *delta
        void *recurrent
        void *carry

    struct few:
        ptrdiff_t N, H
        const void *s_by_unit
        const void *s_by_row
        const void *V
        const void *bias
        const int64_t *targets
        void *e
        void *target_logits
        void *greatest
        void *sums
        const void *factors
        void *ds
        void *dV
        void *db

    enum:
        WIDE

    struct functions:
        ptrdiff_t lanes
        void (*pack)(const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *) nogil
        void (**forward)(const window *) nogil
        void (**backward)(const window *) nogil
        void (*exponentials)(void *, const void *, const int64_t *, void *, void *, ptrdiff_t, ptrdiff_t,
                             ptrdiff_t) nogil
        void (*few_forward)(const few *, ptrdiff_t, ptrdiff_t) nogil
        void (*few_backward)(const few *, ptrdiff_t, ptrdiff_t) nogil
        void (*hand_on)(const window *) nogil
        void (*log_probs)(const void *, const void *, const void *, void *, ptrdiff_t, ptrdiff_t, ptrdiff_t,
                          ptrdiff_t) nogil
        void (*draw)(const void *, const double *, double, int64_t *, ptrdiff_t, ptrdiff_t) nogil

    struct instruction_set "passes":
        const char *name
        int (*is_here)() nogil
        const functions *precisions[2]

    const instruction_set ALL_PASSES[]
    const int NUM_PASSES


cdef const instruction_set *chosen = &ALL_PASSES[NUM_PASSES - 1]


def instruction_sets():
    """Return the names of the instruction sets that this processor has, the fastest first."""
    return [ALL_PASSES[k].name.decode() for k in range(NUM_PASSES) if ALL_PASSES[k].is_here()]


def use(str name):
    """Compute with an instruction set from now on."""
    global chosen
    if name not in instruction_sets():
        raise ValueError(f"this processor does not have {name}")
    for k in range(NUM_PASSES):
        if ALL_PASSES[k].name.decode() == name:
            chosen = &ALL_PASSES[k]


use(instruction_sets()[0])

CELLS = {"TANH": TANH, "RELU": RELU, "GRU": GRU, "LSTM": LSTM}
FORWARD = ("W", "terms", "gates", "h", "c", "kept")  # what a pass needs; what its cell does not read may be anything
BACKWARD = ("dy", "dh", "delta", "recurrent", "carry")


cdef void *place(array, count, bytes format, bint written=False) except? NULL:
    """Return where an array lies that has so many elements of a format, one after the other; NULL for None.

    The formats are those of `struct`, "f" and "d", and "l" for 64 bits.
    """
    cdef Py_buffer view
    if array is None:
        return NULL
    PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if written else 0))
    cdef bytes found = b"l" if view.format == b"q" else view.format
    cdef Py_ssize_t itemsize = view.itemsize, length = view.len
    PyBuffer_Release(&view)  # the caller holds the array
    if found != format or itemsize != (4 if format == b"f" else 8):
        raise TypeError(f"an array has elements of the format {found.decode()!r}, and not {format.decode()!r}")
    if length != count * itemsize:
        raise ValueError(f"an array has {length // itemsize} elements, and not {count}")
    return view.buf


cdef bytes format_of(array):
    """Return the format of real numbers; of others that of the passes for float, which `place` then refuses."""
    return b"d" if array.itemsize == 8 else b"f"


cdef int check_bounds(Py_ssize_t first, Py_ssize_t last, Py_ssize_t number) except -1:
    if not 0 <= first <= last <= number:
        raise IndexError(f"from {first} to {last} is not within {number}")
    return 0


cdef int check_ids(const int64_t *ids, Py_ssize_t first, Py_ssize_t last, Py_ssize_t number) except -1:
    cdef Py_ssize_t k
    for k in range(first, last):
        if not 0 <= ids[k] < number:
            raise IndexError(f"{ids[k]} is not one of {number}")
    return 0


def packed_size(dtype, K, units, gates):
    """Return how many elements the packed weights of `units` units have."""
    lanes = chosen.precisions[dtype.itemsize == 8].lanes
    return K * gates * -(-units // lanes) * lanes


def pack(W, Py_ssize_t K, Py_ssize_t units, Py_ssize_t gates, Py_ssize_t by_k, Py_ssize_t by_unit, Py_ssize_t by_gate,
         packed):
    """Lay the weights W of `gates` gates of `units` units each, from K inputs, out for `forward` or `backward`."""
    cdef const functions *passes = chosen.precisions[W.itemsize == 8]
    cdef const void *source = place(W, W.size, format_of(W))
    cdef void *target = place(packed, packed_size(W.dtype, K, units, gates), format_of(W), written=True)
    if min(K, units, gates, by_k, by_unit, by_gate) < 0 or gates > 4:
        raise ValueError("weights have no such shape")
    if W.size and (<object>K - 1) * by_k + (<object>units - 1) * by_unit + (<object>gates - 1) * by_gate >= W.size:
        raise ValueError(f"{W.size} weights are fewer than are read")
    with nogil:
        passes.pack(source, K, units, gates, by_k, by_unit, by_gate, target)


cdef class Window:
    """The arrays of one layer and window, as `struct window` in passes.h describes them.

    Parameters
    ----------
    cell
        A name in `CELLS`.
    shape
        Steps T, sequences B and units H.
    arrays
        By the names of the struct; absent or None where there is none.
    """

    cdef window w
    cdef int kind
    cdef const functions *passes
    cdef object arrays  # so that none of them is freed
    cdef Py_ssize_t num_rows

    def __init__(self, str cell, tuple shape, dict arrays):
        T, B, H = shape
        if min(shape) < 0:
            raise ValueError(f"no window has the shape {shape}")
        self.w.T, self.w.B, self.w.H = shape
        h, get, G = arrays["h"], arrays.get, {"TANH": 1, "RELU": 1, "GRU": 3, "LSTM": 4}[cell]
        real, units = format_of(h), T * B * H
        self.kind, self.passes, self.arrays = CELLS[cell], chosen.precisions[h.itemsize == 8], arrays
        self.w.lengths = <const int64_t *> place(get("lengths"), B, b"l")
        self.w.W = place(get("W"), packed_size(h.dtype, H, H, G), real)
        self.w.bias, self.w.bias_n = place(get("bias"), G * H, real), place(get("bias_n"), H, real)
        self.w.gates, self.w.kept = place(get("gates"), G * units, real, True), place(get("kept"), units, real, True)
        self.w.h, self.w.c = place(h, units + B * H, real, True), place(get("c"), units + B * H, real, True)
        self.w.dy, self.w.dh = place(get("dy"), units, real), place(get("dh"), units, real, True)
        self.w.delta = place(get("delta"), G * units, real, True)
        self.w.recurrent = place(get("recurrent"), G * units, real, True)
        self.w.carry = place(get("carry"), B * H, real, True)
        if "U" in arrays:
            D = arrays["x"].shape[1]
            self.w.D, self.w.U = D, place(get("U"), packed_size(h.dtype, D, H, G), real)
            self.w.x = place(get("x"), T * B * D, real)
        if get("sum") is not None:
            self.w.x, self.w.sum = place(get("x"), units, real), place(get("sum"), units, real, True)
        terms, ids = get("terms"), get("ids")
        self.w.ids = <const int64_t *> place(ids, T * B, b"l")
        rows = T * B if ids is None or terms is None else len(terms)
        self.w.terms = place(terms, rows * G * H, real)
        self.num_rows = rows
        if ids is not None:
            check_ids(self.w.ids, 0, T * B, rows)

    def forward(self, Py_ssize_t first, Py_ssize_t last):
        """Take all steps of the sequences from `first` to `last`."""
        cdef window w = self._share(first, last, FORWARD)
        with nogil:
            self.passes.forward[self.kind](&w)

    def backward(self, Py_ssize_t first, Py_ssize_t last):
        """Send the errors of the sequences from `first` to `last` back through all steps."""
        cdef window w = self._share(first, last, FORWARD + BACKWARD)
        with nogil:
            self.passes.backward[self.kind](&w)

    cdef int step(self, Py_ssize_t first, Py_ssize_t last) except -1:
        """Take the only step, to a state that is then the one before the next."""
        if self.w.ids != NULL:
            check_ids(self.w.ids, first, last, self.num_rows)
        cdef window w = self.w
        w.first, w.last = first, last
        with nogil:
            self.passes.forward[self.kind](&w)
            self.passes.hand_on(&w)
        return 0

    cdef window _share(self, Py_ssize_t first, Py_ssize_t last, tuple needed) except *:
        """Return the window of some sequences, for a pass that needs these arrays."""
        check_bounds(first, last, self.w.B)
        for name in needed:
            if self.arrays.get(name) is None:
                raise ValueError(f"the pass needs {name}")
        cdef window w = self.w
        w.first, w.last = first, last
        return w


def exponentials(logits, bias, targets, losses, sums, Py_ssize_t first, Py_ssize_t last):
    """Replace logits (N, C) by their exponentials, and set losses and sums (N,), of the rows `first` to `last`."""
    cdef Py_ssize_t N = logits.shape[0], C = logits.shape[1]
    cdef const functions *passes = chosen.precisions[logits.itemsize == 8]
    real = format_of(logits)
    cdef void *e = place(logits, logits.size, real, written=True)
    cdef const void *b = place(bias, C, real)
    cdef const int64_t *y = <const int64_t *> place(targets, N, b"l")
    cdef void *l = place(losses, N, real, written=True)
    cdef void *s = place(sums, N, real, written=True)
    check_bounds(first, last, N)
    check_ids(y, first, last, C)
    with nogil:
        passes.exponentials(e, b, y, l, s, C, first, last)


def most_rows(dtype):
    """Return how many rows `Few` can take."""
    return WIDE * chosen.precisions[dtype.itemsize == 8].lanes


cdef class Few:
    """The softmax of a few rows, as `struct few` in passes.h describes its arrays.

    Parameters
    ----------
    arrays
        By the names of the struct; `bias` is None where there is none.
    """

    cdef few w
    cdef object arrays  # so that none of them is freed
    cdef const functions *passes
    cdef bytes real
    cdef Py_ssize_t C, lanes

    def __init__(self, dict arrays):
        V, targets = arrays["V"], arrays["targets"]
        self.C, self.w.H = V.shape
        N, H, C, dtype = len(targets), V.shape[1], len(V), V.dtype
        if N > most_rows(dtype):
            raise ValueError(f"{N} rows are not few")
        self.arrays, self.passes, self.real, self.w.N = arrays, chosen.precisions[V.itemsize == 8], format_of(V), N
        self.lanes, real = packed_size(dtype, 1, N, 1), self.real
        self.w.s_by_unit = place(arrays["s_by_unit"], packed_size(dtype, H, N, 1), real)
        self.w.s_by_row = place(arrays["s_by_row"], packed_size(dtype, N, H, 1), real)
        self.w.V, self.w.bias = place(V, C * H, real), place(arrays["bias"], C, real)
        self.w.targets = <const int64_t *> place(targets, N, b"l")
        self.w.e = place(arrays["e"], C * self.lanes, real, True)
        self.w.target_logits = place(arrays["target_logits"], N, real, True)
        check_ids(self.w.targets, 0, N, C)

    def forward(self, Py_ssize_t first, Py_ssize_t last, greatest, sums):
        """Set e of the classes from `first` to `last`, and the greatest logit (lanes,) and Σe (lanes,) of each row."""
        cdef few w = self.w
        check_bounds(first, last, self.C)
        w.greatest = place(greatest, self.lanes, self.real, True)
        w.sums = place(sums, self.lanes, self.real, True)
        with nogil:
            self.passes.few_forward(&w, first, last)

    def backward(self, Py_ssize_t first, Py_ssize_t last, factors, ds, dV, db):
        """Set what the classes from `first` to `last` give of dV (C, H), of db (C,) or None, and of ds (H, lanes).

        The targets' own part is not in it.
        """
        cdef few w = self.w
        check_bounds(first, last, self.C)
        w.factors, w.ds = place(factors, self.lanes, self.real), place(ds, w.H * self.lanes, self.real, True)
        w.dV, w.db = place(dV, self.C * w.H, self.real, True), place(db, self.C, self.real, True)
        with nogil:
            self.passes.few_backward(&w, first, last)


cdef class Steps:
    """Single steps of layers one above the other, and of the output.

    Parameters
    ----------
    layers
        A `Window` of one step for each layer, the lowest first; a layer's x lies where the one below writes.
    batch_size
        Sequences B.
    lookup
        What is read (B,), the vectors (C, D) among which it chooses, and where these go (B, D); None where the first
        layer looks its terms up.
    output
        Packed weights and bias, what is read (B, H), and where the log-probabilities go (B, C); None for no output.
    """

    cdef list layers
    cdef object lookup, output  # so that no array is freed
    cdef const functions *passes
    cdef const int64_t *ids
    cdef const char *table
    cdef char *x
    cdef const void *V
    cdef const void *bias
    cdef const void *hidden
    cdef void *log_probs
    cdef Py_ssize_t B, num_rows, row_bytes, H, C

    def __init__(self, list layers, Py_ssize_t batch_size, lookup, output):
        cdef Window layer
        self.layers, self.B, self.lookup, self.output = layers, batch_size, lookup, output
        for layer in layers:
            layer._share(0, batch_size, FORWARD)
            if layer.w.T != 1:
                raise ValueError(f"a single step is not {layer.w.T}")
        if lookup is not None:
            ids, table, x = lookup
            real, self.num_rows, self.row_bytes = format_of(table), len(table), table.shape[1] * table.itemsize
            self.ids = <const int64_t *> place(ids, batch_size, b"l")
            self.table = <const char *> place(table, table.size, real)
            self.x = <char *> place(x, batch_size * table.shape[1], real, True)
        if output is not None:
            V, bias, hidden, log_probs = output
            real, self.H, self.C = format_of(hidden), hidden.shape[1], log_probs.shape[1]
            self.passes = chosen.precisions[hidden.itemsize == 8]
            self.V = place(V, packed_size(hidden.dtype, hidden.shape[1], log_probs.shape[1], 1), real)
            self.bias, self.hidden = place(bias, self.C, real), place(hidden, batch_size * self.H, real)
            self.log_probs = place(log_probs, batch_size * self.C, real, True)

    def step(self, Py_ssize_t first, Py_ssize_t last):
        """Take the step of the sequences from `first` to `last`."""
        cdef Window layer
        cdef Py_ssize_t b
        check_bounds(first, last, self.B)
        if self.lookup is not None:
            check_ids(self.ids, first, last, self.num_rows)
            for b in range(first, last):
                memcpy(self.x + b * self.row_bytes, self.table + self.ids[b] * self.row_bytes, self.row_bytes)
        for layer in self.layers:
            layer.step(first, last)
        if self.output is not None:
            with nogil:
                self.passes.log_probs(self.V, self.bias, self.hidden, self.log_probs, self.H, self.C, first, last)


def draw(log_probs, draws, double temperature, tokens):
    """Set tokens (B,) drawn from log-probabilities (B, C) by random numbers (B,)."""
    cdef Py_ssize_t B = log_probs.shape[0], C = log_probs.shape[1]
    cdef const functions *passes = chosen.precisions[log_probs.itemsize == 8]
    cdef const void *p = place(log_probs, log_probs.size, format_of(log_probs))
    cdef const double *d = <const double *> place(draws, B, b"d")
    cdef int64_t *t = <int64_t *> place(tokens, B, b"l", True)
    with nogil:
        passes.draw(p, d, temperature, t, C, B)
