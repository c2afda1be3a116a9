"""What a network reads in one step."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnlm.nn.arrays import Floats, Ids, Mask
from rnnlm.nn.draws import Columns
from rnnlm.nn.spelling import SpelledWords


class Pairs(NamedTuple):
    """Sentences to be written, each with the one that it is made from.

    Attributes
    ----------
    ids : (T, B)
        Token ids of the targets, as a decoder reads them.
    source : (S, B)
        Token ids of the sources, as an encoder reads them.
    source_lengths : (B,)
        Steps of each source; what stands behind is padding.
    """

    ids: Ids
    source: Ids
    source_lengths: Ids


Inputs: TypeAlias = Ids | SpelledWords | Floats | Pairs
"""What is read in a window: token ids (T, B), words with their spellings, numbers (T, B, D), or targets with their
sources."""


@dataclass(frozen=True)
class Batch:
    """A window of T time steps of B sequences.

    Attributes
    ----------
    inputs : (T, B)
        Token ids, words with their spellings, numbers (T, B, D), or targets with their sources.
    targets : (T, B) or (1, B)
        What is to be predicted at each step: the id that follows, a tag, or a number; or one class of each
        sequence.
    mask : (T, B) or (1, B)
        False where nothing is to be predicted, as at padding: it adds nothing to the loss or to any gradient.
    continues
        True when the sequences go on from the batch before, so that its hidden state is carried over.
    lengths : (B,)
        Steps of each sequence, where it matters what is read at and after its own last step; None takes all for T
        long.
    sequences
        How many the objective is averaged over, where these are some of a larger batch; None where they are all.
    """

    inputs: Inputs
    targets: NDArray[Any]
    mask: Mask
    continues: bool = False
    lengths: Ids | None = None
    sequences: int | None = None

    @property
    def averaged_over(self) -> int:
        """How many sequences the objective is averaged over."""
        return self.mask.shape[1] if self.sequences is None else self.sequences

    def part(self, columns: Columns) -> "Batch":
        """Return some of the sequences, as many steps long as before.

        The objectives of parts add up to that of the whole. A network reads no batch without a sequence: where
        there are no columns, the part has one of which nothing is to be predicted.
        """
        some = columns.slice
        return replace(
            self,
            inputs=_some_of(self.inputs, some),
            targets=np.ascontiguousarray(self.targets[:, some]),
            mask=self.mask[:, some] & (not columns.is_empty),
            lengths=None if self.lengths is None else self.lengths[some],
            sequences=columns.size,
        )

    @property
    def num_predictions(self) -> int:
        """How many answers are asked for."""
        return int(np.count_nonzero(self.mask))

    @property
    def num_tokens(self) -> int:
        """How many tokens are read, padding not counted; answers may be more or fewer."""
        return self.num_predictions if self.lengths is None else int(self.lengths.sum())


def _some_of(inputs: Inputs, some: slice) -> Inputs:
    """Return what is read in some of the columns."""
    if isinstance(inputs, Pairs):
        return Pairs(*(np.ascontiguousarray(array[..., some]) for array in inputs))
    if isinstance(inputs, SpelledWords):
        used, places = np.unique(inputs.places[:, some], return_inverse=True)
        ids = np.ascontiguousarray(inputs.ids[:, some])
        return SpelledWords(ids, places.reshape(ids.shape), inputs.characters[:, used], inputs.lengths[used])
    array: Any = inputs[:, some]
    return np.ascontiguousarray(array)
