"""What is drawn at random for some of the sequences of a batch, where other processes have the others."""

from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator

from rnnlm.nn.arrays import Floats, Ids


@dataclass(frozen=True)
class Columns:
    """Some neighbouring sequences of a batch of `size`: those from `first` to before `last`."""

    first: int
    last: int
    size: int

    @classmethod
    def share(cls, rank: int, number: int, size: int) -> "Columns":
        """Return the share of one of `number` processes, which differ by one at most; it may be empty."""
        return cls(size * rank // number, size * (rank + 1) // number, size)

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return self.first == self.last

    @property
    def slice(self) -> slice:
        """Where they are; of none some column, for networks compute at least one."""
        return slice(self.first, max(self.first + 1, self.last))


class ColumnDraws(Generator):
    """Draws for some sequences of a batch what a plain generator draws for all of them.

    Whatever concerns all sequences alike, such as weights that are dropped, is drawn as ever. So processes that
    have the sequences of a batch between them compute what one computes, and none draws what belongs to another.

    Parameters
    ----------
    whole
        A generator that draws for all of the batch; both go on from where one has come to.
    columns
        Which sequences of the batch are computed here.
    targets : (N,)
        What is to be predicted in all of it.
    """

    def __init__(self, whole: Generator, columns: Columns, targets: Ids) -> None:
        assert isinstance(whole.bit_generator, PCG64)  # as `numpy.random.default_rng` has it
        self._bits = whole.bit_generator
        super().__init__(self._bits)
        self._columns, self.targets = columns, targets

    def fill(self, out: Floats) -> None:
        """Fill an array (T, B, F) of these sequences with numbers drawn evenly from 0 to 1."""
        features, columns = out.shape[2], self._columns
        for row in out:
            self._skip(columns.first * features, out.dtype)
            self.random(dtype=out.dtype, out=row)
            self._skip((columns.size - columns.first) * features - row.size, out.dtype)

    def _skip(self, number: int, dtype: np.dtype[np.floating]) -> None:
        """Pass over so many numbers."""
        if dtype == np.float64:
            self._bits.advance(number)
        elif number > 0:
            # One draw gives two numbers; the second of the last draw may still be left.
            if self._bits.state["has_uint32"]:
                self.random(dtype=np.float32)
                number -= 1
            self._bits.advance(number // 2)
            if number % 2:
                self.random(dtype=np.float32)
