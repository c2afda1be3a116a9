"""The gradients of a step, added up over all ranks."""

from collections.abc import Callable

import numpy as np

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.optim import RowGradient
from rnnlm.ranks.ranks import Ranks

SMALL = 1 << 14
"""Elements up to which arrays are copied together and go as one: a message costs more than so few bytes."""


class GradientSums:
    """Adds up what the ranks have of the gradients, in place: as they lie in memory, or some of their rows.

    Parameters
    ----------
    ranks
        Who computes.
    network
        Whose gradients they are.
    gradients
        Those of the parameters that are trained, by name.
    """

    def __init__(self, ranks: Ranks, network: Network, gradients: dict[str, Floats]) -> None:
        self.ranks, self.network, self.gradients = ranks, network, gradients
        self._output = [name for name in network.output_parameters if name in gradients]
        self._rows: dict[str, RowGradient] = {}
        self._waiting: list[Callable[[], object]] = []

    def begin_output(self) -> None:
        """Begin with the output layer, whose gradients are whole, while those of the others are computed."""
        known = self.network.gradient_rows()
        # The samples of a softmax are drawn for the whole batch, so all ranks have the same rows.
        self._rows = {
            name: RowGradient.of(self.gradients[name], *known[name]) for name in self._output if name in known
        }
        self._waiting = [self.ranks.begin_sum(self._array(name)) for name in self._output]

    def finish(self) -> dict[str, RowGradient]:
        """Add up the others, and return the rows of those tables that have few; the rest is in the gradients."""
        self._rows |= self._rows_of_all()
        if self.ranks.number > 1:
            arrays = [self._array(name) for name in self.gradients if name not in self._output]
            for array in arrays:
                if array.size > SMALL:
                    self.ranks.sum(array)
            self._sum_together([array for array in arrays if array.size <= SMALL])
        for wait in self._waiting:
            wait()
        return self._rows

    def _rows_of_all(self) -> dict[str, RowGradient]:
        """Return the rows, other than those of the output, that are not zero on some rank."""
        own = {name: rows for name, rows in self.network.gradient_rows().items() if name not in self._output}
        every = self.ranks.gathered(own) if self.network.tracks_rows else [own]
        rows = {}
        for name in self.gradients:
            known = [each[name] for each in every if name in each]
            if known:
                axis = known[0][1]
                # A rank that does not say has no few rows.
                is_known = len(known) == len(every)
                ids = (
                    _union([ids for ids, _ in known]) if is_known else np.arange(self.gradients[name].shape[axis])
                )
                rows[name] = RowGradient.of(self.gradients[name], ids, axis)
        return rows

    def _sum_together(self, arrays: list[Floats]) -> None:
        if arrays:
            together = np.concatenate(arrays)
            self.ranks.sum(together)
            for array, part in zip(
                arrays, np.split(together, np.cumsum([len(each) for each in arrays])), strict=False
            ):
                array[...] = part

    def _array(self, name: str) -> Floats:
        """Return what is added up of a gradient, as it lies in memory."""
        array: Floats = (self._rows[name].rows if name in self._rows else self.gradients[name]).ravel(order="K")
        return array


def _union(ids: list[Ids]) -> Ids:
    """Return what is in any of some arrays of rising ids."""
    union: Ids = ids[0] if len(ids) == 1 else np.unique(np.concatenate(ids))
    return union
