"""An ONNX graph in the making."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from rnnlm.nn.arrays import Floats

OPSET = 17
"""Version of ONNX's operators: old enough for the runtimes of browsers and phones."""

Axes: TypeAlias = Sequence[int | str]
"""The size of each axis; a name where any size will do."""


class Graph:
    """The operators and weights of a graph; a value is known by its name."""

    def __init__(self) -> None:
        self._operators: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}

    def weight(self, name: str, value: Floats | NDArray[np.int64] | Sequence[int]) -> str:
        """Add a constant, real numbers in single precision, unless it is there already; return its name."""
        value = np.asarray(value, order="C")
        if np.issubdtype(value.dtype, np.floating):
            value = value.astype(np.float32)
        self._weights.setdefault(name, onnx.numpy_helper.from_array(value, name))
        return name

    def apply(self, operator: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """Add an operator and return the name of its first output."""
        self._operators.append(onnx.helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def product(self, x: str, weight: str, output: str) -> str:
        """Add ``x Wᵀ`` and return its name; the rows of W are the outputs."""
        transposed = self.apply("Transpose", [weight], f"{weight}.transposed", perm=[1, 0])
        return self.apply("MatMul", [x, transposed], output)

    def model(self, ids: dict[str, Axes], reals: dict[str, Axes], outputs: dict[str, Axes]) -> onnx.ModelProto:
        """Return the model.

        Parameters
        ----------
        ids, reals
            The inputs that are whole numbers, and those in single precision.
        outputs
            The outputs, in single precision.
        """
        integer, real = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
        describe = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            self._operators,
            "rnnlm",
            [
                *(describe(name, integer, axes) for name, axes in ids.items()),
                *(describe(name, real, axes) for name, axes in reals.items()),
            ],
            [describe(name, real, axes) for name, axes in outputs.items()],
            list(self._weights.values()),
        )
        opset = onnx.helper.make_opsetid("", OPSET)
        # The oldest version of the file format that has these operators; runtimes refuse those they do not know.
        version = onnx.helper.find_min_ir_version_for([opset])
        return onnx.helper.make_model(graph, producer_name="rnnlm", opset_imports=[opset], ir_version=version)
