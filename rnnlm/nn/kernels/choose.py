"""Whether NumPy computes, or compiled passes where there are some."""

from rnnlm.nn.cells import CELLS
from rnnlm.nn.heads.sampled import SampledSoftmax
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.recurrent import RecurrentLayer


def cell(name: str, compiled: bool) -> type[RecurrentLayer]:
    """Return the layer of a cell; of a cell without compiled passes it is NumPy's."""
    if compiled:
        from rnnlm.nn.kernels.layers import COMPILED_CELLS

        return COMPILED_CELLS.get(name, CELLS[name])
    return CELLS[name]


def softmax(compiled: bool) -> type[Softmax]:
    """Return the softmax over all tokens."""
    if compiled:
        from rnnlm.nn.kernels.softmax import CompiledSoftmax

        return CompiledSoftmax
    return Softmax


def sampled_softmax(compiled: bool) -> type[SampledSoftmax]:
    """Return the softmax over some of them."""
    if compiled:
        from rnnlm.nn.kernels.softmax import CompiledSampledSoftmax

        return CompiledSampledSoftmax
    return SampledSoftmax
