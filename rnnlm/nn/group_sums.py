"""Sums of the rows of a matrix by group, as neighbours' states are added up in a graph."""

from functools import cached_property

import numpy as np

from rnnlm.nn.arrays import Floats, Ids, Workspace

PART = 32
"""The most rows of a group that are added up one after another; a larger group is summed in parts."""


class GroupSums:
    """``y_g = Σ_{i: g_i = g} x_{p_i}``: the sum for each group of the rows at its places.

    One step adds the k-th row of every group that has one. With the groups in order of falling size those are the
    first ones, so a step is one look-up and one sum: the jagged diagonals of Saad (1989). That is many times as
    fast as ``np.add.reduceat``. A large group is cut into parts, whose sums are then added up in the same way, so
    that there are few steps however large it is.

    Parameters
    ----------
    groups : (E,)
        g, the group of each summand.
    places : (E,)
        p, the row that is the summand.
    num_groups
        Groups, G; one that has no summand gets zero.
    """

    def __init__(self, groups: Ids, places: Ids, num_groups: int) -> None:
        order = np.argsort(groups, kind="stable")
        groups, places = groups[order], places[order]
        self.sizes = np.bincount(groups, minlength=num_groups)
        first_of_group = np.cumsum(self.sizes) - self.sizes
        starts = np.flatnonzero((np.arange(len(groups)) - first_of_group[groups]) % PART == 0)
        sizes = np.diff(starts, append=len(groups))
        largest_first = np.argsort(-sizes, kind="stable")
        starts, sizes = starts[largest_first], sizes[largest_first]
        self._groups = groups[starts]
        self._diagonals = [places[starts[sizes > k] + k] for k in range(sizes.max(initial=1))]

    def __call__(self, rows: Floats, out: Floats, workspace: Workspace) -> Floats:
        """Write the sums of some rows (N, H) to `out` (G, H), and return it; it must not overlap with the rows."""
        sums = workspace.array(f"sums_of_{len(self._groups)}", len(self._groups), rows.shape[1])
        summands = workspace.array("summands", *sums.shape)
        # mode "clip" lets NumPy write into `out` without a buffer; the places are in range.
        np.take(rows, self._diagonals[0], axis=0, out=sums, mode="clip")
        for places in self._diagonals[1:]:
            sums[: len(places)] += np.take(rows, places, axis=0, out=summands[: len(places)], mode="clip")
        if self._of_parts is not None:
            return self._of_parts(sums, out, workspace)
        out[...] = 0
        out[self._groups] = sums
        return out

    @cached_property
    def _of_parts(self) -> "GroupSums | None":
        """What adds up the parts of groups; None where every group is of one part."""
        if (self.sizes <= PART).all():
            return None
        return GroupSums(self._groups, np.arange(len(self._groups)), len(self.sizes))
