"""The rules: from facts about a text, a speed and a budget to the numbers of a training.

``docs/choosing.md`` states them with the measurements behind every number here.
"""

import math
from dataclasses import dataclass, replace

from rnnlm.choosing.facts import Budget, Facts
from rnnlm.choosing.sizes import LADDER, LARGEST_MEMORY, Size, ladder
from rnnlm.choosing.speed import Speed
from rnnlm.errors import RnnlmError

UNITS_PER_ROOT = 6.7
"""Units that a text supports, by the cube root of its tokens."""

TOKENS_PER_WEIGHT = 4
"""Tokens that a recurrent weight is to be trained on, within the budget."""

EPOCHS_OF_WORDS, EPOCHS_OF_CHARACTERS, MOST_EPOCHS = (10, 0.27), (20, 0.15), 40
"""Epochs after which a text of 10,000 tokens is learned, and the power of the tokens with which they grow."""

SENTENCES_UP_TO, LONGEST_SENTENCE = 100_000, 60
"""Tokens of a text up to which sentences are read apart, and their mean length up to which they can be."""

LARGEST_DROPOUT = 0.65

EVALUATIONS, EVALUATION_SHARE = 20, 0.2
"""Evaluations of a training, and the time that they may take as a share of the training's."""


@dataclass(frozen=True)
class Reading:
    """How a text is cut: ``training.batching``, ``batch_size`` and ``bptt_steps``."""

    batching: str
    batch_size: int
    bptt_steps: int

    def tokens_per_step(self, facts: Facts) -> float:
        """Return how many predictions a step has."""
        if self.batching == "sentences":
            return min(self.batch_size * facts.tokens_per_sentence, facts.tokens)
        return min(self.batch_size * self.bptt_steps, facts.tokens)


@dataclass(frozen=True)
class Plan:
    """What was decided.

    Attributes
    ----------
    size, supported
        The network, and the one that the text would support without a limit of time.
    limit
        What keeps the network from being larger: "text", "time" or "memory"; "asked" if its size was given.
    reading
        How the text is cut.
    epochs
        Epochs at most: those of the budget, or those after which the text is learned.
    seconds
        The budget; None for one of epochs.
    tokens
        Predictions that there is time for, within the epochs.
    speed
        Of the machine.
    """

    facts: Facts
    size: Size
    supported: Size
    limit: str
    reading: Reading
    epochs: int
    seconds: float | None
    tokens: float
    speed: Speed

    @property
    def passes(self) -> float:
        """How often the text is read in the budget."""
        return self.tokens / self.facts.tokens

    @property
    def is_text_used_up(self) -> bool:
        """Whether the epochs, not the time, end the training."""
        return self.seconds is None or self.passes >= self.epochs

    @property
    def training_seconds(self) -> float:
        """How long the training will take, about."""
        return self.speed.seconds(self.size, self.tokens)

    @property
    def steps(self) -> int:
        """How many steps there will be, about."""
        return max(1, math.ceil(self.tokens / self.reading.tokens_per_step(self.facts)))

    @property
    def dropout(self) -> float:
        """Grow with how often each weight meets the text, and fall with how much text there is for it."""
        exposure = self.passes * self.size.recurrent_weights / self.facts.tokens
        dropout = 0.2 * math.log10(exposure) + (0.12 if self.facts.has_words else 0.0)
        return round(20 * min(max(dropout, 0.0), LARGEST_DROPOUT)) / 20

    @property
    def evaluation_seconds(self) -> float:
        """How long an evaluation will take, about."""
        operations = self.size.evaluation_operations * self.facts.valid_tokens
        return operations / self.speed.operations_per_second

    @property
    def evaluate_every(self) -> int | None:
        """Steps between evaluations; None for once an epoch."""
        affordable = EVALUATION_SHARE * self.training_seconds / max(self.evaluation_seconds, 1e-9)
        evaluations = max(1, min(EVALUATIONS, int(affordable)))
        if evaluations / 4 <= self.passes <= evaluations:
            return None
        return _two_digits(max(1, self.steps // evaluations))


def plan(facts: Facts, speed: Speed, budget: Budget, units: int | None = None) -> Plan:
    """Decide on a training.

    Parameters
    ----------
    facts, speed, budget
        The text, the machine, and the time or the epochs that there are.
    units
        Units of the layers, where they are asked for.

    Raises
    ------
    RnnlmError
        If a network of so many units takes more memory than the rules allow.
    """
    fitting = ladder(facts)
    supported = max(
        (size for size in fitting if size.units <= UNITS_PER_ROOT * facts.tokens ** (1 / 3)),
        key=lambda size: size.operations,
        default=fitting[0],
    )
    is_held_by_memory = supported == fitting[-1] and len(fitting) < len(LADDER)
    epochs = budget.epochs or useful_epochs(facts)
    if units is not None:
        size = replace(fitting[0], units=units)
        if size.memory > LARGEST_MEMORY:
            raise RnnlmError(
                f"`hidden_size={units}`: with {facts.vocabulary_size:,} tokens in the vocabulary a network of so "
                f"many units takes more than {LARGEST_MEMORY >> 30} GB of memory; choose fewer."
            )
        limit = "asked"
    else:
        size = supported
        if budget.seconds is not None:
            size = affordable(fitting, supported, speed, budget.seconds)
        limit = "time" if size != supported else "memory" if is_held_by_memory else "text"
    tokens = float(epochs * facts.tokens)
    if budget.seconds is not None:
        tokens = min(tokens, speed.tokens(size, budget.seconds))
    return Plan(facts, size, supported, limit, read(facts), epochs, budget.seconds, tokens, speed)


def read(facts: Facts) -> Reading:
    """Decide how a text is cut: fewer side by side where it is short, so that an epoch has steps enough."""
    if facts.has_words and facts.tokens <= SENTENCES_UP_TO and facts.tokens_per_sentence <= LONGEST_SENTENCE:
        return Reading("sentences", 4 if facts.tokens < 5_000 else 8, 20)
    streams, window = (20, 20) if facts.has_words else (16, 32)
    while streams > 2 and facts.tokens < 100 * streams * window:
        streams //= 2
    return Reading("stream", streams, window)


def useful_epochs(facts: Facts) -> int:
    """Return the epochs after which a text is learned."""
    epochs, power = EPOCHS_OF_WORDS if facts.has_words else EPOCHS_OF_CHARACTERS
    growth: float = (facts.tokens / 10_000) ** power
    return max(1, min(MOST_EPOCHS, round(epochs * growth)))


def affordable(fitting: list[Size], supported: Size, speed: Speed, seconds: float) -> Size:
    """Return the largest network, up to the one that the text supports, whose weights are trained enough."""
    enough = [
        size
        for size in fitting
        if size.operations <= supported.operations
        and speed.tokens(size, seconds) >= TOKENS_PER_WEIGHT * size.recurrent_weights
    ]
    return enough[-1] if enough else fitting[0]


def _two_digits(number: int) -> int:
    """Round down to two digits that are not zero."""
    unit = int(10 ** max(0, len(str(number)) - 2))
    return number // unit * unit
