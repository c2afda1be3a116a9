"""Which class the layers of a cell are made of."""

from rnnlm.nn.cells import CELLS
from rnnlm.nn.recurrent import RecurrentLayer


def cell(name: str, compiled: bool) -> type[RecurrentLayer]:
    """Return the class of a cell's layers.

    Parameters
    ----------
    name
        One of `CELLS`.
    compiled
        Whether to take compiled passes over time where the cell has some; else NumPy's.
    """
    return CELLS[name]
