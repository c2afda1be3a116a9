"""Whether NumPy computes, or compiled passes where there are some."""

from rnnlm.nn.cells import CELLS
from rnnlm.nn.heads import softmax
from rnnlm.nn.heads.softmax import Exponentials
from rnnlm.nn.recurrent import RecurrentLayer


def cell(name: str, compiled: bool) -> type[RecurrentLayer]:
    """Return the layer of a cell; of a cell without compiled passes it is NumPy's."""
    if compiled:
        from rnnlm.nn.kernels.layers import COMPILED_CELLS

        return COMPILED_CELLS.get(name, CELLS[name])
    return CELLS[name]


def exponentials(compiled: bool) -> Exponentials:
    """Return what computes the element-wise steps of a softmax."""
    if compiled:
        from rnnlm.nn.kernels import softmax as compiled_softmax

        return compiled_softmax.exponentials
    return softmax.exponentials
