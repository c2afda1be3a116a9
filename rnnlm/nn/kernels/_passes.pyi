from typing import Any

import numpy as np

from rnnlm.nn.arrays import Floats, Ids

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def packed_size(dtype: np.dtype[np.floating], K: int, units: int, gates: int) -> int: ...
def pack(
    W: Floats, K: int, units: int, gates: int, by_k: int, by_unit: int, by_gate: int, packed: Floats
) -> None: ...
def exponentials(
    logits: Floats, bias: Floats | None, targets: Ids, losses: Floats, sums: Floats, first: int, last: int
) -> None: ...

class Window:
    def __init__(self, cell: str, shape: tuple[int, int, int], arrays: dict[str, Any]) -> None: ...
    def forward(self, first: int, last: int) -> None: ...
    def backward(self, first: int, last: int) -> None: ...

class Steps:
    def __init__(
        self,
        layers: list[Window],
        ids: Ids,
        table: Floats | None,
        x: Floats,
        V: Floats | None,
        bias: Floats | None,
        hidden: Floats,
        log_probs: Floats | None,
    ) -> None: ...
    def step(self, first: int, last: int) -> None: ...
