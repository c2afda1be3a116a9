"""The softmax, with all but its large products compiled; that of a few rows wholly."""

import numpy as np
from numpy.random import Generator

from rnnlm.nn import threads
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.heads.sampled import SampledSoftmax
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.kernels import _passes
from rnnlm.nn.kernels.layers import packed, packed_transpose
from rnnlm.nn.table import sums_by_id

WORTH_SHARING = 10**5
"""Exponentials from which they are faster on several threads."""

PRODUCTS_WORTH_SHARING = 10**6
"""Multiplications of a softmax of few rows from which it is."""

CLASSES_OF_A_PART = 1024
"""Classes whose part of the softmax of a few rows is one thread's."""


def exponentials(logits: Floats, bias: Floats | None, targets: Ids, losses: Floats, sums: Floats) -> None:
    """Replace logits by their exponentials, in one pass over a row; see `rnnlm.nn.heads.softmax.exponentials`."""
    shares = threads.free() if logits.size >= WORTH_SHARING else 1
    _passes.exponentials(logits, bias, np.ascontiguousarray(targets, np.int64), losses, sums, shares)


class CompiledSoftmax(Softmax):
    """See `Softmax`. Of few rows, as of one sentence, threads share the classes, and V is read as it lies."""

    exponentials = staticmethod(exponentials)

    def loss_and_gradient(
        self, s: Floats, targets: Ids, scale: float, rng: Generator | None = None
    ) -> tuple[float, Floats]:
        """Compute the cross-entropy and its derivatives; see `Head.loss_and_gradient`."""
        is_one_block = len(list(self._blocks(len(targets)))) == 1
        if not 0 < len(targets) <= _passes.most_rows(s.dtype) or not is_one_block:
            return super().loss_and_gradient(s, targets, scale, rng)
        s, targets = np.ascontiguousarray(s), np.ascontiguousarray(targets, np.int64)
        V, array = self.table.value, self._workspace.array
        (N, H), C, lanes = s.shape, len(V), _passes.packed_size(s.dtype, 1, len(s), 1)
        parts = -(-C // CLASSES_OF_A_PART)
        shares = threads.free() if V.size * N >= PRODUCTS_WORTH_SHARING else 1
        target_logits = array("target_logits", N)
        few = _passes.Few(
            {
                "s_by_unit": packed(self._workspace, "s_by_unit", s, 1),
                "s_by_row": packed_transpose(self._workspace, "s_by_row", s),
                "V": V,
                "bias": self.bias,
                "targets": targets,
                "e": array("logits", C, lanes),
                "target_logits": target_logits,
            },
            CLASSES_OF_A_PART,
        )
        greatest, sums = array("greatest_and_sums", 2, parts, lanes)
        few.forward(greatest, sums, shares)
        # Every part has e of its own greatest logit; scaled, they are of the greatest of all.
        most = greatest.max(axis=0)
        scales = np.exp(greatest - most)
        total = (scales * sums).sum(axis=0)
        losses = np.log(total[:N]) - (target_logits - most[:N])

        factors = scales * (scale / total)
        factors[:, N:] = 0
        ds = array("parts_of_ds", parts, H, lanes)
        db = None if self.bias_gradient is None else array("db", C)

        def write(dV: Floats) -> None:
            few.backward(factors, ds, dV, db, shares)
            different, of_targets = sums_by_id(targets, scale * s, self._workspace)
            dV[different] -= of_targets

        self.table.add_written(write)
        if self.bias_gradient is not None and db is not None:
            self.bias_gradient += db
            np.subtract.at(self.bias_gradient, targets, scale)
        return float(losses.sum(dtype=np.float64)), ds.sum(axis=0)[:, :N].T - scale * V[targets]


class CompiledSampledSoftmax(SampledSoftmax, CompiledSoftmax):
    """See `SampledSoftmax`."""

    part = CompiledSoftmax
