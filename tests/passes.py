"""What stands in for the compiled passes where a test is about whether they are there."""

import numpy as np
import pytest

from rnnlm import backend
from rnnlm.nn import products
from rnnlm.nn.arrays import Floats, Ids


class StandIn:
    """Says that it has some instruction sets, and computes with NumPy."""

    def __init__(self, *instruction_sets: str) -> None:
        self._instruction_sets = list(instruction_sets)

    def instruction_sets(self) -> list[str]:
        return self._instruction_sets

    def use_gemms(self, single: int, double_: int) -> None:
        pass

    def multiply(self, a: Floats, b: Floats, out: Floats, threads: int) -> bool:
        return False

    def add_up(self, rows: Floats, ids: Ids, out: Floats, threads: int) -> None:
        out[...] = 0
        np.add.at(out, ids, rows)

    def descend(self, theta: Floats, g: Floats, factor: float, threads: int) -> None:
        theta -= factor * g


def build(monkeypatch: pytest.MonkeyPatch, *instruction_sets: str) -> None:
    """Let there be compiled passes for these instruction sets; without any, none."""
    passes = StandIn(*instruction_sets) if instruction_sets else None
    monkeypatch.setattr(backend, "_passes", lambda: passes)
    monkeypatch.setattr(products, "_compiled", None)  # and forget the stand-in after the test
