"""What every source does."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from numpy.random import Generator

from rnnlm.nn.arrays import Floats
from rnnlm.nn.layer import Vectors
from rnnlm.nn.table import Table

Input = TypeVar("Input")
"""What is read: token ids, or words with their spellings."""


class Source(ABC, Generic[Input]):
    """What is read of a window to vectors, and their error back.

    Attributes
    ----------
    table : (V, E)
        The vectors of the tokens, which a head may share.
    tensor, token_axis
        The name of the parameter that holds them, and the axis of it which counts the tokens.
    parameters, gradients
        Arrays by PyTorch's names and in PyTorch's shapes.
    tables
        By name, the parameters that are a `Table`, and the axis of the parameter which counts the table's rows.
    is_trained
        Whether the vectors of the tokens are trained, or stay as they begin.
    """

    table: Table
    tensor: str
    token_axis: int
    parameters: dict[str, Floats]
    gradients: dict[str, Floats]
    tables: dict[str, tuple[Table, int]]
    is_trained: bool

    def begin(self) -> None:
        """Begin a gradient: what was added before counts no more."""
        for table, _ in self.tables.values():
            table.begin()

    def products(self, inputs: Input) -> int:
        """Count the weights that are multiplied for each place of a window, on an average; look-ups need none."""
        return 0

    @abstractmethod
    def gives_rows(self, inputs: Input, rng: Generator | None) -> bool:
        """Whether `forward` gives `Rows`: tokens are few, repeat, and read alike."""

    @abstractmethod
    def forward(self, inputs: Input, rng: Generator | None = None) -> Vectors:
        """Return the vectors of a window, (T, B, D), or `Rows` where `gives_rows` is true.

        `rng` draws which words are dropped; None drops none.
        """

    @abstractmethod
    def backward(self, dx: Floats) -> None:
        """Add the error of what the last `forward` gave to the gradients.

        Parameters
        ----------
        dx : (T, B, D) or (V, D)
            The error by place, or of the table where that was read as `Rows`.

        Raises
        ------
        RuntimeError
            If there was no `forward` since the last `backward`.
        """
