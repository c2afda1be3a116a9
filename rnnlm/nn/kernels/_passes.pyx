# cython: language_level=3
"""The compiled passes over time."""

cdef extern from "passes.h":
    const char *instruction_set_called(int rank)


def instruction_sets():
    """Name the instruction sets that this processor has, the best first."""
    names = []
    while instruction_set_called(len(names)) is not NULL:
        names.append(instruction_set_called(len(names)).decode())
    return names
