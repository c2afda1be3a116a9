"""The networks that the rules choose from, smallest first: what each computes and takes."""

from dataclasses import dataclass

from rnnlm.choosing.facts import Facts

GATES = 4
"""Of an LSTM, which is what the rules choose."""

LADDER = (
    *((units, 1) for units in (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 650)),
    *((units, 2) for units in (650, 900, 1200)),
)
"""Units and layers; a step costs the next one once and a half to twice as much."""

CHARACTER_VECTOR = 64
"""Largest vector of a character: more say nothing more."""

FULL_SOFTMAX, SAMPLES = 3200, 1600
"""Up to so many tokens the softmax is summed over all; beyond, so many estimate it."""

ADAPTIVE_SOFTMAX = 50_000
"""From so many tokens on the softmax goes by clusters: estimated, evaluation would still be over all."""

FLOPS_PER_WEIGHT = 6
"""As `rnnlm benchmark` counts them."""
FLOPS_PER_OUTPUT, FLOPS_PER_TOKEN = 330, 150_000
"""What exponentials and single operations take, in arithmetic that takes as long."""

LARGEST_STEP, BYTES = 512, 4
"""Tokens of the largest step that the rules make, and bytes of a number."""


@dataclass(frozen=True)
class Size:
    """A network over a vocabulary.

    Attributes
    ----------
    units, layers
        Of the stack.
    vocabulary_size
        Tokens of the vocabulary.
    cutoffs
        What an adaptive softmax of this vocabulary would begin its clusters with.
    has_words
        Whether the tokens are words or parts of words.
    """

    units: int
    layers: int
    vocabulary_size: int
    cutoffs: tuple[int, int]
    has_words: bool

    @property
    def is_tied(self) -> bool:
        """Whether the vectors of words are the output weights too."""
        return self.has_words and not self.is_adaptive

    @property
    def is_adaptive(self) -> bool:
        """Whether the softmax goes by clusters."""
        return self.vocabulary_size >= ADAPTIVE_SOFTMAX

    @property
    def is_sampled(self) -> bool:
        """Whether the softmax is estimated."""
        return not self.is_adaptive and self.vocabulary_size > FULL_SOFTMAX

    @property
    def embedding_size(self) -> int:
        """Features of a token's vector."""
        return self.units if self.has_words else min(self.units, CHARACTER_VECTOR)

    @property
    def outputs(self) -> int:
        """Outputs that a training step computes for a token, at least."""
        return self.cutoffs[0] if self.is_adaptive else SAMPLES if self.is_sampled else self.vocabulary_size

    @property
    def recurrent_weights(self) -> int:
        """Weights of the layers."""
        inputs = self.embedding_size + self.units * (self.layers - 1)
        return GATES * self.units * (inputs + self.layers * self.units)

    @property
    def weights(self) -> int:
        """All weights but biases."""
        tables = self.embedding_size + (0 if self.is_tied else self.units)
        return self.recurrent_weights + self.vocabulary_size * tables

    @property
    def operations(self) -> int:
        """Arithmetic that a token takes in training, single operations counted as what takes as long."""
        return self._operations(self.outputs)

    @property
    def evaluation_operations(self) -> int:
        """The same of a token in an evaluation, where nothing goes back and no softmax is estimated."""
        return self._operations(self.cutoffs[0] if self.is_adaptive else self.vocabulary_size) // 3

    def _operations(self, outputs: int) -> int:
        products = self.recurrent_weights + outputs * self.units
        return FLOPS_PER_WEIGHT * products + FLOPS_PER_OUTPUT * outputs + FLOPS_PER_TOKEN

    @property
    def memory(self) -> int:
        """Bytes, about, of weights, gradients, and what the largest step keeps for the way back."""
        kept = LARGEST_STEP * (2 * self.outputs + 16 * self.layers * self.units)
        return BYTES * (2 * self.weights + kept)


LARGEST_MEMORY = 2 << 30
"""Bytes that weights, gradients and a step may take."""


def ladder(facts: Facts) -> list[Size]:
    """Return the networks over a text's vocabulary that memory has room for, the smallest first."""
    sizes = (Size(*each, facts.vocabulary_size, facts.cutoffs, facts.has_words) for each in LADDER)
    return [size for size in sizes if size.memory <= LARGEST_MEMORY]
