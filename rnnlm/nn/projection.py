"""``U x + b``, the part of a layer that needs no time."""

from collections.abc import Iterator

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace
from rnnlm.nn.layer import Rows, Vectors
from rnnlm.nn.products import add_up, matmul

GAP = 16
"""Unused elements after each row of products. Without them, rows of a power of two that are read column by column
all fall into the same few places of the cache: laying them out anew took three to five times as long."""


class Projection:
    """``U x_t + b`` of all steps of a window, and the error on its way back.

    It is computed in one of three ways:

    * dense: one product of U with the vectors of all places;
    * looked up: the input is ``U x_t`` already, columns of U that a one-hot ``x_t`` chose;
    * once a token: where the input is `Rows`, U is multiplied with the table, and every place takes a column of
      the result. This is less work where rows are fewer than places.

    Parameters
    ----------
    weight, gradient : (n, D)
        U and its derivative; None where the input is ``U x_t``.
    dtype
        Precision.

    Attributes
    ----------
    input : (T, B, D)
        The x of the last `steps`.
    """

    input: Vectors

    def __init__(self, weight: Floats | None, gradient: Floats | None, dtype: np.dtype[np.floating]) -> None:
        self.weight, self.gradient = weight, gradient
        self._workspace = Workspace(dtype)

    def steps(self, x: Vectors, constant: Floats | None, terms: Floats) -> Iterator[int]:
        """Yield each time step t as soon as ``terms[t]`` holds ``U x_t + b``.

        Parameters
        ----------
        x : (T, B, D)
            The input.
        constant : (n,)
            b; None adds nothing.
        terms : (T, n, B)
            Where the results go.
        """
        self.input = x
        if isinstance(x, Rows):
            columns = self.columns(x.table, constant)
            for t, ids in enumerate(x.ids):
                take_columns(columns, ids, out=terms[t])
                yield t
            return
        U, n = self.weight, terms.shape[1]
        products = self._workspace.array("products", *x.shape[:2], n + GAP)[..., :n]
        if U is not None:
            matmul(x.reshape(-1, x.shape[2]), U.T, products.reshape(-1, n))
            x = products
        if constant is not None:
            x = np.add(x, constant, out=products)
        np.copyto(terms, x.transpose(0, 2, 1))
        yield from range(len(x))

    def terms(self, x: Vectors, out: Floats) -> tuple[Floats, Ids | None]:
        """Return ``U x_t`` of all steps where they can be read, with no copy made for it.

        Returns
        -------
        terms : (T, B, n) or (C, n)
            `out`, or the input itself where it is ``U x_t``; or that of each row of the table.
        ids : (T, B) or None
            Which of the rows stands where.
        """
        self.input = x
        if isinstance(x, Rows):
            if self.weight is None:
                return x.table, x.ids
            products = self._workspace.array("products_by_row", len(x.table), out.shape[2])
            self.multiply(x.table, products)
            return products, x.ids
        if self.weight is None:
            return x, None
        self.multiply(x, out)
        return out, None

    def rows(self, x: Vectors, out: Floats) -> None:
        """Write ``U x_t`` of all steps of an input (T, B, D) to `out` (T, B, n)."""
        terms, ids = self.terms(x, out)
        if ids is not None:
            # mode "clip" lets NumPy write into `out` without a buffer; the ids are in range.
            np.take(terms, ids, axis=0, out=out, mode="clip")
        elif terms is not out:
            np.copyto(out, terms)

    def multiply(self, x: Floats, out: Floats) -> None:
        """Write ``U x`` of every x of an array (…, D) to `out` (…, n)."""
        if self.weight is None:
            np.copyto(out, x)
        else:
            matmul(x.reshape(-1, x.shape[-1]), self.weight.T, out.reshape(-1, out.shape[-1]))

    def columns(self, table: Floats, constant: Floats | None) -> Floats:
        """Return ``U x + b`` for each row x of a table (C, D), as columns (n, C) that the next call overwrites."""
        rows = table.shape[1] if self.weight is None else len(self.weight)
        columns = self._workspace.array("columns", rows, len(table))
        self.step(table.T, constant, columns)
        return columns

    def step(self, x: Floats, constant: Floats | None, out: Floats) -> None:
        """Write ``U x + b`` of the columns x of a (D, B) to `out` (n, B)."""
        if self.weight is None:
            np.copyto(out, x)
        else:
            matmul(self.weight, x, out)
        if constant is not None:
            out += constant[:, None]

    def weight_error(self, delta: Floats) -> Floats:
        """Set ``∂U = Σ_t δ_t x_tᵀ`` for the input of the last `steps`.

        Parameters
        ----------
        delta : (T, B, n)
            Derivative of the loss with respect to ``U x_t``.

        Returns
        -------
        (T, B, n) or (C, n)
            `delta` itself or, where the input was `Rows`, its sum by row.
        """
        x = self.input
        if isinstance(x, Rows):
            delta = self._sum_by_row(delta.reshape(x.ids.size, -1), x)
            x = x.table
        if self.gradient is not None:
            matmul(delta.reshape(-1, delta.shape[-1]).T, x.reshape(-1, x.shape[-1]), self.gradient)
        return delta

    def input_error(self, delta: Floats, name: str = "dx") -> Floats:
        """Return ``Uᵀ δ`` for every δ of (…, n), in memory of that name."""
        U = self.weight
        if U is None:
            return delta
        dx = self._workspace.array(name, *delta.shape[:-1], U.shape[1])
        matmul(delta.reshape(-1, len(U)), U, dx.reshape(-1, U.shape[1]))
        return dx

    def _sum_by_row(self, delta: Floats, x: Rows) -> Floats:
        """Add up the rows of (T·B, n) that belong to the same row of the table, (C, n)."""
        sums = self._workspace.array("delta_by_row", len(x.table), delta.shape[1])
        add_up(delta, x.ids.ravel(), sums)
        return sums


def take_columns(array: Floats, ids: Ids, out: Floats) -> None:
    """Write the columns `ids` (B,) of an array (n, C) to `out` (n, B)."""
    # mode "clip" lets NumPy write into `out` without a buffer; the ids are in range.
    array.take(ids, axis=1, out=out, mode="clip")
