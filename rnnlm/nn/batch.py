"""What a network reads in one step."""

from dataclasses import dataclass

import numpy as np

from rnnlm.nn.arrays import Ids, Mask


@dataclass(frozen=True)
class Batch:
    """A window of T time steps of B sequences.

    Attributes
    ----------
    inputs, targets : (T, B)
        Token ids, and the ids that follow them.
    mask : (T, B)
        False where a position is padding: it adds nothing to the loss or to any gradient.
    continues
        True when the sequences go on from the batch before, so that its hidden state is carried over.
    lengths : (B,)
        Steps of each sequence, where the state after its own last step matters; None takes all for T long.
    """

    inputs: Ids
    targets: Ids
    mask: Mask
    continues: bool = False
    lengths: Ids | None = None

    @property
    def num_tokens(self) -> int:
        """Number of predictions, padding not counted."""
        return int(np.count_nonzero(self.mask))
