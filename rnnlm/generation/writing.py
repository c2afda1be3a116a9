"""How a text is written, and a text that was."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rnnlm.errors import RnnlmError
from rnnlm.generation.sampling import SamplingSettings

DEFAULT_LENGTH = {"word": 100, "char": 500}
"""The most tokens in a text where none is said."""


@dataclass(frozen=True)
class WritingSettings:
    """How a text is written.

    Attributes
    ----------
    sampling
        How the next token is chosen; by default from the model's own distribution.
    max_tokens
        Tokens after which a text is cut where the sentence has not ended; None for 100 words or 500 characters.
    min_tokens
        Tokens before which the end of the sentence is not chosen. A stop text ends it all the same.
    stop
        Texts before which a text ends as soon as one appears in what was added to the seed text. A sample is made
        of whole tokens, so a token in which the stop text begins is left out.
    allow_unknown
        Whether the unknown token may be written.
    ban
        Words that are never written, or phrases: their tokens in a row, which may begin in the seed text. For a
        model of characters or of parts of words they are not written within other words either.
    keep_stop
        Whether a text ends after the stop text instead. The token in which that ends is kept whole.
    label
        The label of the texts, for a model that has learned from texts with labels. None to draw one for each, as
        often as it was seen; where nothing is drawn, it must be given.

    Raises
    ------
    RnnlmError
        If a number is out of its range, or a stop text or a ban is empty.
    """

    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    max_tokens: int | None = None
    min_tokens: int = 0
    stop: Sequence[str] = ()
    allow_unknown: bool = False
    ban: Sequence[str] = ()
    keep_stop: bool = False
    label: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("max_tokens", self.max_tokens), ("min_tokens", self.min_tokens)):
            if value is not None and value < 0:
                raise RnnlmError(f"`{name}` {value}: give a whole number from 0.")
        for name, texts in (("stop", self.stop), ("ban", self.ban)):
            if isinstance(texts, str):
                raise RnnlmError(f"`{name}` needs a list of texts; put the text in [ ].")
            if "" in texts:
                raise RnnlmError(f"`{name}` '': give at least one character.")

    def longest(self, level: str) -> int:
        """Return the most tokens of a text of words or characters.

        Raises
        ------
        RnnlmError
            If that is below `min_tokens`.
        """
        longest = DEFAULT_LENGTH[level] if self.max_tokens is None else self.max_tokens
        if self.min_tokens > longest:
            raise RnnlmError(
                f"`min_tokens={self.min_tokens}`: it is above `max_tokens`, {longest}; raise that too."
            )
        return longest


@dataclass(frozen=True)
class Sample:
    """A text that the model wrote.

    Attributes
    ----------
    text
        The seed text as it was given and what the model added.
    tokens
        The tokens that were added.
    log_prob
        Natural logarithm of the probability that the model gives what was added, the end of the sentence
        included where it was reached.
    label
        Its label; None where the model has none.
    """

    text: str
    tokens: list[str]
    log_prob: float
    label: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON, without a label where it has none."""
        return {name: value for name, value in asdict(self).items() if value is not None}
