# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled passes on NumPy's arrays; `layers.py` says what each array is."""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
)
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t
from libc.string cimport memcpy


cdef extern from "passes.h":
    enum cell:
        TANH, RELU, GRU, LSTM

    ctypedef void (*part_function)(const void *, ptrdiff_t, ptrdiff_t) noexcept nogil

    struct window:
        ptrdiff_t T, B, H, first, last, begin, end, block
        void (*pass_ "pass")(const window *) noexcept nogil
        ptrdiff_t parts
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

    struct sums:
        ptrdiff_t N, n, C, parts
        const void *rows
        const int64_t *ids
        void *out

    struct descent:
        ptrdiff_t n, parts
        double factor
        void *theta
        const void *g

    struct exponentials_of "exponentials":
        ptrdiff_t N, C, parts
        void *logits
        const void *bias
        const int64_t *targets
        void *losses
        void *sums

    struct few:
        ptrdiff_t N, H, C, classes
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

    struct steps:
        const functions *passes
        const window *layers
        ptrdiff_t num_layers, parts, B, H, C
        const void *V
        const void *bias
        const void *hidden
        void *log_probs

    enum:
        WIDE

    struct functions:
        ptrdiff_t lanes
        void (*pack)(const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *) nogil
        void (**forward)(const window *) noexcept nogil
        void (**backward)(const window *) noexcept nogil
        part_function add_up, descend, exponentials, few_forward, few_backward
        void (*draw)(const void *, const double *, double, int64_t *, ptrdiff_t, ptrdiff_t) nogil

    struct instruction_set "passes":
        const char *name
        int (*is_here)() nogil
        const functions *precisions[2]

    void some_sequences(const void *, ptrdiff_t, ptrdiff_t) noexcept nogil
    void some_of_step(const void *, ptrdiff_t, ptrdiff_t) noexcept nogil
    const instruction_set ALL_PASSES[]
    const int NUM_PASSES


cdef extern from "product.h":
    struct matrix:
        void *at
        int64_t stride
        int is_transposed

    struct product:
        void *gemm
        int is_double
        int64_t M, N, K
        matrix a, b, out
        ptrdiff_t parts

    void some_of_product(const void *, ptrdiff_t, ptrdiff_t) noexcept nogil


cdef extern from "team.h":
    void share(part_function, const void *, ptrdiff_t, ptrdiff_t, int) nogil


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

PARTS_OF_A_THREAD = 4  # so that one that is slowed down does fewer
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
        self.w.last, self.w.end = B, H
        h, get, G = arrays["h"], arrays.get, {"TANH": 1, "RELU": 1, "GRU": 3, "LSTM": 4}[cell]
        real, units = format_of(h), T * B * H
        self.kind, self.passes, self.arrays = CELLS[cell], chosen.precisions[h.itemsize == 8], arrays
        self.w.block = self.passes.lanes * (1 if G > 1 else WIDE)
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

    def forward(self, int threads=1):
        """Take all steps, on so many threads."""
        self._need(FORWARD)
        self.w.pass_ = self.passes.forward[self.kind]
        self._share(threads)

    def backward(self, int threads=1):
        """Send the errors back through all steps, on so many threads."""
        self._need(FORWARD + BACKWARD)
        self.w.pass_ = self.passes.backward[self.kind]
        self._share(threads)

    cdef int _need(self, tuple names) except -1:
        for name in names:
            if self.arrays.get(name) is None:
                raise ValueError(f"the pass needs {name}")
        return 0

    cdef void _share(self, int threads) noexcept:
        self.w.parts = min(threads, self.w.B)
        with nogil:
            share(some_sequences, &self.w, 1, self.w.parts, threads)


def exponentials(logits, bias, targets, losses, sums, int threads=1):
    """Replace logits (N, C) by their exponentials, and set losses and sums (N,), on so many threads."""
    cdef exponentials_of w
    cdef bytes real = format_of(logits)
    cdef const functions *passes = chosen.precisions[logits.itemsize == 8]
    w.N, w.C = logits.shape
    w.parts = min(PARTS_OF_A_THREAD * threads, w.N)
    w.logits, w.bias = place(logits, logits.size, real, True), place(bias, w.C, real)
    w.targets = <const int64_t *> place(targets, w.N, b"l")
    w.losses, w.sums = place(losses, w.N, real, True), place(sums, w.N, real, True)
    check_ids(w.targets, 0, w.N, w.C)
    with nogil:
        share(passes.exponentials, &w, 1, w.parts, threads)


def most_rows(dtype):
    """Return how many rows `Few` can take."""
    return WIDE * chosen.precisions[dtype.itemsize == 8].lanes


