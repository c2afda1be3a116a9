"""What the optimizers share: parameters changed in place, piece by piece, and the state of a resumed run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple

import numpy as np

from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.threads import shared_out

PIECE = 1 << 17
"""Elements that are updated at a time: few enough for most passes over them to find them in the cache, and so many
that two threads seldom wait for Python's lock."""

WORTH_SHARING = 8
"""Parts of a step from which other threads are worth waking."""


class RowGradient(NamedTuple):
    """The rows of a table's gradient that may not be zero.

    Attributes
    ----------
    ids : (N,)
        Which rows.
    axis
        Along which axis of the parameter they are counted: 1 where it is the transposed table.
    rows : (N, E)
        Their gradient.
    """

    ids: Ids
    axis: int
    rows: Floats

    @classmethod
    def of(cls, gradient: Floats, ids: Ids, axis: int) -> "RowGradient":
        """Copy the rows `ids` of a gradient."""
        return cls(ids, axis, np.moveaxis(gradient, axis, 0)[ids])


class Optimizer(ABC):
    """Changes parameters by their gradients; what is done to a piece of them is each optimizer's `update`.

    Parameters
    ----------
    parameters, gradients
        Arrays by name, of one layout, such as both in C order, or both transposed.
    weight_decay
        λ, the weight of the L2 penalty: ``g ← g + λ θ``.
    """

    kept: tuple[str, ...] = ()
    """Names of the arrays that the optimizer keeps for every parameter, zero at first."""

    def __init__(
        self,
        parameters: dict[str, Floats],
        gradients: dict[str, Floats],
        *,
        weight_decay: float = 0.0,
    ) -> None:
        for name, value in parameters.items():
            both = (value, gradients[name])
            # Of anything else `pieces` would be copies, and their changes lost.
            are_whole = all(np.may_share_memory(array, array.ravel(order="K")) for array in both)
            if not are_whole or len({_layout(array) for array in both}) > 1:
                raise ValueError(f"{name}: parameter and gradient must be whole arrays of one layout")
        self.parameters = parameters
        self.gradients = gradients
        self.weight_decay = weight_decay
        self.steps = 0
        self._kept = {
            kind: {name: np.zeros_like(value) for name, value in parameters.items()} for kind in self.kept
        }

    @property
    def takes_rows(self) -> bool:
        """Whether `step` takes the rows of a gradient that are not zero in place of all of it."""
        return False

    def step(
        self, learning_rate: float, row_gradients: dict[str, RowGradient] | None = None, scale: float = 1.0
    ) -> None:
        """Change the parameters in place; uses the gradients up.

        Parameters
        ----------
        learning_rate
            η.
        row_gradients
            Taken in place of those in `gradients`; only where the optimizer `takes_rows`.
        scale
            Factor on all gradients, such as clipping by norm asks for.
        """
        self.steps += 1
        work = list(self._work(learning_rate, row_gradients or {}, scale))
        if len(work) >= WORTH_SHARING:
            shared_out(lambda first, last: _do(work[first:last]), len(work))
        else:
            _do(work)

    def _work(
        self, rate: float, row_gradients: dict[str, RowGradient], scale: float
    ) -> Iterator[Callable[[], None]]:
        """Yield the parts of a step, each for parameters of its own."""
        for name, parameter in self.parameters.items():
            kept = [self._kept[kind][name] for kind in self.kept]
            if name not in row_gradients:
                if self.update_whole(rate, scale, parameter, self.gradients[name]):
                    continue
                for piece in pieces(parameter, self.gradients[name], *kept):
                    yield partial(self._update_piece, rate, scale, *piece)
                continue
            ids, axis, g = row_gradients[name]
            if scale != 1:
                g *= scale
            yield from self.row_work(rate, ids, g, *(np.moveaxis(array, axis, 0) for array in (parameter, *kept)))

    def update_whole(self, rate: float, scale: float, theta: Floats, g: Floats) -> bool:
        """Change a parameter at once, by its gradient times `scale`, where that is faster; else return False."""
        return False

    def _update_piece(self, rate: float, scale: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        if scale != 1:
            g *= scale
        if self.weight_decay:
            self.decay(rate, theta, g)
        self.update(rate, theta, g, *kept)

    def row_work(self, rate: float, ids: Ids, g: Floats, *tables: Floats) -> Iterator[Callable[[], None]]:
        """Yield the parts of a step for a parameter θ (V, E) that gets a gradient in some rows only.

        Parameters
        ----------
        rate
            η.
        ids : (N,)
            The rows, in rising order.
        g : (N, E)
            Their gradient, which may be overwritten; it is zero elsewhere, and changes nothing there.
        tables : (V, E)
            θ and what is kept for it.
        """
        yield partial(self._update_rows, rate, ids, g, *tables)

    def _update_rows(self, rate: float, ids: Ids, g: Floats, *tables: Floats) -> None:
        theta, *kept = rows = [table[ids] for table in tables]
        for piece in pieces(theta, g, *kept):
            self.update(rate, *piece)
        for table, changed in zip(tables, rows, strict=True):
            table[ids] = changed

    def decay(self, rate: float, theta: Floats, g: Floats) -> None:
        """Add the gradient of the L2 penalty, ``g ← g + λ θ``."""
        g += self.weight_decay * theta

    @abstractmethod
    def update(self, rate: float, theta: Floats, g: Floats, *kept: Floats) -> None:
        """Change a piece of a parameter, θ, at the learning rate η.

        Its gradient `g` may be overwritten. The last arguments are the same piece of each array in `kept`.
        """

    def evaluated(self, loss: float) -> None:
        """Take note of a new loss on the validation split."""

    def averages(self) -> dict[str, Floats]:
        """Return the parameters to save: those trained, where the optimizer does not average them.

        Not within `averages_in_place`, where the averages' memory holds the parameters.
        """
        return self.parameters

    def averages_in_place(self) -> AbstractContextManager[None]:
        """Let the parameters be the `averages` within a ``with`` block, to evaluate them."""
        return nullcontext()

    def state(self) -> dict[str, Floats]:
        """Return what a resumed run needs, as arrays by name."""
        return {
            "steps": np.array([self.steps], np.float64),
            **{f"{kind}.{name}": value for kind in self.kept for name, value in self._kept[kind].items()},
        }

    def load_state(self, state: dict[str, Floats]) -> None:
        """Go on from what `state` returned.

        Raises
        ------
        KeyError, ValueError, OverflowError
            If an array is missing, or is not of the shape that this optimizer's has.
        """
        self.steps = int(saved_number(state, "steps"))
        for kind in self.kept:
            for name, value in self._kept[kind].items():
                restore(value, state, f"{kind}.{name}")


def _do(work: Iterable[Callable[[], None]]) -> None:
    for part in work:
        part()


def _layout(array: Floats) -> tuple[int, ...]:
    """Return how far apart elements are along each axis that has several."""
    return tuple(stride for stride, size in zip(array.strides, array.shape, strict=True) if size > 1)


def restore(array: Floats, state: dict[str, Floats], name: str) -> None:
    """Give an array the values saved under a name.

    Raises
    ------
    KeyError, ValueError
        If there are none, or they are those of an array of another shape.
    """
    saved = state[name]
    if saved.shape != array.shape:
        raise ValueError(f"{name} has shape {saved.shape}, not {array.shape}")
    array[...] = saved


def saved_number(state: dict[str, Floats], name: str) -> float:
    """Return a number saved under a name, as an array of one element; raises what `restore` does."""
    number = np.zeros(1)
    restore(number, state, name)
    return float(number[0])


def pieces(*arrays: Floats) -> Iterator[tuple[Floats, ...]]:
    """Cut arrays of one shape and layout into small views, flat and in memory order."""
    flat = [array.ravel(order="K") for array in arrays]
    for start in range(0, flat[0].size, PIECE):
        yield tuple(array[start : start + PIECE] for array in flat)
