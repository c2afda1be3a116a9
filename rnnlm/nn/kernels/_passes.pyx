# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled passes on NumPy's arrays; `layers.py` says what each array is."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t


cdef extern from "passes.h":
    enum cell:
        TANH, RELU, GRU, LSTM

    struct window:
        ptrdiff_t T, B, H, first, last
        const int64_t *lengths
        const void *W
        const void *terms
        const int64_t *ids
        const void *bias
        const void *bias_n
        void *gates
        void *h
        void *c
        void *kept
        const void *dy
        void *dh
        void *delta
        void *recurrent
        void *carry

    struct functions:
        ptrdiff_t lanes
        void (*pack)(const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *) nogil
        void (**forward)(const window *) nogil
        void (**backward)(const window *) nogil
        void (*exponentials)(void *, const void *, const int64_t *, void *, void *, ptrdiff_t, ptrdiff_t,
                             ptrdiff_t) nogil

    struct instruction_set "passes":
        const char *name
        int (*is_here)() nogil
        functions precisions[2]

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


cdef void *place(array, Py_ssize_t count, Py_ssize_t itemsize) except? NULL:
    """Return where an array lies, which has at least so many elements, one after the other; NULL for None."""
    cdef Py_buffer view
    if array is None:
        return NULL
    PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS)
    PyBuffer_Release(&view)  # the caller holds the array
    if view.itemsize != itemsize or view.len < count * itemsize:
        raise ValueError(f"an array has {view.len} bytes, {view.itemsize} an element, and not {count * itemsize}")
    return view.buf


def packed_size(dtype, Py_ssize_t K, Py_ssize_t units, Py_ssize_t gates):
    """Return how many elements the packed weights of `units` units have."""
    cdef Py_ssize_t lanes = chosen.precisions[dtype.itemsize == 8].lanes
    return K * gates * ((units + lanes - 1) // lanes) * lanes


def pack(W, Py_ssize_t K, Py_ssize_t units, Py_ssize_t gates, Py_ssize_t by_k, Py_ssize_t by_unit, Py_ssize_t by_gate,
         packed):
    """Lay the weights W of `gates` gates of `units` units each, from K inputs, out for `forward` or `backward`."""
    cdef Py_ssize_t itemsize = W.itemsize
    cdef const functions *passes = &chosen.precisions[itemsize == 8]
    cdef const void *source = place(W, K * units * gates, itemsize)
    cdef void *target = place(packed, packed_size(W.dtype, K, units, gates), itemsize)
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

    def __init__(self, str cell, tuple shape, dict arrays):
        cdef Py_ssize_t T, B, H
        cdef Py_ssize_t size = arrays["h"].itemsize
        T, B, H = self.w.T, self.w.B, self.w.H = shape
        cdef Py_ssize_t units = T * B * H, G = {"TANH": 1, "RELU": 1, "GRU": 3, "LSTM": 4}[cell]
        self.kind, self.passes, self.arrays = CELLS[cell], &chosen.precisions[size == 8], arrays
        get, ids = arrays.get, arrays.get("ids")
        self.w.lengths = <const int64_t *> place(get("lengths"), B, 8)
        self.w.W = place(get("W"), packed_size(arrays["h"].dtype, H, H, G), size)
        self.w.terms = place(get("terms"), G * (units if ids is None else 0), size)
        self.w.ids = <const int64_t *> place(ids, T * B, 8)
        self.w.bias, self.w.bias_n = place(get("bias"), G * H, size), place(get("bias_n"), H, size)
        self.w.gates, self.w.kept = place(get("gates"), G * units, size), place(get("kept"), units, size)
        self.w.h, self.w.c = place(get("h"), units + B * H, size), place(get("c"), units + B * H, size)
        self.w.dy, self.w.dh = place(get("dy"), units, size), place(get("dh"), units, size)
        self.w.delta, self.w.recurrent = (
            place(get("delta"), G * units, size), place(get("recurrent"), G * units, size))
        self.w.carry = place(get("carry"), B * H, size)

    def forward(self, Py_ssize_t first, Py_ssize_t last):
        """Take all steps of the sequences from `first` to `last`."""
        cdef window w = self.w
        w.first, w.last = first, last
        with nogil:
            self.passes.forward[self.kind](&w)

    def backward(self, Py_ssize_t first, Py_ssize_t last):
        """Send the errors of the sequences from `first` to `last` back through all steps."""
        cdef window w = self.w
        w.first, w.last = first, last
        with nogil:
            self.passes.backward[self.kind](&w)


def exponentials(logits, bias, targets, losses, sums, Py_ssize_t first, Py_ssize_t last):
    """Replace logits (N, C) by their exponentials, and set losses and sums (N,), of the rows `first` to `last`."""
    cdef Py_ssize_t C = logits.shape[1], N = logits.shape[0], size = logits.itemsize
    cdef const functions *passes = &chosen.precisions[size == 8]
    cdef void *e = place(logits, N * C, size)
    cdef const void *b = place(bias, C, size)
    cdef const int64_t *y = <const int64_t *> place(targets, N, 8)
    cdef void *l = place(losses, N, size)
    cdef void *s = place(sums, N, size)
    with nogil:
        passes.exponentials(e, b, y, l, s, C, first, last)