cdef class Few:
    """The softmax of a few rows, as `struct few` in passes.h describes its arrays.

    Parameters
    ----------
    arrays
        By the names of the struct; `bias` is None where there is none.
    classes
        How many classes a part has, the last one what is left. How sums are divided does not depend on threads.
    """

    cdef few w
    cdef object arrays  # so that none of them is freed
    cdef const functions *passes
    cdef bytes real
    cdef Py_ssize_t lanes, parts

    def __init__(self, dict arrays, Py_ssize_t classes):
        V, targets = arrays["V"], arrays["targets"]
        self.w.C, self.w.H = V.shape
        N, H, C, dtype = len(targets), V.shape[1], len(V), V.dtype
        if N > most_rows(dtype) or classes < 1:
            raise ValueError(f"{N} rows are not few, or {classes} classes no part")
        self.arrays, self.passes, self.real, self.w.N = arrays, chosen.precisions[V.itemsize == 8], format_of(V), N
        self.w.classes, self.parts = classes, -(-C // classes)
        self.lanes, real = packed_size(dtype, 1, N, 1), self.real
        self.w.s_by_unit = place(arrays["s_by_unit"], packed_size(dtype, H, N, 1), real)
        self.w.s_by_row = place(arrays["s_by_row"], packed_size(dtype, N, H, 1), real)
        self.w.V, self.w.bias = place(V, C * H, real), place(arrays["bias"], C, real)
        self.w.targets = <const int64_t *> place(targets, N, b"l")
        self.w.e = place(arrays["e"], C * self.lanes, real, True)
        self.w.target_logits = place(arrays["target_logits"], N, real, True)
        check_ids(self.w.targets, 0, N, C)

    def forward(self, greatest, sums, int threads=1):
        """Set e, and for each part the greatest logit and Σe of each row, (parts, lanes)."""
        self.w.greatest = place(greatest, self.parts * self.lanes, self.real, True)
        self.w.sums = place(sums, self.parts * self.lanes, self.real, True)
        with nogil:
            share(self.passes.few_forward, &self.w, 1, self.parts, threads)

    def backward(self, factors, ds, dV, db, int threads=1):
        """Set dV (C, H), db (C,) where it is not None and, for each part, what it gives of ds (parts, H, lanes).

        The targets' own part is not in it.
        """
        self.w.factors = place(factors, self.parts * self.lanes, self.real)
        self.w.ds = place(ds, self.parts * self.w.H * self.lanes, self.real, True)
        self.w.dV, self.w.db = place(dV, self.w.C * self.w.H, self.real, True), place(db, self.w.C, self.real, True)
        with nogil:
            share(self.passes.few_backward, &self.w, 1, self.parts, threads)


cdef class Steps:
    """Single steps of layers one above the other, and of the output.

    Parameters
    ----------
    layers
        A `Window` of one step for each layer, the lowest first; a layer's x lies where the one below writes.
    batch_size
        Sequences B.
    ids
        What is read (B,).
    lookup
        The vectors (C, D) among which it chooses, and where these go (B, D); None where the first layer looks its
        terms up.
    output
        Packed weights and bias, what is read (B, H), and where the log-probabilities go (B, C); None for no output.
    """

    cdef object keep  # so that no array is freed
    cdef const int64_t *ids
    cdef const char *table
    cdef char *x
    cdef Py_ssize_t num_rows, row_bytes
    cdef window *layers
    cdef steps s

    def __init__(self, list layers, Py_ssize_t batch_size, ids, lookup, output):
        cdef Window layer
        cdef Py_ssize_t k
        self.keep = layers, ids, lookup, output
        self.s.B, self.s.num_layers = batch_size, len(layers)
        self.layers = <window *> PyMem_Calloc(len(layers), sizeof(window))
        if self.layers == NULL:
            raise MemoryError
        for k, layer in enumerate(layers):
            layer._need(FORWARD)
            if layer.w.T != 1 or layer.w.B != batch_size:
                raise ValueError(f"a single step of {batch_size} is not {layer.w.T} of {layer.w.B}")
            self.layers[k], self.s.passes = layer.w, layer.passes
            self.layers[k].pass_ = layer.passes.forward[layer.kind]
        layer = layers[0]
        self.s.layers, self.num_rows = self.layers, layer.num_rows
        self.ids = <const int64_t *> place(ids, batch_size, b"l")
        if lookup is not None:
            table, x = lookup
            real, self.num_rows, self.row_bytes = format_of(table), len(table), table.shape[1] * table.itemsize
            self.table = <const char *> place(table, table.size, real)
            self.x = <char *> place(x, batch_size * table.shape[1], real, True)
        if output is not None:
            V, bias, hidden, log_probs = output
            real, self.s.H, self.s.C = format_of(hidden), hidden.shape[1], log_probs.shape[1]
            self.s.V = place(V, packed_size(hidden.dtype, self.s.H, self.s.C, 1), real)
            self.s.bias, self.s.hidden = place(bias, self.s.C, real), place(hidden, batch_size * self.s.H, real)
            self.s.log_probs = place(log_probs, batch_size * self.s.C, real, True)

    def __dealloc__(self):
        PyMem_Free(self.layers)

    def step(self, int threads=1):
        """Take the step, on so many threads."""
        cdef Py_ssize_t b
        check_ids(self.ids, 0, self.s.B, self.num_rows)
        self.s.parts = threads
        with nogil:
            if self.table != NULL:
                for b in range(self.s.B):
                    memcpy(self.x + b * self.row_bytes, self.table + self.ids[b] * self.row_bytes, self.row_bytes)
            share(some_of_step, &self.s, self.s.num_layers + 2, self.s.parts, threads)


cdef void *gemms[2]  # for float and for double


def use_gemms(size_t single, size_t double_):
    """Compute large products by `cblas_sgemm` and `cblas_dgemm`, of 64-bit integers, at these addresses; 0 for none."""
    gemms[0], gemms[1] = <void *> single, <void *> double_


use_gemms(0, 0)


def multiply(a, b, out, int threads):
    """Write ``a b`` to `out` on so many threads; False where that is left to NumPy."""
    cdef product p
    cdef bytes real = format_of(out)
    p.is_double, p.parts = out.itemsize == 8, threads
    p.gemm, (p.M, p.N), p.K = gemms[p.is_double], out.shape, len(b)
    if a.shape != (p.M, p.K) or b.shape != (p.K, p.N):
        raise ValueError(f"matrices of shapes {a.shape} and {b.shape} have no product of shape {out.shape}")
    if p.gemm == NULL or min(p.M, p.N, p.K) == 0:
        return False
    if not (lies_at(a, real, &p.a) and lies_at(b, real, &p.b) and lies_at(out, real, &p.out, True)):
        return False
    if p.out.is_transposed:
        return False
    with nogil:
        share(some_of_product, &p, 1, p.parts, threads)
    return True


def add_up(rows, ids, out, int threads):
    """Write the sums of those rows (N, n) that have the same id (N,) to `out` (C, n), on so many threads."""
    cdef sums w
    cdef bytes real = format_of(out)
    cdef const functions *passes = chosen.precisions[out.itemsize == 8]
    (w.N, w.n), w.C = rows.shape, len(out)
    w.rows, w.out = place(rows, rows.size, real), place(out, w.C * w.n, real, True)
    w.ids, w.parts = <const int64_t *> place(ids, w.N, b"l"), threads
    check_ids(w.ids, 0, w.N, w.C)
    with nogil:
        share(passes.add_up, &w, 1, w.parts, threads)


def descend(theta, g, double factor, int threads):
    """Subtract `factor` times the numbers g from the numbers θ, both flat, on so many threads."""
    cdef descent w
    cdef bytes real = format_of(theta)
    cdef const functions *passes = chosen.precisions[theta.itemsize == 8]
    w.n, w.factor, w.parts = theta.size, factor, PARTS_OF_A_THREAD * threads
    w.theta, w.g = place(theta, w.n, real, True), place(g, w.n, real)
    with nogil:
        share(passes.descend, &w, 1, w.parts, threads)


cdef bint lies_at(array, bytes real, matrix *m, bint written=False) except -1:
    """Say where a matrix lies; False if neither the numbers of a row nor those of a column lie side by side."""
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_STRIDES | PyBUF_FORMAT | (PyBUF_WRITABLE if written else 0))
    cdef Py_ssize_t rows = view.shape[0], columns = view.shape[1], size = view.itemsize
    cdef Py_ssize_t by_row = view.strides[0], by_column = view.strides[1]
    cdef bint is_real = view.format == real and by_row % size == 0 and by_column % size == 0
    m.at, m.is_transposed = view.buf, by_column != size
    m.stride = (by_column if m.is_transposed else by_row) // size
    PyBuffer_Release(&view)  # the caller holds the array
    if m.is_transposed:
        return is_real and by_row == size and m.stride >= rows
    return is_real and m.stride >= columns


def draw(log_probs, draws, double temperature, tokens):
    """Set tokens (B,) drawn from log-probabilities (B, C) by random numbers (B,)."""
    cdef Py_ssize_t B = log_probs.shape[0], C = log_probs.shape[1]
    cdef const functions *passes = chosen.precisions[log_probs.itemsize == 8]
    cdef const void *p = place(log_probs, log_probs.size, format_of(log_probs))
    cdef const double *d = <const double *> place(draws, B, b"d")
    cdef int64_t *t = <int64_t *> place(tokens, B, b"l", True)
    with nogil:
        passes.draw(p, d, temperature, t, C, B)
